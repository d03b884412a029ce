"""Records to the Event Hub. One console's events always go to one partition, one send at a time in each.

The partition is chosen here: the SDK's own choice for a key differs between its languages. The SDK retries some
faults and not others (server-busy); whoever sends again after Unavailable covers them all.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from azure.eventhub import EventData
from azure.eventhub.aio import EventHubProducerClient

from shared.domain.record import Source, encode_batch
from shared.ports import Unavailable

log = logging.getLogger(__name__)

_WHAT = "event hub"
_SEND_SECONDS = 30.0
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
        self._client: EventHubProducerClient | None = None
        self._partitions: list[str] = []
        self._opening = asyncio.Lock()
        self._sending: dict[str, asyncio.Lock] = {}

    async def send(self, source: Source, records: Sequence[bytes]) -> None:
        """Returns when the hub has stored this run as one event. Raises Unavailable."""
        client, partition = await self._open(source.console)
        event = EventData(encode_batch(source, records))
        async with self._sending.setdefault(partition, asyncio.Lock()):
            try:
                async with asyncio.timeout(_SEND_SECONDS):
                    await client.send_batch([event], partition_id=partition)
            except Exception as error:
                await self._discard(client)
                raise _unavailable(error) from error

    async def close(self) -> None:
        if self._client:
            await self._discard(self._client)

    async def _open(self, console: str) -> tuple[EventHubProducerClient, str]:
        async with self._opening:
            if self._client is None:
                self._client = await self._connect()
        return self._client, partition_of(console, self._partitions)

    async def _connect(self) -> EventHubProducerClient:
        """A client that knows the hub's partitions. Raises Unavailable."""
        client: EventHubProducerClient | None = None
        try:
            client = self._build()
            async with asyncio.timeout(_SEND_SECONDS):
                self._partitions = list(await client.get_partition_ids())
        except Exception as error:
            if client:
                await _close(client)
            raise _unavailable(error) from error
        return client

    def _build(self) -> EventHubProducerClient:
        if "Endpoint=" in self._records:
            return EventHubProducerClient.from_connection_string(self._records, eventhub_name=self._hub, **_OPTIONS)
        return EventHubProducerClient(self._records, self._hub, self._credential, **_OPTIONS)

    async def _discard(self, client: EventHubProducerClient) -> None:
        """The next send builds a new client; the senders that still use this one fail and come again."""
        if self._client is client:
            self._client = None
            await _close(client)


async def _close(client: EventHubProducerClient) -> None:
    with contextlib.suppress(Exception):  # it is broken, and nothing is lost by leaving it
        async with asyncio.timeout(_SEND_SECONDS):
            await client.close()


def _unavailable(error: Exception) -> Unavailable:
    """The SDK's texts may hold a connection string: only the kind of fault is told."""
    condition = getattr(error, "error", None) or getattr(error, "condition", None)
    told = f" ({condition})" if isinstance(condition, str) else ""
    return Unavailable(_WHAT, type(error).__name__ + told)
