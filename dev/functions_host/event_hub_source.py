"""Partitions through the real Event Hubs SDK."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from azure.eventhub import EventData
from azure.eventhub.aio import EventHubConsumerClient

from dev.functions_host.events import Event, Partition
from dev.functions_host.settings import HubConnection

PREFETCH_BATCHES = 20
"""The SDK sleeps 50 ms after each `prefetch` events: credit for many batches keeps that pause rare."""
FIRST_POLL_AFTER = 3600.0
"""Seconds between the SDK's looks for partitions to claim. One reader per partition needs none after the first."""

type Handle = Callable[[Sequence[Event]], Awaitable[None]]
type Position = int | str | datetime
"""A sequence number (the next event is the first), "-1", "@latest" or a time."""


WAIT = 60.0
"""Seconds that the trigger waits for events at a time: no setting of host.json.

Azure/azure-sdk-for-net, EventHubOptions (MaximumWaitTime). Seen: a reader whose connection breaks without a word while
it waits notices when that wait is over, after 53 to 58 s; one that the hub detaches is back at once.
"""


class HubLost(Exception):
    """The hub cannot be reached, or broke off. `__cause__` says why."""


class PartitionStolen(Exception):
    """Another host reads the partition now."""


class _BrokenWithoutAWord(HubLost):
    """The connection ended, and no frame said so."""


class Hub(Protocol):
    """A hub in one consumer group, as its readers see it."""

    @property
    def name(self) -> str: ...

    @property
    def group(self) -> str: ...

    async def partitions(self) -> list[Partition]: ...

    async def last_sequence_number(self, partition: str) -> int: ...

    async def read(self, partition: str, position: Position, most: int, handle: Handle) -> None: ...


@dataclass(frozen=True)
class EventHub:
    """A hub through the SDK."""

    connection: HubConnection
    name: str
    group: str
    wait: float = WAIT
    """Seconds of one wait for events."""

    async def partitions(self) -> list[Partition]:
        """The hub's partitions.

        Raises:
            HubLost: it cannot be reached.

        """
        async with self._client() as client:
            try:
                ids = await client.get_partition_ids()
            except Exception as error:  # the SDK raises its own, asyncio's, ssl's and socket's errors here
                raise HubLost(str(error)) from error
            namespace = client._address.hostname  # noqa: SLF001 - from either kind of connection
            return [Partition(namespace, self.name, self.group, partition) for partition in ids]

    async def last_sequence_number(self, partition: str) -> int:
        """The newest event's sequence number; -1 where there never was one.

        Raises:
            HubLost: the hub cannot be reached.

        """
        async with self._client() as client:
            try:
                properties = await client.get_partition_properties(partition)
            except Exception as error:  # as above
                raise HubLost(str(error)) from error
            return int(properties["last_enqueued_sequence_number"])

    async def read(self, partition: str, position: Position, most: int, handle: Handle) -> None:
        """Hands batches of at most `most` events, in order, to `handle`, one at a time, until something breaks.

        It reads with owner level 0, as the real host's client does: whoever comes later with that takes the partition
        (Azure/azure-sdk-for-net, EventProcessor.CreateConsumer).

        Raises:
            HubLost: the hub broke off; told when the wait is over in which it did so without a word.
            PartitionStolen: another reader took the partition.
            Exception: whatever `handle` raised.

        """
        wait = _Wait(self.wait)
        try:
            await self._read(partition, position, most, handle, wait)
        except _BrokenWithoutAWord:
            await wait.until_over()
            raise

    async def _read(self, partition: str, position: Position, most: int, handle: Handle, wait: "_Wait") -> None:
        broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def on_batch(_: Any, batch: list[EventData]) -> None:
            try:
                with wait.interrupted():
                    await handle([_event(data) for data in batch])
            except Exception as error:  # noqa: BLE001 - handed to the caller, whose it is; the SDK would swallow it
                _break(broken, error)
                await asyncio.Event().wait()  # no further batch until the client is closed

        async def on_error(context: Any, error: Exception) -> None:  # the SDK awaits it
            lost = _lost(error, was_reading=context is not None)
            lost.__cause__ = error
            _break(broken, lost)

        async with self._client() as client:
            reading = asyncio.create_task(
                client.receive_batch(
                    on_batch,
                    on_error=on_error,
                    partition_id=partition,
                    starting_position=position,
                    owner_level=0,
                    max_batch_size=most,
                    prefetch=most * PREFETCH_BATCHES,
                )
            )
            reading.add_done_callback(lambda done: _break(broken, None if done.cancelled() else done.exception()))
            try:
                await broken
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)

    def _client(self) -> EventHubConsumerClient:
        # One try per call: the reader around this has its own backoff, and tells the log at once.
        options: dict[str, Any] = {"retry_total": 0, "load_balancing_interval": FIRST_POLL_AFTER}
        if self.connection.connection_string is not None:
            return EventHubConsumerClient.from_connection_string(
                self.connection.connection_string, self.group, eventhub_name=self.name, **options
            )
        from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415 - slow to import, and rare here

        assert self.connection.namespace is not None  # noqa: S101 - a connection is one or the other
        return EventHubConsumerClient(
            self.connection.namespace, self.name, self.group, DefaultAzureCredential(), **options
        )


class _Wait:
    """The wait for events that a reader is in, one after the other; None while it has some in hand."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._clock = asyncio.get_running_loop().time
        self._since: float | None = self._clock()

    @contextmanager
    def interrupted(self) -> Iterator[None]:
        self._since = None
        yield
        self._since = self._clock()

    async def until_over(self) -> None:
        if self._since is not None:
            await asyncio.sleep(self._seconds - (self._clock() - self._since) % self._seconds)


def _lost(error: Exception, *, was_reading: bool) -> Exception:
    condition = getattr(error, "error", None)
    if condition == "link:stolen":
        return PartitionStolen(str(error))
    if was_reading and condition == "socket-error":
        return _BrokenWithoutAWord(str(error))
    return HubLost(str(error))


def _break(broken: asyncio.Future[None], error: BaseException | None) -> None:
    if not broken.done():
        broken.set_exception(error or HubLost("the reader ended"))


def _event(data: EventData) -> Event:
    key: Any = data.partition_key
    return Event(
        body=_body(data),
        sequence_number=data.sequence_number or 0,
        offset=data.offset or "",
        enqueued=data.enqueued_time or datetime.now(UTC),
        partition_key=key.decode() if isinstance(key, bytes) else key,
        properties={_text(name): _text(value) for name, value in (data.properties or {}).items()},
    )


def _body(data: EventData) -> bytes:
    body = data.body
    if isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode()
    return b"".join(body)  # type: ignore[arg-type]  # data sections; the SDK types every AMQP body alike


def _text(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
