"""`make up`: the whole product on this machine, at one address, until Ctrl-C.

python -m dev.up [--base PORT] [--home DIR] [--no-prepare]
"""

import argparse
import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from rich.padding import Padding
from rich.table import Table

from dev import demo, microsoft, tls
from dev.prepare import prepare
from dev.stack import Engine, EventHubs, Host, Port, Stack
from dev.steps import StepFailed, Steps
from dev.supervisor import stack_running, taken_ports

BOOT_PATIENCE = 240.0


async def serve(stack: Stack, steps: Steps, *, up: asyncio.Event, until: asyncio.Event) -> None:
    """Starts everything, prints the address, sets `up`; returns after `until` is set and everything is gone."""
    _check_ports(stack)
    tls.ensure(stack)
    started = time.monotonic()
    async with stack_running(stack, steps.warn) as supervisor:
        with steps.step("Dependencies, as the API sees them") as say:
            await _healthy(stack, say)
        with steps.step("web-01 boots") as say:
            await _booted(stack, say)
        _welcome(stack, steps, time.monotonic() - started)
        up.set()
        await _first(until, supervisor.failed)
        with steps.step("Ending: sessions are closed, the spool is drained, the machines go down"):
            await supervisor.stop()
    if supervisor.failed.is_set():
        raise StepFailed("a part died too often; see above.")


async def _first(*events: asyncio.Event) -> None:
    waiting = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()


def _check_ports(stack: Stack) -> None:
    if taken := taken_ports(stack):
        words = ", ".join(f"{number} ({port.name.lower().replace('_', ' ')})" for port, number in taken)
        raise StepFailed(
            f"taken: port {words}. Is the stack running already? "
            f"Else choose other ports: make up BASE={stack.base + 100}"
        )


async def _healthy(stack: Stack, say: Callable[[str], None]) -> None:
    """Waits until /api/health is healthy; says what is not."""
    deadline = time.monotonic() + BOOT_PATIENCE
    async with httpx.AsyncClient(base_url=stack.http(Port.FRONT_DOOR), timeout=10) as client:
        while (bad := await _unhealthy(client)) is not None:
            say(f"waiting for {', '.join(bad) or 'the function app'}")
            if time.monotonic() > deadline:
                raise StepFailed(f"the API stays unhealthy: {', '.join(bad)}. Logs: {stack.home / 'logs'}")
            await asyncio.sleep(0.3)


async def _unhealthy(client: httpx.AsyncClient) -> list[str] | None:
    """What is not healthy, empty where that is not told; None: nothing. A busy machine may take long to answer."""
    try:
        answer = await client.get("/api/health")
    except httpx.TimeoutException:
        return []
    if answer.status_code == httpx.codes.OK:
        return None
    if "json" not in answer.headers.get("content-type", ""):
        return []  # the front door's own answer, or the host's: the app does not run yet
    return [d["name"] for d in answer.json().get("dependencies", []) if d["status"] != "healthy"]


async def _booted(stack: Stack, say: Callable[[str], None]) -> None:
    """Waits for the login prompt in what web-01 printed; a slow boot is no failure, the console shows it."""
    printed = stack.home / "machines" / "web-01.printed"
    deadline = time.monotonic() + BOOT_PATIENCE
    while not (printed.exists() and b"login: " in printed.read_bytes()):
        if time.monotonic() > deadline:
            say("no login prompt yet: open the console and watch it boot")
            return
        await asyncio.sleep(0.1)


def _welcome(stack: Stack, steps: Steps, seconds: float) -> None:
    steps.console.print(f"\n  Serial console: [bold]{stack.http(Port.FRONT_DOOR)}[/]   (up in {seconds:.1f} s)\n")
    steps.console.print("  Sign in as one of the demo people:")
    people = Table.grid(padding=(0, 1, 0, 4))
    for person in demo.PEOPLE:
        people.add_row(person.name, person.about)
    steps.console.print(Padding(people, (0, 0, 0, 4)))
    steps.console.print(f"\n  On the VMs, log in as {demo.GUEST_USER} with password {demo.GUEST_PASSWORD}.")
    steps.console.print(f"  Logs: {stack.home / 'logs'}", soft_wrap=True)
    steps.console.print("  Everything listens on loopback only. Ctrl-C ends it all.\n")


async def _main(stack: Stack, steps: Steps) -> None:
    up, asked = asyncio.Event(), asyncio.Event()
    for how in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(how, asked.set)
    work = asyncio.create_task(serve(stack, steps, up=up, until=asked))
    stop = asyncio.create_task(asked.wait())
    await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if not up.is_set():
        work.cancel()  # Ctrl-C while starting; what has started is ended on the way out
    with contextlib.suppress(asyncio.CancelledError):
        await work


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m dev.up", description="The serial console, on this machine.")
    arguments.add_argument("--base", type=int, default=Stack.base, help="first of eighteen ports (default %(default)s)")
    arguments.add_argument("--home", type=Path, default=Stack.home, help="state and logs (default %(default)s)")
    arguments.add_argument(
        "--host", type=Host, choices=list(Host), default=Host.LOCAL, help="func: Microsoft's own Functions host"
    )
    arguments.add_argument(
        "--event-hubs", type=EventHubs, choices=list(EventHubs), default=EventHubs.LOCAL, help="emulator: Microsoft's"
    )
    arguments.add_argument(
        "--engine",
        type=Engine,
        choices=list(Engine),
        default=Engine.LOCAL,
        help="scheduler: Microsoft's, with --host func",
    )
    arguments.add_argument("--hub-pace", type=float, default=Stack.hub_pace, help="see dev.functions_host; for tests")
    arguments.add_argument("--no-prepare", action="store_true", help="trust that everything is installed")
    given = arguments.parse_args()
    stack = Stack(given.base, given.home.resolve(), given.host, given.event_hubs, given.engine, given.hub_pace)
    steps = Steps()
    try:
        microsoft.check(stack)
        if not given.no_prepare:
            prepare(stack, steps)
        asyncio.run(_main(stack, steps))
    except StepFailed as error:
        steps.fail(str(error))
        return 1
    except OSError as error:
        steps.fail(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
