"""`make bench`: what a console costs, beside the same machine without us, in one run.

    session open   from the request until the first frame of the console: with warm caches, and with none (a fresh
                   sign-in each time, CACHE_SECONDS=0: every question is put to Azure again)
    key echo       a key typed into `cat` on a real guest until its echo: through relay, gateway and recording,
                   and straight at QEMU's COM1, in alternating rounds
    printed        bytes of `say-hash` a second through relay, gateway and recording

Figures are of this machine and this moment; the ratio is what can be compared.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from rich.console import Console as Terminal
from rich.table import Table

from dev import demo
from dev.machines.inventory import Spec
from dev.machines.machine_factory import open_workshop
from dev.stack import ROOT
from tests.e2e.local_stack import LocalStack
from tests.e2e.person import Console, SignedIn

WEB_01 = demo.VIRTUAL_MACHINES[0]
LETTERS = b"abcdefghijklmnopqrstuvwxyz"
OPENS = 40
UNPACED = {"RATE_CALLER": "100000", "RATE_VM": "100000"}
"""Nobody opens a console as often as a bench does."""
GAP = 0.01
"""Seconds between keys: a fast typist is ten times slower."""


class Bare:
    """A machine whose COM1 this process holds itself."""

    def __init__(self) -> None:
        self.seen = bytearray()
        self.news = asyncio.Event()
        self.over = ""
        make = open_workshop(ROOT / ".local", lambda _: None, {})
        self.machine = make(Spec("bare"), self)

    def printed(self, data: bytes) -> None:
        self.seen += data
        self.news.set()

    def ended(self, reason: str) -> None:
        """Whoever waits for an echo then runs into its limit; `over` says why."""
        self.over = reason

    async def expect(self, text: bytes, since: int = 0) -> None:
        async with asyncio.timeout(60):
            while text not in self.seen[since:]:
                self.news.clear()
                await self.news.wait()

    async def start(self) -> None:
        await self.machine.start()
        for asked, answer in ((b"login: ", demo.GUEST_USER), (b"Password: ", demo.GUEST_PASSWORD), (b"$ ", "cat")):
            await self.expect(asked)
            await self.machine.type(f"{answer}\r".encode())
        await asyncio.sleep(1)

    async def echoes(self, count: int) -> list[float]:
        took = []
        for n in range(count):
            key = LETTERS[n % 26 : n % 26 + 1]
            since, started = len(self.seen), time.perf_counter()
            await self.machine.type(key)
            await self.expect(key, since)
            took.append(time.perf_counter() - started)
            await asyncio.sleep(GAP)
            if n % 50 == 49:  # a terminal's line has an end
                await self.machine.type(b"\x15")
                await asyncio.sleep(0.2)
        return took


def relay_echoes(console: Console, count: int) -> list[float]:
    took = []
    for n in range(count):
        key = chr(LETTERS[n % 26])
        since, started = len(console.printed), time.perf_counter()
        console.type(key)
        console.expect(key, since)
        took.append(time.perf_counter() - started)
        time.sleep(GAP)
        if n % 50 == 49:
            console.type("\x15")
            time.sleep(0.2)
            console.receive_waiting()
    return took


def opens(people: Iterable[SignedIn]) -> list[float]:
    took = []
    for person in people:
        started = time.perf_counter()
        with person.open(WEB_01) as console:
            console.expect_said("hello")
            took.append(time.perf_counter() - started)
    return took


def cold_opens(folder: Path, count: int) -> list[float]:
    """On a stack of its own that keeps no answers; the first one, which imports the SDKs, is not counted."""
    stack = LocalStack(folder, CACHE_SECONDS="0", **UNPACED)
    try:
        stack.wait_until_up()
        stack.lift_throttle()
        return opens(SignedIn(stack, demo.ADA) for _ in range(count + 1))[1:]
    finally:
        stack.stop()


def printed_rate(console: Console, lines: int) -> float:
    """Bytes a second, the guest's own awk included."""
    since, started = len(console.printed), time.perf_counter()
    console.run(f"say-hash {lines} 1")
    return (len(console.printed) - since) / (time.perf_counter() - started)


def milliseconds(times: list[float]) -> tuple[float, float]:
    """p50 and p99."""
    ordered = sorted(times)
    return statistics.median(ordered) * 1e3, ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1e3


async def measure(stack: LocalStack, cold: list[float], keys: int, rounds: int, say: Callable[[str], None]) -> Table:
    ada = SignedIn(stack, demo.ADA)
    say("opening sessions")
    warm = opens([ada] * (OPENS + 1))[1:]
    bare = Bare()
    say("booting a machine of our own")
    await bare.start()
    relayed: list[float] = []
    straight: list[float] = []
    with ada.open(WEB_01) as console:
        console.log_in()
        rate = printed_rate(console, 300)
        console.type("cat\r")
        time.sleep(1)  # noqa: ASYNC251 - nothing else runs in this loop meanwhile, on purpose
        console.receive_waiting()
        for n in range(rounds):
            say(f"keys: round {n + 1} of {rounds}")
            straight += await bare.echoes(keys)
            relayed += await asyncio.to_thread(relay_echoes, console, keys)
        console.type("\x03")
    await bare.machine.stop(0)
    return _table({"cold": cold, "warm": warm}, relayed, straight, rate)


def _table(opened: dict[str, list[float]], relayed: list[float], straight: list[float], rate: float) -> Table:
    table = Table("what", "n", "p50 ms", "p99 ms", "ratio p50")
    for what, times, base in (
        ("session open, warm caches", opened["warm"], opened["warm"]),
        ("session open, nothing kept", opened["cold"], opened["warm"]),
        ("key echo at QEMU's COM1", straight, straight),
        ("key echo through the relay, recorded", relayed, straight),
    ):
        p50, p99 = milliseconds(times)
        ratio = f"{p50 / milliseconds(base)[0]:.2f}"
        table.add_row(what, str(len(times)), f"{p50:.2f}", f"{p99:.2f}", ratio)
    table.add_row("printed by say-hash", "1", f"{rate / 1024:.0f} KiB/s", "", "")
    return table


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("--keys", type=int, default=150, help="keys in a round (default %(default)s)")
    arguments.add_argument("--rounds", type=int, default=3)
    given = arguments.parse_args()
    terminal = Terminal()
    with tempfile.TemporaryDirectory() as folder, terminal.status("starting a stack that keeps nothing") as status:
        cold = cold_opens(Path(folder) / "cold", OPENS)
        status.update("starting the stack")
        stack = LocalStack(Path(folder) / "stack", **UNPACED)
        try:
            stack.wait_until_up()
            stack.lift_throttle()
            table = asyncio.run(measure(stack, cold, given.keys, given.rounds, status.update))
        finally:
            stack.stop()
    terminal.print(table)


if __name__ == "__main__":
    main()
