"""Event Hub triggers: one reader per partition, and the order in which Azure does things.

Read from the checkpoint; run the function, retries included; then, whatever came of it, move the checkpoint past the
batch. Delivery is at least once: a host that is killed in between hands the batch over again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from dev.functions_host.checkpoints import Checkpoint, Checkpoints
from dev.functions_host.event_hub_source import Handle, HubLost, Position
from dev.functions_host.events import Event, Invocation, Partition, batch_invocation, single_invocation
from dev.functions_host.messages import TypedData
from dev.functions_host.retries import Stopping, run_with_retries
from dev.functions_host.worker import Attempt, Function

FIRST_WAIT, LONGEST_WAIT = 0.2, 5.0
"""Seconds before the hub or the storage is tried again: doubled each time, up to the longest."""
log = logging.getLogger("host.eventhub")


class Hub(Protocol):
    """See event_hub_source.EventHub."""

    name: str

    async def partitions(self) -> list[Partition]: ...

    async def read(self, partition: str, position: Position, most: int, handle: Handle) -> None: ...


class Invoker(Protocol):
    """See worker.Worker."""

    async def invoke(
        self, function: Function, trigger: TypedData, metadata: dict[str, TypedData], attempt: Attempt
    ) -> Any: ...


class EventHubTrigger:
    """One function that listens to one hub."""

    def __init__(
        self,
        worker: Invoker,
        function: Function,
        hub: Hub,
        checkpoints: Checkpoints,
        stopping: asyncio.Event,
        *,
        start: Position,
        batch: int,
        many: bool,
    ) -> None:
        """`start`: where a partition without a checkpoint begins. `batch`: events per invocation at most, if `many`."""
        self._worker, self._function = worker, function
        self._hub, self._checkpoints, self._stopping = hub, checkpoints, stopping
        self._start, self._most, self._many = start, batch if many else 1, many

    async def run(self) -> None:
        """Reads every partition until the host stops, however often the hub or the storage goes away."""
        try:
            partitions = await self._persist(f"{self._hub.name}", self._hub.partitions)
            async with asyncio.TaskGroup() as readers:
                for partition in partitions:
                    readers.create_task(self._run_partition(partition))
        except Stopping:
            return

    async def _run_partition(self, partition: Partition) -> None:
        reader = _Reader(self, partition)
        try:
            await self._persist(f"{partition.hub}/{partition.id}", reader.read)
        except Stopping:
            return

    async def _persist[T](self, what: str, act: Callable[[], Awaitable[T]]) -> T:
        """Does `act` until it succeeds.

        Raises:
            Stopping: the host stops.

        """
        wait = FIRST_WAIT
        while True:
            began = asyncio.get_running_loop().time()
            try:
                return await unless_stopping(act(), self._stopping)
            except Stopping:
                raise
            except HubLost as error:
                log.warning("event hub %s: %s; again in %.1f s", what, _first_line(error), wait)
            except Exception as error:  # noqa: BLE001 - storage raises its transport's errors; none may end a reader
                log.warning("event hub %s: %s: %s; again in %.1f s", what, type(error).__name__, _first_line(error), wait)
            if asyncio.get_running_loop().time() - began > LONGEST_WAIT:
                wait = FIRST_WAIT
            await unless_stopping(asyncio.sleep(wait), self._stopping)
            wait = min(wait * 2, LONGEST_WAIT)


class _Reader:
    """One partition: its position, and what is done with each batch."""

    def __init__(self, trigger: EventHubTrigger, partition: Partition) -> None:
        self._trigger, self._partition = trigger, partition
        self._handled: Checkpoint | None = None
