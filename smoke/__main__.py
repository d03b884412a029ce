"""`python -m smoke`: tries a deployment as an operator and an auditor would, and says what works and how fast.

Signs in, asks what stands in the way, opens the VM's console, types Enter and nothing else, ends the session, resumes
it, leaves, and looks whether every byte that was shown is in the transcript and proven. It displaces nobody unless
told to, and ends what it opened. Exit status: 0 everything works, 1 something does not, 2 wrong
arguments, or interrupted.
"""

import argparse
import json
import re
import signal
import ssl
import sys
import time
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from smoke import outcome
from smoke.context import Context, Options
from smoke.outcome import Result, Row
from smoke.service import Api
from smoke.steps import STEPS

_VM = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Compute/"
    r"(virtualMachineScaleSets/[^/]+/)?virtualMachines/[^/]+",
    re.IGNORECASE,
)
_LONGEST_WAIT = 3600.0
_STYLES = {Result.WORKS: "green", Result.FAILS: "bold red", Result.SKIPPED: "yellow"}


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    first, _, rest = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="python -m smoke", description=first.partition(": ")[2],
        epilog=f"{rest}Signs in by azure-identity (az login, managed identity, AZURE_CLIENT_ID ...), or with the "
        "access token in SMOKE_TOKEN. An application needs the app role Console.Automation; whoever "
        "signs in needs the right to write on the VM's console and to read its transcript.",
    )  # fmt: skip
    parser.add_argument("--api", required=True, help="the service's address, ending in /api")
    parser.add_argument(
        "--vm", required=True, type=_vm, help="resource id of a running VM whose guest has a login there"
    )
    parser.add_argument(
        "--takeover", choices=("never", "ask", "force"), default="never",
        help="what to do when somebody is at the console (default: never displace)",
    )  # fmt: skip
    parser.add_argument(
        "--reason", default="smoke test", help="goes on record, where policies demand one (default: smoke test)"
    )
    parser.add_argument("--ca", metavar="FILE", help="certificate authority to trust beside the usual ones (PEM)")
    parser.add_argument("--timeout", type=_seconds, default=30, help="seconds for each answer (default: 30)")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    return parser.parse_args(argv)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= _LONGEST_WAIT:
        raise argparse.ArgumentTypeError(f"expected seconds, more than 0 and at most {_LONGEST_WAIT:.0f}")
    return seconds


def _vm(text: str) -> str:
    if not _VM.fullmatch(text):
        raise argparse.ArgumentTypeError(
            "expected /subscriptions/{id}/resourceGroups/{group}/providers/Microsoft.Compute/"
            "[virtualMachineScaleSets/{set}/]virtualMachines/{name}"
        )
    return text


def _table(api: str, rows: Sequence[Row]) -> Table:
    table = Table("", "step", "ms", "", title=f"{api}", title_justify="left", box=None, pad_edge=False)
    table.columns[2].justify = "right"
    for row in rows:
        took = "" if row.result is Result.SKIPPED else f"{row.milliseconds:,.0f}"
        table.add_row(f"[{_STYLES[row.result]}]{row.result.value}[/]", row.step, took, row.words)
    return table


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _arguments(argv)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: what was opened is ended
    terminal = Console(stderr=arguments.json)
    try:
        trust = ssl.create_default_context()
        if arguments.ca:
            trust.load_verify_locations(arguments.ca)
    except OSError as error:  # an ssl.SSLError is one
        terminal.print(f"--ca {arguments.ca} cannot be read: {error.strerror or error}", markup=False)
        return 2
    rows: list[Row] = []
    with Api(arguments.api, trust, arguments.timeout) as api, terminal.status("") as progress:
        context = Context(api, Options(arguments.vm, arguments.takeover, arguments.reason, arguments.ca))
        try:
            outcome.run(STEPS, context, time.monotonic, lambda name: progress.update(f"{name} ..."), rows.append)
        except KeyboardInterrupt:
            terminal.print("interrupted; the session is ended")
            return 2
        finally:
            context.leave()
    if arguments.json:
        print(json.dumps(outcome.to_json(api.address, rows)))
    else:
        terminal.print(_table(api.address, rows))
    return outcome.status(rows)


if __name__ == "__main__":
    sys.exit(main())
