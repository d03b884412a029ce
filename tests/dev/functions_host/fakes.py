# ruff: noqa: ARG002 - a fake takes what the real one takes
"""A hub, checkpoints and ownerships in memory, which can be away."""

import asyncio
import itertools
from datetime import UTC, datetime

from dev.functions_host.checkpoints import Checkpoint
from dev.functions_host.event_hub_source import Handle, HubLost, PartitionStolen, Position
from dev.functions_host.events import Event, Partition
from dev.functions_host.ownership import Ownership

PARTITION = Partition("namespace", "records", "$Default", "0")


class FakeHub:
    """One partition. `break_off` makes every reader fail; `refusals` is how often it is away when asked."""

    name, group = "records", "$Default"

    def __init__(self, *bodies: bytes) -> None:
        self.events: list[Event] = []
        self.refusals = self.readers = 0
        self.positions: list[Position] = []
        self._changed = asyncio.Event()
        self._broken: Exception | None = None
        self.send(*bodies)

    def send(self, *bodies: bytes) -> None:
        for body in bodies:
            self.events.append(Event(body, len(self.events), f"@{len(self.events)}"))
        self._changed.set()

    def break_off(self) -> None:
        self._break(HubLost("broke off"))

    def steal(self) -> None:
        """Another reader takes the partition."""
        self._break(PartitionStolen("a new receiver"))

    def _break(self, error: Exception) -> None:
        self._broken = error
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
        self.readers += 1
        try:
            await self._read(position + 1 if isinstance(position, int) else 0, most, handle)
        finally:
            self.readers -= 1

    async def _read(self, at: int, most: int, handle: Handle) -> None:
        while True:
            if batch := self.events[at : at + most]:
                at += len(batch)
                await handle(batch)
                continue
            self._changed.clear()
            await self._changed.wait()
            if broken := self._broken:
                self._broken = None
                raise broken

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


class FakeOwnerships:
    """What a storage keeps of several hosts. `refusals` as above."""

    def __init__(self) -> None:
        self.by_partition: dict[str, Ownership] = {}
        self.refusals = 0
        self._etags = itertools.count(1)

    async def kept(self, hub: Partition) -> list[Ownership]:
        self._refuse()
        return list(self.by_partition.values())

    async def claim(self, partition: Partition, owner: str, etag: str | None) -> Ownership | None:
        self._refuse()
        there = self.by_partition.get(partition.id)
        if (there.etag if there else None) != etag:
            return None
        claimed = Ownership(partition.id, owner, datetime.now(UTC), str(next(self._etags)))
        self.by_partition[partition.id] = claimed
        return claimed

    def owners(self) -> dict[str, str]:
        return {name: each.owner for name, each in self.by_partition.items()}

    def _refuse(self) -> None:
        if self.refusals:
            self.refusals -= 1
            raise ConnectionError("storage is away")
