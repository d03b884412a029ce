# ruff: noqa: ARG002 - a fake takes what the real one takes
"""A hub and a checkpoint store in memory, which can be away."""

import asyncio

from dev.functions_host.checkpoints import Checkpoint
from dev.functions_host.event_hub_source import Handle, HubLost, Position
from dev.functions_host.events import Event, Partition

PARTITION = Partition("namespace", "records", "$Default", "0")


class FakeHub:
    """One partition. `break_off` makes every reader fail; `refusals` is how often it is away when asked."""

    name, group = "records", "$Default"

    def __init__(self, *bodies: bytes) -> None:
        self.events: list[Event] = []
        self.refusals = 0
        self.positions: list[Position] = []
        self._changed = asyncio.Event()
        self._broken = False
        self.send(*bodies)

    def send(self, *bodies: bytes) -> None:
        for body in bodies:
            self.events.append(Event(body, len(self.events), f"@{len(self.events)}"))
        self._changed.set()

    def break_off(self) -> None:
        self._broken = True
        self._changed.set()

    async def partitions(self) -> list[Partition]:
        self._refuse()
        return [PARTITION]

    async def last_sequence_number(self, partition: str) -> int:
        self._refuse()
        return len(self.events) - 1

    async def read(self, partition: str, position: Position, most: int, handle: Handle) -> None:
        self._refuse()
        self.positions.append(position)
        at = position + 1 if isinstance(position, int) else 0
        while True:
            if batch := self.events[at : at + most]:
                at += len(batch)
                await handle(batch)
                continue
            self._changed.clear()
            await self._changed.wait()
            if self._broken:
                self._broken = False
                raise HubLost("broke off")

    def _refuse(self) -> None:
        if self.refusals:
            self.refusals -= 1
            raise HubLost("away")


class FakeCheckpoints:
    """`refusals` is how often it is away when asked."""

    def __init__(self, kept: Checkpoint | None = None) -> None:
        self.kept = kept
        self.refusals = 0

    async def read(self, partition: Partition) -> Checkpoint | None:
        self._refuse()
        return self.kept

    async def write(self, partition: Partition, checkpoint: Checkpoint) -> None:
        self._refuse()
        self.kept = checkpoint

    def _refuse(self) -> None:
        if self.refusals:
            self.refusals -= 1
            raise ConnectionError("storage is away")
