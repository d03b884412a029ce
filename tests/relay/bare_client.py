"""A socket that carries bare bytes, as Azure's own clients have it, and what can be asked of it."""

import asyncio
import json
from collections.abc import Awaitable
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from tests.patience import PATIENCE
from tests.relay.stage import Stage


def client_path(session: str = "ada", relay: str = "r0") -> str:
    return f"/n/connector/{relay}/sessions/{session}/client"


async def dial_path(
    stage: Stage, path: str, *, origin: str | None = None, seen_as: str | None = None
) -> ClientConnection:
    """`seen_as`: what a proxy before the relay says of where the client comes from."""
    return await connect(
        f"ws://127.0.0.1:{stage.port}{path}",
        compression=None,
        proxy=None,
        open_timeout=PATIENCE,
        origin=None if origin is None else Origin(origin),
        additional_headers={} if seen_as is None else {"X-Forwarded-For": seen_as},
    )


def runner(stage: Stage) -> Any:
    return next(iter(stage.relay.runners.values()))


async def sees(client: ClientConnection, data: bytes) -> None:
    """Exactly these bytes come next, in binary frames."""
    seen = b""
    async with asyncio.timeout(PATIENCE):
        while len(seen) < len(data):
            frame = await client.recv()
            assert isinstance(frame, bytes)
            seen += frame
    assert seen == data


async def closed(client: ClientConnection) -> tuple[int | None, str | None, list[Any]]:
    """Close code, reason, and what came before it."""
    frames = []
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                frames.append(await client.recv())
    except ConnectionClosed:
        return client.close_code, client.close_reason, frames


async def refused(dialling: Awaitable[ClientConnection]) -> tuple[int, str]:
    """Status and code of a handshake that is answered no."""
    with pytest.raises(InvalidStatus) as caught:
        await dialling
    return caught.value.response.status_code, json.loads(caught.value.response.body)["error"]["code"]
