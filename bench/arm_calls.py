"""What live consoles cost Azure Resource Manager: calls of the service in one subscription, counted at the stand-in.

    python -m bench.arm_calls

The clock is the bench's own: three periods of `RECHECK_SECONDS` pass in seconds. "one by one" asks about each console
alone, as it is done when one is opened.
"""

import asyncio
import tempfile
from contextlib import redirect_stderr
from os import devnull
from pathlib import Path

from rich.console import Console as Terminal
from rich.table import Table

from dev import tls
from dev.entra.keys import kept_key
from dev.stack import Stack
from tests.contract.arm import Arm
from tests.contract.live_sessions import LiveSessions
from tests.dev.local_azure import NoMachines, local_azure

CASES = ((1, 1, False), (1, 1, True), (100, 10, True), (100, 100, True), (1000, 100, True), (1000, 1000, True))
"""Consoles, people who sit at them, whether what is the same is shared."""
LIMIT_A_MINUTE = 25 * 60
PAGE = 1000
"""VMs in a page of a list."""


async def calls(home: Path, consoles: int, people: int, *, shared: bool) -> float:
    """A minute, once the first looks are done."""
    async with local_azure(home, NoMachines()) as azure:
        azure.world.page_size = PAGE
        arm = Arm(azure)
        try:
            return await LiveSessions(arm, consoles, people, shared=shared).calls_a_minute()
        finally:
            await arm.close()


async def measure(home: Path) -> Table:
    tls.ensure(Stack(home=home))
    kept_key(home)
    table = Table("consoles", "people", "asked", "calls a minute", "for a console", "of the limit")
    for consoles, people, shared in CASES:
        found = await calls(home, consoles, people, shared=shared)
        how = "shared" if shared else "one by one"
        share = f"{found / LIMIT_A_MINUTE:.0%}"
        table.add_row(str(consoles), str(people), how, f"{found:.0f}", f"{found / consoles:.2f}", share)
    return table


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Path(devnull).open("w") as quiet, redirect_stderr(quiet):
        table = asyncio.run(measure(Path(folder)))
    Terminal().print(table)


if __name__ == "__main__":
    main()
