"""Records to the Event Hub. One console's events always go to one partition, one send at a time in each; partitions
know nothing of each other.

The partition is chosen here: the SDK's own choice for a key differs between its languages. The SDK retries some
faults and not others (server-busy); whoever sends again after Unavailable covers them all.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Sequence
from hashlib import blake2b
from typing import Any

from azure.eventhub import EventData
from azure.eventhub.aio import EventHubProducerClient

from shared.base.ports import Dependency, Unavailable
from shared.base.record import Source, encode_batch

log = logging.getLogger(__name__)

_WHAT = Dependency.EVENT_HUB
_SEND_SECONDS = 30.0
_CLOSE_SECONDS = 5.0
_OPTIONS: dict[str, Any] = {"retry_total": 1, "retry_backoff_factor": 0.2, "auth_timeout": 15}


def partition_of(console: str, partitions: Sequence[str]) -> str:
    """The same for every process as long as the hub has these partitions."""
    ordered = sorted(partitions)
    return ordered[int.from_bytes(blake2b(console.encode(), digest_size=8).digest()) % len(ordered)]


class EventHubRecords:
    """A RecordSink. `records` is a connection string, or a namespace that `credential` opens."""

    def __init__(self, records: str, hub: str, credential: Any = None) -> None:
        self._records = records
        self._hub = hub
        self._credential = credential
        self._partitions: list[str] = []
        """As long as this process lives: whoever gets another partition may overtake itself."""
        self._asking = asyncio.Lock()
        self._ways: dict[str, _Way] = {}

    async def send(self, source: Source, records: Sequence[bytes]) -> None:
        """Returns when the hub has stored this run as one event. Raises Unavailable."""
        event = EventData(encode_batch(source, records))
        partition = partition_of(source.console, await self._ask_partitions())
        await self._ways.setdefault(partition, _Way(partition, self._build)).send(event)

    async def close(self) -> None:
        for way in self._ways.values():
            await way.close()

    async def _ask_partitions(self) -> list[str]:
        """Raises Unavailable."""
        async with self._asking:
            if not self._partitions:
                way = _Way("", self._build)
                try:
                    self._partitions = await way.partitions()
                finally:
                    await way.close()
        return self._partitions

    def _build(self) -> EventHubProducerClient:
        if "Endpoint=" in self._records:
            return EventHubProducerClient.from_connection_string(self._records, eventhub_name=self._hub, **_OPTIONS)
        return EventHubProducerClient(self._records, self._hub, self._credential, **_OPTIONS)


class _Way:
    """To one partition, by a client of its own: when it breaks, or gets no answer, no other partition notices."""

    def __init__(self, partition: str, build: Callable[[], EventHubProducerClient]) -> None:
        self._partition = partition
        self._build = build
        self._client: EventHubProducerClient | None = None
        self._turn = asyncio.Lock()

    async def send(self, event: EventData) -> None:
        """One at a time. Raises Unavailable."""
        async with self._turn:
            await self._ask(lambda client: client.send_batch([event], partition_id=self._partition))

    async def partitions(self) -> list[str]:
        """Of the hub. Raises Unavailable."""
        return list(await self._ask(lambda client: client.get_partition_ids()))

    async def close(self) -> None:
        client, self._client = self._client, None
        if client:
            with contextlib.suppress(Exception):  # it is broken, and nothing is lost by leaving it
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await client.close()

    async def _ask(self, question: Callable[[EventHubProducerClient], Coroutine[Any, Any, Any]]) -> Any:
        """After a fault the next question builds a new client: the SDK's own recovery does not know every fault."""
        try:
            self._client = self._client or self._build()
            async with asyncio.timeout(_SEND_SECONDS):
                return await question(self._client)
        except Exception as error:
            await self.close()
            raise _unavailable(error) from error


def _unavailable(error: Exception) -> Unavailable:
    """The SDK's texts may hold a connection string: only the kind of fault is told."""
    condition = getattr(error, "error", None) or getattr(error, "condition", None)
    condition_words = f" ({condition})" if isinstance(condition, str) else ""
    return Unavailable(_WHAT, type(error).__name__ + condition_words)
