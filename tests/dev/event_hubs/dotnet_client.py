"""The .NET client that the real host's Event Hubs trigger is built on, as a process that speaks JSON lines.

`host-parts events`: its processor listens to every partition, its producer sends.
"""

import asyncio
import base64
import json
from asyncio.subprocess import PIPE, Process
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from tests.dev.event_hubs.stand_in import HUB
from tests.host_parts import PROGRAM
from tests.patience import PATIENCE

TRY_SECONDS = 5
"""What one attempt of the client may take; the trigger's own is 60."""


@dataclass(frozen=True)
class Event:
    partition: str
    body: bytes
    sequence: int
    offset: str
    key: str | None
    properties: dict[str, str]

    @classmethod
    def of(cls, partition: str, line: dict[str, Any]) -> Self:
        body = base64.b64decode(line["body"])
        return cls(
            partition, body, line["sequenceNumber"], line["offset"], line["partitionKey"], line["properties"] or {}
        )


type Take = Callable[[Sequence[Event]], Awaitable[bool]]
"""Does a batch's work; False lets it come again."""


async def take_all(_: Sequence[Event]) -> bool:
    return True


@dataclass
class DotnetClient:
    """Takes every batch that it is handed, but for those that `takes` refuses: they come again."""

    process: Process
    takes: Take = take_all
    events: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))
    """What was taken, by partition."""
    refused: list[tuple[int, Sequence[Event]]] = field(default_factory=list)
    """Batches that were not taken, each with how often it had been tried before."""
    ready: bool = False
    _sends: dict[int, asyncio.Future[str | None]] = field(default_factory=dict)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def send(self, *bodies: bytes, **where: Any) -> str | None:
        """Sends one batch, to a `partition` or by a `partitionKey`; answers the client's error."""
        number = len(self._sends)
        self._sends[number] = asyncio.get_running_loop().create_future()
        properties = where.pop("properties", {})
        events = [{"body": base64.b64encode(body).decode(), "properties": properties} for body in bodies]
        await self._say({"id": number, "send": events, **where})
        return await self._sends[number]

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE), self._changed:
            await self._changed.wait_for(holds)

    async def until_taken(self, count: int) -> None:
        await self.until(lambda: sum(map(len, self.events.values())) >= count)

    async def hear(self) -> None:
        assert self.process.stdout
        async for line in self.process.stdout:
            heard = json.loads(line)
            if "ready" in heard:
                self.ready = True  # a first batch may come before
            elif "sent" in heard:
                self._sends[heard["sent"]].set_result(heard.get("error"))
            else:
                await self._say({"id": heard["id"], **await self._answer(heard)})
            await self._tell()
        await self._tell()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _answer(self, heard: dict[str, Any]) -> dict[str, str]:
        batch = [Event.of(heard["partition"], event) for event in heard["events"]]
        if not await self.takes(batch):
            self.refused.append((heard["tries"], batch))
            return {"error": "RuntimeError: not taken"}
        self.events[heard["partition"]] += batch
        return {"result": ""}

    async def _say(self, line: dict[str, Any]) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(line).encode() + b"\n")
        await self.process.stdin.drain()


@asynccontextmanager
async def dotnet_client(
    connection: str, folder: Path, takes: Take = take_all, **settings: Any
) -> AsyncIterator[DotnetClient]:
    """Listens and sends until the block ends. `settings` are of its configuration."""
    conf = folder / "events.json"
    conf.write_text(
        json.dumps(
            {"connection": connection, "eventHub": HUB, "maxEventBatchSize": 64, "from": "earliest"}
            | {"tryTimeout": TRY_SECONDS, "wait": TRY_SECONDS}
            | settings
        )
    )
    log = folder / "events.log"
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            PROGRAM, "events", str(conf), stdin=PIPE, stdout=PIPE, stderr=errors, limit=1 << 24
        )
    try:
        client = DotnetClient(process, takes)
        hearing = asyncio.create_task(client.hear())
        await client.until(lambda: client.ready or process.returncode is not None)
        assert client.ready, f"the .NET client did not get through: {log.read_text()}"
        yield client
        hearing.cancel()
    finally:
        process.kill()
        await process.wait()
        process._transport.close()  # type: ignore[attr-defined]  # else its pipes are closed when the loop is gone
