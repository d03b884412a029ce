"""The stand-in as a child process, and the real SDK's clients for one of its partitions.

Opening and closing the SDK's clients takes most of these tests' time (it polls every 50 ms, and a consumer's keep-alive
sleeps a second): producers are shared, and consumers close in the background.
"""

import asyncio
import gc
import json
import signal
import subprocess
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from azure.eventhub import EventData
from azure.eventhub.aio import EventHubConsumerClient, EventHubProducerClient

from dev.event_hubs import command, connection_string
from tests.patience import PATIENCE
from tests.ports import reserve_port

HUB = "records"


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - another process's state has no event to wait for
            await asyncio.sleep(0.01)


class StandIn:
    def __init__(self, data: Path | None = None, extra: Sequence[str] = (), partitions: int = 2) -> None:
        self.port, self.admin_port = reserve_port(), reserve_port()
        self.data = data
        self.command = [*command(self.port, self.admin_port, data, (f"{HUB}:{partitions}",)), *extra]
        self.connection_string = connection_string(self.port)
        self.process: subprocess.Popen[str]

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout
        assert self.process.stdout.readline() == "ready\n"

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.process.communicate(timeout=PATIENCE)
        return self.process.returncode

    def restart(self, how: signal.Signals = signal.SIGTERM) -> None:
        self.stop(how)
        self.start()

    def admin(self, path: str = "/", body: object = None) -> Any:
        data = None if path == "/" else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.admin_port}{path}", data)
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:  # noqa: S310 - as above
            return json.load(response)

    def producer(self, **options: Any) -> EventHubProducerClient:
        options = {"eventhub_name": HUB, "retry_backoff_factor": 0.05, **options}
        return EventHubProducerClient.from_connection_string(self.connection_string, **options)

    def consumer(self, group: str) -> EventHubConsumerClient:
        return EventHubConsumerClient.from_connection_string(
            self.connection_string,
            consumer_group=group,
            eventhub_name=HUB,
            retry_backoff_factor=0.05,
            retry_backoff_max=0.2,
            load_balancing_interval=0.1,  # seconds; closing waits for its end
        )

    async def send(self, *bodies: str | bytes, partition: str = "0") -> None:
        async with self.producer() as producer:
            await producer.send_batch([EventData(body) for body in bodies], partition_id=partition)


class Lane:
    """One partition of a running stand-in, with a producer and as many readers as wanted."""

    def __init__(self, stand_in: StandIn, producer: EventHubProducerClient, partition: str = "0") -> None:
        self.stand_in = stand_in
        self.producer = producer
        self.partition = partition
        self._closing: list[asyncio.Task[None]] = []

    @property
    def state(self) -> Any:
        """What the admin port tells of this partition."""
        return self.stand_in.admin()["hubs"][HUB][int(self.partition)]

    @property
    def log_files(self) -> list[Path]:
        assert self.stand_in.data
        return sorted((self.stand_in.data / HUB / self.partition).iterdir())

    async def send(self, *bodies: str | bytes) -> None:
        await self.producer.send_batch([EventData(body) for body in bodies], partition_id=self.partition)

    @asynccontextmanager
    async def reading(self, group: str = "$Default", **options: Any) -> AsyncIterator["Reading"]:
        """Read in the background, from the partition's beginning unless told otherwise."""
        consumer = self.stand_in.consumer(group)
        reading = Reading()
        options = {"partition_id": self.partition, "starting_position": "-1", **options}
        task = asyncio.create_task(consumer.receive_batch(reading.take, on_error=reading.fail, **options))
        try:
            yield reading
        finally:
            self._closing.append(asyncio.create_task(_close(consumer, task)))

    async def read(self, count: int, **options: Any) -> list[EventData]:
        async with self.reading(**options) as reading:
            return await reading.wait_for(count)

    async def bodies(self, count: int, **options: Any) -> list[str]:
        return [event.body_as_str() for event in await self.read(count, **options)]

    async def until_read(self) -> None:
        """Wait until a reader is attached: what is sent from then on reaches "@latest"."""
        await until(lambda: self.state["readers"])

    async def close(self) -> None:
        await asyncio.gather(*self._closing)


async def _close(consumer: EventHubConsumerClient, receiving: asyncio.Task[None]) -> None:
    await consumer.close()
    await asyncio.wait_for(receiving, PATIENCE)


class Reading:
    """What one consumer got so far."""

    def __init__(self) -> None:
        self.events: list[EventData] = []
        self.errors: list[Exception] = []
        self.told: list[Any] = []

    async def take(self, context: Any, events: list[EventData]) -> None:
        self.events += events
        if events:
            self.told.append(context.last_enqueued_event_properties)

    async def fail(self, _context: Any, error: Exception) -> None:
        self.errors.append(error)

    async def wait_for(self, count: int) -> list[EventData]:
        await until(lambda: len(self.events) >= count)
        return self.events


@contextmanager
def running(stand_in: StandIn | None = None) -> Iterator[StandIn]:
    """Start it, in memory unless told otherwise, and stop it afterwards."""
    stand_in = stand_in or StandIn()
    stand_in.start()
    try:
        yield stand_in
    finally:
        stand_in.stop()


@asynccontextmanager
async def opened(stand_in: StandIn) -> AsyncIterator[Lane]:
    """Start it for one test."""
    try:
        with running(stand_in):
            async with stand_in.producer() as producer:
                lane = Lane(stand_in, producer)
                yield lane
                await lane.close()
    finally:
        gc.collect()  # what the SDK leaks of broken connections is this test's, not a later one's
