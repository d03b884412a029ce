"""Event Hub triggers: a function that listens to a hub, with a reader for each partition that this host holds."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from dev.functions_host.balancer import Balancer
from dev.functions_host.checkpoints import Checkpoints
from dev.functions_host.event_hub_source import Hub, Position
from dev.functions_host.events import Event, Partition, batch_invocation, single_invocation
from dev.functions_host.messages import TypedData
from dev.functions_host.ownership_blobs import Ownerships
from dev.functions_host.partition_reader import PartitionReader
from dev.functions_host.partition_share import PartitionShare
from dev.functions_host.retries import run_with_retries
from dev.functions_host.stopping import Stopping, persist, until_stopping
from dev.functions_host.worker import Attempt, Function

log = logging.getLogger("host.eventhub")


class Invoker(Protocol):
    """See worker.Worker."""

    async def invoke(
        self, function: Function, trigger: TypedData, metadata: dict[str, TypedData], attempt: Attempt
    ) -> Any: ...


@dataclass(frozen=True)
class EventHubTrigger:
    """One function on one hub. `start`: where a partition without a checkpoint begins."""

    worker: Invoker
    function: Function
    hub: Hub
    checkpoints: Checkpoints
    ownerships: Ownerships
    stopping: asyncio.Event
    start: Position
    batch: int
    """Events handed over at a time, at most."""
    many: bool
    """Cardinality: one invocation with the whole batch, or one for each event."""
    interval: float
    """Seconds between two looks at who reads which partition."""
    expiry: float
    """Seconds after which a partition whose host does not renew it is anybody's."""

    async def run(self) -> None:
        """Reads its share of the partitions until the host stops, however often the hub or the storage goes away."""
        what = f"function {self.function.name}, hub {self.hub.name}"
        try:
            partitions = await persist(what, self._partitions, self.stopping, log)
        except Stopping:
            return
        log.info("%s: %d partitions for all that read as %s", what, len(partitions), self.hub.group)
        balancer = Balancer(partitions, self.ownerships, self.expiry)
        await PartitionShare(balancer, self._reader, self.interval, self.stopping).run()

    async def _partitions(self) -> list[Partition]:
        return await until_stopping(self.hub.partitions(), self.stopping)

    def _reader(self, partition: Partition) -> PartitionReader:
        return PartitionReader(
            partition, self.hub, self.checkpoints, self._process, self.stopping, start=self.start, batch=self.batch
        )

    async def _process(self, partition: Partition, batch: Sequence[Event], leaving: asyncio.Event) -> None:
        """Runs the function for a batch, retries included.

        Raises:
            Stopping: `leaving` is set before the retries ended.

        """
        if self.many:
            await self._invoke(*batch_invocation(partition, batch), leaving)
            return
        for event in batch:
            await self._invoke(*single_invocation(partition, event), leaving)

    async def _invoke(self, trigger: TypedData, metadata: dict[str, TypedData], leaving: asyncio.Event) -> None:
        async def attempt_it(attempt: Attempt) -> None:
            await self.worker.invoke(self.function, trigger, metadata, attempt)

        await run_with_retries(self.function, attempt_it, leaving)
