"""A machine that prints all the time: a stream that no two seeds share, in pieces of any size."""

import asyncio
from hashlib import blake2b
from random import Random
from typing import Protocol

from dev.machines.inventory import Spec
from dev.machines.machine import Kind, Observer, State

LINE = 64
BACKLOG = 1 << 20
"""Bytes that wait for a client, beyond which the machine waits too, as a UART without room does."""
STEP_SECONDS = 0.01


class Port(Observer, Protocol):
    """Where a generator prints to."""

    @property
    def backlog(self) -> int:
        """Bytes that no client was handed yet."""


class Generator:
    """A dev.machines.machine.Machine. `rate`: bytes a second, 0 for silence."""

    kind = Kind.PTY

    def __init__(self, spec: Spec, port: Port, seed: str) -> None:
        self.state, self.reason = State.STOPPED, "never started"
        self.rate = 0.0
        self._port, self._seed = port, f"{seed} {spec.name}"
        self._sizes = Random(self._seed)  # noqa: S311 - cuts a stream, keeps no secret
        self._lines, self._left = 0, b""
        self._printing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        if self._printing is None:
            self.state, self.reason = State.RUNNING, ""
            self._printing = asyncio.create_task(self._print_on())

    async def stop(self, grace: float = 10.0) -> None:
        del grace  # there is nobody to ask
        if self._printing is not None:
            self._printing.cancel()
            self._printing = None
            self.state, self.reason = State.STOPPED, "powered off"
            self._port.ended(self.reason)

    async def type(self, data: bytes) -> None:
        """Nobody reads here."""

    async def reset(self) -> None:
        """Goes on printing; so do the next two."""

    async def nmi(self) -> None: ...

    async def sysrq(self, keys: str) -> None: ...

    async def _print_on(self) -> None:
        loop = asyncio.get_running_loop()
        owed, before = 0.0, loop.time()
        while True:
            await asyncio.sleep(STEP_SECONDS)
            now = loop.time()
            owed, before = min(owed + self.rate * (now - before), self.rate), now
            while owed >= 1 and self.rate and self._port.backlog < BACKLOG:
                size = min(int(owed), self._sizes.choice((1, 7, 64, 500, 4000, 20_000)))
                self._port.printed(self._next(size))
                owed -= size

    def _next(self, size: int) -> bytes:
        while len(self._left) < size:
            self._left += line(self._seed, self._lines)
            self._lines += 1
        piece, self._left = self._left[:size], self._left[size:]
        return piece


def line(seed: str, number: int) -> bytes:
    """Text and bytes that are no text, so that whatever treats some of them otherwise is found out."""
    digest = blake2b(f"{seed} {number}".encode(), digest_size=37).digest()
    return b"%010d %s %s\r\n" % (number, digest[:13].hex().encode(), digest[13:])
