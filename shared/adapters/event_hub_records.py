"""Records into an Event Hub: one batch is one event, a console always goes to the same partition.

The partition is ours to choose: the SDKs' own hashing of keys differs between languages, and order holds only inside
a partition. The SDK does not retry a busy server, and a lost acknowledgement stores an event twice; whoever calls
sends again after Unavailable, and the archive drops repeats.
"""

import asyncio
from collections.abc import Sequence
from hashlib import blake2b

from azure.core.credentials_async import AsyncTokenCredential
from azure.eventhub import EventData, TransportType
from azure.eventhub.aio import EventHubProducerClient
from azure.eventhub.exceptions import EventHubError

from shared.domain.record import Source, encode_batch
from shared.ports import Unavailable

SEND_SECONDS = 15.0
_WHAT = "event hub"


class EventHubRecords:
    """RecordSink. `records` is a connection string, or a namespace that the credential opens."""

    def __init__(self, records: str, hub: str, credential: AsyncTokenCredential | None = None) -> None:
        self._records, self._hub, self._credential = records, hub, credential
        self._client: EventHubProducerClient | None = None
        self._partitions: tuple[str, ...] = ()
        self._opening = asyncio.Lock()

    async def send(self, source: Source, records: Sequence[bytes]) -> None:
        client: EventHubProducerClient | None = None
        try:
            async with asyncio.timeout(SEND_SECONDS):
                client = await self._open()
                partition = self._partition(source.console)
                await client.send_event(EventData(encode_batch(source, records)), partition_id=partition)
        except (EventHubError, OSError, TimeoutError, ValueError, AttributeError) as error:
            # AttributeError: the SDK trips over its own half-closed links when the service goes away.
            await self._drop(client)
            raise Unavailable(_WHAT, type(error).__name__) from None

    async def close(self) -> None:
        await self._drop(self._client)

    def _partition(self, console: str) -> str:
        """Stable over relays and restarts, as long as the hub keeps its number of partitions."""
        digest = blake2b(console.encode(), digest_size=8).digest()
        return self._partitions[int.from_bytes(digest) % len(self._partitions)]

    async def _open(self) -> EventHubProducerClient:
        async with self._opening:
            if self._client is None:
                client = self._connect()
                try:
                    self._partitions = tuple(sorted(await client.get_partition_ids()))
                except BaseException:
                    await client.close()
                    raise
                self._client = client
            return self._client

    def _connect(self) -> EventHubProducerClient:
        if "=" in self._records:
            return EventHubProducerClient.from_connection_string(
                self._records, eventhub_name=self._hub, retry_total=1, retry_backoff_factor=0.2
            )
        if self._credential is None:
            raise Unavailable(_WHAT, "RECORDS names a namespace, and there is no identity to open it")
        return EventHubProducerClient(
            self._records, self._hub, self._credential, transport_type=TransportType.Amqp, retry_total=1
        )

    async def _drop(self, client: EventHubProducerClient | None) -> None:
        """A client that failed is not used again; another sender may have replaced it already."""
        if client is None or client is not self._client:
            return
        self._client = None
        try:
            async with asyncio.timeout(2):
                await client.close()
        except (EventHubError, OSError, TimeoutError, AttributeError):
            return  # it was broken: that is why it goes
