"""`make chaos`: the real stack under faults at random moments, and at the end every byte accounted for.

The same SEED chooses the same acts and the same stream; what they meet differs from run to run. Exit status: 0 when
every transcript is what the witness says, complete and without a byte twice; 1 when not.
"""

import argparse
import asyncio
import secrets
import shutil
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from dev import parts, tls
from dev.chaos.campaign import Outcome, campaign
from dev.chaos.campaign_state import running
from dev.chaos.faults import FAULTS, KILL_ENGINE, KILL_STORAGE, Fault
from dev.stack import ROOT, Port, Stack
from dev.steps import StepFailed
from dev.supervisor import taken_ports

BASE, TRIES = 8600, 20
SECONDS = 1500.0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m dev.chaos", description=__doc__)
    parser.add_argument("--seed", default=secrets.token_hex(4), help="any text (default: a new one, which is printed)")
    parser.add_argument("--rounds", type=int, default=60, help="(default %(default)s)")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="stop after so long (default %(default)s)")
    parser.add_argument(
        "--base", type=int, help=f"first of eighteen ports (default: the first free ones from {BASE} on)"
    )
    parser.add_argument("--home", type=Path, default=ROOT / ".local" / "chaos", help="made anew (default %(default)s)")
    parser.add_argument("--hub-pace", type=float, default=1.0, help="see dev.functions_host (default %(default)s)")
    parser.add_argument(
        "--kill-storage", action="store_true",
        help="kill -9 the storage emulator too, which then forgets writes that it acknowledged (Azure's does not)",
    )  # fmt: skip
    return parser.parse_args()


def _free_base() -> int:
    """The last one tried, if none is free."""
    bases = range(BASE, BASE + TRIES * len(Port), len(Port))
    return next((base for base in bases if not taken_ports(Stack(base))), bases[-1])


async def _run(stack: Stack, asked: argparse.Namespace, terminal: Console) -> Outcome:
    notes = stack.home / "chaos.log"

    def note(text: str) -> None:
        with notes.open("a") as file:
            file.write(f"{text}\n")

    def say(text: str) -> None:
        terminal.print(text, soft_wrap=True, highlight=False, markup=False)
        note(text)

    engine = "Microsoft's engine" if parts.engine() else "a task hub in memory, for HOST_PARTS names no engine"
    say(f"seed {asked.seed}, {asked.rounds} rounds on {engine}, logs in {stack.home / 'logs'}")
    async with running(stack, asked.seed, note) as field:
        acts = _acts(kills_storage=asked.kill_storage)
        return await campaign(field, asked.seed, asked.rounds, asked.seconds, say, acts=acts)


def _acts(*, kills_storage: bool) -> list[Fault]:
    """Those that are asked for, of parts that there are."""
    left_out = {KILL_STORAGE: not kills_storage, KILL_ENGINE: not parts.engine()}
    return [act for act in FAULTS if not left_out.get(act.name)]


def _table(outcome: Outcome) -> Table:
    table = Table(title=f"seed {outcome.seed}: {outcome.rounds} rounds in {outcome.seconds:.0f} s")
    for column in ("", *outcome.checked):
        table.add_column(column, justify="right" if column else "left")
    rows = ("printed", "handed", "recorded", "shown", "connections", "epochs", "segments", "stored")
    for row in rows:
        table.add_row(row, *(f"{getattr(each, row):,}" for each in outcome.checked.values()))
    for why in sorted({why for each in outcome.checked.values() for why in each.lost}):
        lost = [each.lost.get(why, [0]) for each in outcome.checked.values()]
        table.add_row(f"lost: {why}", *(f"{sum(each):,}" for each in lost))
        table.add_row("  most of it at once", *(f"{max(each):,}" for each in lost))
    table.add_row("faults", *(str(len(each.faults)) for each in outcome.checked.values()))
    return table


def main() -> int:
    asked = _arguments()
    stack = Stack(asked.base or _free_base(), asked.home.resolve(), hub_pace=asked.hub_pace)
    terminal = Console()
    if taken := taken_ports(stack):
        terminal.print(f"taken: port {', '.join(str(number) for _, number in taken)}; choose another --base")
        return 1
    shutil.rmtree(stack.home, ignore_errors=True)
    stack.home.mkdir(parents=True)
    tls.ensure(stack)
    try:
        outcome = asyncio.run(_run(stack, asked, terminal))
    except (StepFailed, TimeoutError) as error:
        terminal.print(f"seed {asked.seed}: {error}", markup=False)
        return 1
    terminal.print(_table(outcome))
    terminal.print(", ".join(f"{name} {count}" for name, count in sorted(outcome.acts.items())), soft_wrap=True)
    if outcome.looks:
        terminal.print(
            "lists of VMs while ARM failed: " + ", ".join(f"{name} {count}" for name, count in outcome.looks.items())
        )
    strange = len(outcome.aside) - outcome.copies
    terminal.print(f"set aside: {strange} events that are no records, {outcome.copies} batches that are archived, too")
    for each in outcome.index:
        terminal.print(f"index made anew: {each}", markup=False, soft_wrap=True)
    for fault in (*outcome.faults, *(fault for each in outcome.checked.values() for fault in each.faults)):
        terminal.print(f"FAULT {fault}", markup=False, soft_wrap=True)
    terminal.print("every byte is accounted for" if outcome.passed else "NOT PROVEN")
    return 0 if outcome.passed else 1


if __name__ == "__main__":
    sys.exit(main())
