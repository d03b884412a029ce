"""The readers of those partitions that this host holds."""

import asyncio
import logging
from collections.abc import Callable

from dev.functions_host.balancer import Balancer
from dev.functions_host.events import Partition
from dev.functions_host.partition_reader import PartitionReader
from dev.functions_host.stopping import Stopping, pause, until_stopping

SOON = 0.2
"""Seconds to the next look while partitions are still to be had (15 ms in the .NET client, EventProcessor)."""
log = logging.getLogger("host.eventhub")


class PartitionShare:
    """Looks every `interval` seconds, and starts and ends readers by what it finds."""

    def __init__(
        self,
        balancer: Balancer,
        reader: Callable[[Partition], PartitionReader],
        interval: float,
        stopping: asyncio.Event,
    ) -> None:
        self._balancer, self._reader = balancer, reader
        self._interval, self._stopping = interval, stopping
        self._readers: dict[str, tuple[PartitionReader, asyncio.Task[bool]]] = {}

    async def run(self) -> None:
        """Returns when the host stops and every reader has ended; what was held is given back then."""
        try:
            while True:
                await self._look()
                await pause(self._interval if self._balancer.is_balanced else SOON, self._stopping)
        except Stopping:
            await self._end()
        finally:
            for _, task in self._readers.values():
                task.cancel()

    async def _look(self) -> None:
        try:
            await until_stopping(self._balancer.look(), self._stopping)
        except Stopping:
            raise
        except Exception as error:  # noqa: BLE001 - SDKs let their transports' errors through; none may end this
            log.warning("who reads which partition: %s: %s", type(error).__name__, error)
        held = {each.id: each for each in self._balancer.held}
        for name, (reader, task) in list(self._readers.items()):
            if task.done():
                del self._readers[name]
            elif name not in held:
                reader.leave()
        for name, partition in held.items():
            if name not in self._readers:
                self._start(partition)

    def _start(self, partition: Partition) -> None:
        reader = self._reader(partition)
        task = asyncio.create_task(reader.run())
        self._readers[partition.id] = (reader, task)

        def ended(done: asyncio.Task[bool]) -> None:
            log.info("no longer reading partition %s/%s", partition.hub, partition.id)
            if not done.cancelled() and done.exception() is None and done.result():
                self._balancer.lose(partition)

        task.add_done_callback(ended)
        log.info("reading partition %s/%s as %s", partition.hub, partition.id, partition.group)

    async def _end(self) -> None:
        for reader, _ in self._readers.values():
            reader.leave()
        await asyncio.gather(*(task for _, task in self._readers.values()), return_exceptions=True)
        try:
            await self._balancer.give_back()
        except Exception as error:  # noqa: BLE001 - as above
            log.warning("partitions are not given back: %s: %s", type(error).__name__, error)
