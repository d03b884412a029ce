"""Visitors that no client library would be: requests written byte by byte."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from shared.console.frames import PROTOCOL, TOKEN_PREFIX
from tests.relay.stage import PAGE, Stage


def untouched(stage: Stage) -> bool:
    """Nobody was attached, no VM was dialled, the function app was not asked."""
    return not (stage.control_plane.attached or stage.ports.dials or stage.relay.grants or stage.relay.viewers)


def upgrade(
    stage: Stage, *extra: str, token: str | None = None, protocols: str | None = None, target: str = "/v1/console",
    changes: dict[str, str | None] | None = None,
) -> bytes:  # fmt: skip
    """A good request for an upgrade; `extra` lines are appended, `changes` replace a header or (None) drop it."""
    offered = protocols or f"{PROTOCOL}, {TOKEN_PREFIX}{token or stage.token()}"
    headers: dict[str, str | None] = {
        "Host": "relay", "Origin": PAGE, "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Protocol": offered,
        **(changes or {}),
    }  # fmt: skip
    lines = [f"GET {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items() if value is not None)]
    return ("\r\n".join([*lines, *extra]) + "\r\n\r\n").encode("latin-1")


@asynccontextmanager
async def opened(stage: Stage, request: bytes) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
    writer.write(request)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError):  # it was cut by the relay
            await writer.wait_closed()


async def sends(stage: Stage, request: bytes) -> bytes:
    """All that comes back until the relay closes."""
    async with opened(stage, request) as (reader, _):
        return await reader.read()


def status(answer: bytes) -> tuple[int, str]:
    """Of the one and only answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.count(b"HTTP/1.1 ") == 1
    assert f"Content-Length: {len(body)}\r\n".encode() in head
    return int(head.split(b" ")[1]), json.loads(body)["error"]["code"]
