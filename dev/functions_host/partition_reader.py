"""One partition's reader, and the order in which Azure does things.

Read from the checkpoint; run the function, retries included; then, whatever came of it, move the checkpoint past the
batch, unless the host stops. Delivery is at least once: a host that is killed or stops in between hands the batch over
again (Azure/azure-sdk-for-net, EventHubListener.PartitionProcessor).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from dev.functions_host.checkpoints import Checkpoint, Checkpoints
from dev.functions_host.event_hub_source import Hub, PartitionStolen, Position
from dev.functions_host.events import Event, Partition
from dev.functions_host.stopping import Stopping, persist, until_stopping

type Process = Callable[[Partition, Sequence[Event], asyncio.Event], Awaitable[None]]
"""Runs the function for a batch; raises Stopping where the event is set before its retries ended."""
log = logging.getLogger("host.eventhub")


class PartitionReader:
    """Reads one partition for one function."""

    def __init__(
        self,
        partition: Partition,
        hub: Hub,
        checkpoints: Checkpoints,
        process: Process,
        stopping: asyncio.Event,
        *,
        start: Position,
        batch: int,
    ) -> None:
        self._partition, self._hub, self._checkpoints = partition, hub, checkpoints
        self._process, self._stopping = process, stopping
        self._start, self._batch = start, batch
        self._leaving = asyncio.Event()
        self._name = f"partition {partition.hub}/{partition.id}"
        self._reached: Checkpoint | None = None
        self._busy = asyncio.Lock()
        """Held from a batch's arrival until its checkpoint is kept: who ends the reader waits for it."""
        self._was_stolen = False

    async def run(self) -> bool:
        """Reads until it is told to leave; answers whether another host took the partition."""
        try:
            await persist(self._name, self._read, self._leaving, log)
        except Stopping:
            log.debug("%s: left", self._name)
        return self._was_stolen

    def leave(self) -> None:
        """Takes no further batch. The one in hand goes on; retries end."""
        self._leaving.set()

    async def _read(self) -> None:
        try:
            await until_stopping(self._read_on(), self._leaving, self._busy)
        except PartitionStolen as stolen:
            self._was_stolen = True
            raise Stopping from stolen

    async def _read_on(self) -> None:
        await self._hub.read(self._partition.id, await self._position(), self._batch, self._take)

    async def _position(self) -> Position:
        """Where to go on: after what this reader reached, else after the checkpoint, else at the start."""
        if self._reached is None:
            self._reached = await self._checkpoints.read(self._partition)
        if self._reached is None:
            return self._start
        if await self._hub.last_sequence_number(self._partition.id) < self._reached.sequence_number:
            # A hub whose data was thrown away counts from 0 again; waiting for the old number would lose all it gets.
            log.warning("%s is younger than its checkpoint: reading it from the start", self._name)
            self._reached = None
            return self._start
        return self._reached.sequence_number

    async def _take(self, batch: Sequence[Event]) -> None:
        async with self._busy:
            if self._leaving.is_set():
                raise Stopping
            fresh = [event for event in batch if not self._is_behind(event)]
            if not fresh:
                return
            await self._process(self._partition, fresh, self._leaving)
            if self._stopping.is_set():
                raise Stopping
            self._reached = Checkpoint(fresh[-1].sequence_number, fresh[-1].offset)
            await self._commit(self._reached)

    def _is_behind(self, event: Event) -> bool:
        """Whether the event was handled before: a link that the SDK reopens by itself begins where it once began."""
        return self._reached is not None and event.sequence_number <= self._reached.sequence_number

    async def _commit(self, reached: Checkpoint) -> None:
        async def write() -> None:
            await self._checkpoints.write(self._partition, reached)

        await persist(f"checkpoint of {self._name}", write, self._leaving, log)
