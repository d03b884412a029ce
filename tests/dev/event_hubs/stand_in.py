"""The stand-in as a child process, and the real SDK's clients for it."""

import asyncio
import json
import signal
import socket
import subprocess
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from azure.eventhub import EventData
from azure.eventhub.aio import EventHubConsumerClient, EventHubProducerClient

from dev.event_hubs import command, connection_string

HUB = "records"
PATIENCE = 20
"""Seconds until a condition that should have come is a failure."""


def free_ports(count: int) -> list[int]:
    """Held together while picked, so that they differ."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


class StandIn:
    def __init__(self, data: Path | None = None, extra: tuple[str, ...] = ()) -> None:
        self.port, self.admin_port = free_ports(2)
        self.data = data
        self.command = [*command(self.port, self.admin_port, data, ("records:2",)), *extra]
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

    def log_files(self, partition: str = "0") -> list[Path]:
        assert self.data
        return sorted((self.data / HUB / partition).iterdir())

    def admin(self, path: str = "/", body: object = None) -> Any:
        data = None if path == "/" else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.admin_port}{path}", data)  # noqa: S310 - http, ours
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:  # noqa: S310 - as above
            return json.load(response)

    def partition(self, partition: str = "0") -> Any:
        return self.admin()["hubs"][HUB][int(partition)]

    def producer(self, **options: Any) -> EventHubProducerClient:
        return EventHubProducerClient.from_connection_string(
            self.connection_string, eventhub_name=HUB, retry_backoff_factor=0.05, **options
        )

    def consumer(self, group: str = "$Default", **options: Any) -> EventHubConsumerClient:
        return EventHubConsumerClient.from_connection_string(
            self.connection_string,
            consumer_group=group,
            eventhub_name=HUB,
            retry_backoff_factor=0.05,
            retry_backoff_max=0.2,
            load_balancing_interval=0.1,  # seconds; closing waits for its end
            **options,
        )

    async def send(self, *bodies: str | bytes, partition: str = "0") -> None:
        async with self.producer() as producer:
            await producer.send_batch([EventData(body) for body in bodies], partition_id=partition)

    @asynccontextmanager
    async def reading(self, group: str = "$Default", **options: Any) -> AsyncIterator["Reading"]:
        """Read one partition, in the background, from its beginning unless told otherwise."""
        consumer = self.consumer(group)
        reading = Reading()
        options = {"partition_id": "0", "starting_position": "-1", **options}
        task = asyncio.create_task(consumer.receive_batch(reading.take, on_error=reading.fail, **options))
        try:
            yield reading
        finally:
            await consumer.close()
            await asyncio.wait_for(task, PATIENCE)

    async def read(self, count: int, **options: Any) -> list[EventData]:
        async with self.reading(**options) as reading:
            return await reading.wait_for(count)

    async def bodies(self, count: int, **options: Any) -> list[str]:
        return [event.body_as_str() for event in await self.read(count, **options)]

    async def until_read(self, readers: int = 1, partition: str = "0") -> None:
        """Wait until that many readers are attached: what is sent from then on reaches "@latest"."""
        await until(lambda: len(self.partition(partition)["readers"]) == readers)


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


async def until(condition: Any) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.01)


@contextmanager
def running(data: Path | None = None, extra: tuple[str, ...] = ()) -> Iterator[StandIn]:
    stand_in = StandIn(data, extra)
    stand_in.start()
    try:
        yield stand_in
    finally:
        stand_in.stop()
