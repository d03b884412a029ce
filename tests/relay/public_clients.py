"""The WebSocket code of the public clients of Azure's serial console, by generation, written anew from what they do.

Source: Azure/azure-cli-extensions, src/serial-console/azext_serialconsole/custom.py; the version of the extension that
each stands for is named. They write the called address as Origin (their library does), show what comes, and type
nothing before the first message came.
"""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from tests.patience import PATIENCE


class PublicClient:
    """`shown` is what its user sees. Enter it to connect."""

    def __init__(self, address: str, token: str) -> None:
        self.address, self.token = address, token
        self.shown = b""
        self.socket: ClientConnection
        self._first = True
        self._news = asyncio.Event()

    def where(self) -> str:
        return self.address

    async def opened(self) -> None:
        """What it sends as the socket opens."""

    async def first_message(self, message: bytes) -> None:
        """What it does with what comes first."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        origin = Origin("http://" + self.address.split("/")[2])
        self.socket = await connect(self.where(), compression=None, proxy=None, origin=origin, open_timeout=PATIENCE)
        await self.opened()
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.socket.close()
        await self._reading

    async def _read(self) -> None:
        with suppress(ConnectionClosed):
            async for message in self.socket:
                data = message.encode() if isinstance(message, str) else message
                if self._first:
                    self._first = False
                    await self.first_message(data)
                else:
                    self.shown += data
                self._news.set()
        self._news.set()

    async def types(self, keys: str) -> None:
        """As text frames, which it does when something has come."""
        await self.until_first()
        await self.socket.send(keys)

    async def until_first(self) -> None:
        async with asyncio.timeout(PATIENCE):
            while self._first and not self._reading.done():
                self._news.clear()
                await self._news.wait()

    async def sees(self, data: bytes) -> None:
        async with asyncio.timeout(PATIENCE):
            while data not in self.shown:
                assert not self._reading.done(), self.socket.close_reason
                self._news.clear()
                await self._news.wait()

    async def closed(self) -> tuple[int | None, str | None]:
        async with asyncio.timeout(PATIENCE):
            await asyncio.shield(self._reading)
        return self.socket.close_code, self.socket.close_reason


class Client2021(PublicClient):
    """Up to 0.1.6: the token in the address, and every message is shown."""

    def where(self) -> str:
        return f"{self.address}?authorization={self.token}"

    async def first_message(self, message: bytes) -> None:
        self.shown += message


class Client2024(PublicClient):
    """0.1.7 and 0.1.8: in the address with new=1, as it opens, and for the first message, which is not shown."""

    def where(self) -> str:
        return f"{self.address}?authorization={self.token}&new=1"

    async def opened(self) -> None:
        await self.socket.send(self.token)

    async def first_message(self, message: bytes) -> None:  # noqa: ARG002 - whatever it is
        await self.socket.send(self.token)


class ClientToday(PublicClient):
    """Since 1.0.0b1: once, for the first message, which is not shown."""

    async def first_message(self, message: bytes) -> None:  # noqa: ARG002 - whatever it is
        await self.socket.send(self.token)
