"""A client that is connected to a console's port."""

import asyncio
from contextlib import suppress

import aiohttp
from aiohttp import WSMsgType, web

from dev.gateway.console import Console

CHUNK = 65536
"""Bytes in one frame at most: what has gathered goes in one."""
_ENDS = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR)
GOODBYE_LIMIT = 1.0
"""Seconds that a client has to answer our close."""


class Client:
    """Moves bytes between one WebSocket and one console until either goes, or somebody else connects."""

    def __init__(self, console: Console, socket: web.WebSocketResponse, transport: asyncio.Transport) -> None:
        self._console, self._socket, self._transport = console, socket, transport
        self._news = asyncio.Event()
        self._ends = False
        """Once everything waiting has been sent."""
        self._closing: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        """Returns when the client is gone."""
        self._console.attach(self)
        deliver = asyncio.create_task(self._deliver())
        try:
            await self._receive()
        finally:
            self._console.detach(self)
            deliver.cancel()
            await asyncio.gather(deliver, return_exceptions=True)
            if self._closing is not None:
                await self._closing

    def wake(self) -> None:
        self._news.set()

    def displace(self) -> None:
        """Without a word: the portal says of any close that an error or another user may be the cause, so it is not
        told which (microsoft/azserialconsole issue 46).
        """
        self._leave(aiohttp.WSCloseCode.OK)

    def maintain(self) -> None:
        self._leave(aiohttp.WSCloseCode.GOING_AWAY)

    def finish(self) -> None:
        self._ends = True
        self._news.set()

    def abort(self) -> None:
        self._console.detach(self)
        self._transport.abort()

    async def close(self, why: str) -> None:
        """Says goodbye for the gateway itself."""
        self._leave(aiohttp.WSCloseCode.GOING_AWAY, why)
        if self._closing is not None:
            await self._closing

    async def _deliver(self) -> None:
        with suppress(aiohttp.ClientConnectionResetError):
            while True:
                await self._news.wait()
                self._news.clear()
                await self._send_all()
                if self._ends:
                    self._leave(aiohttp.WSCloseCode.GOING_AWAY)

    async def _send_all(self) -> None:
        """Nothing may wait between the check, `take` and the write inside send_bytes: a taken byte is a handed byte.

        send_bytes writes at once and then waits while the socket's buffer is full.
        """
        while not (self._socket.closed or self._transport.is_closing()):
            data = self._console.take(self, CHUNK)
            if not data:
                return
            await self._socket.send_bytes(data)

    async def _receive(self) -> None:
        while (message := await self._next()).type not in _ENDS:
            await self._console.flowing.wait()
            if self._console.client is not self:
                continue  # displaced: only its close is still awaited
            if message.type is WSMsgType.TEXT:
                await self._console.machine.type(message.data.encode())
            elif message.type is WSMsgType.BINARY:
                await self._console.machine.type(message.data)

    async def _next(self) -> aiohttp.WSMessage:
        """The client's next frame; who is silent for too long is let go, and only its close is awaited then."""
        try:
            return await self._socket.receive(self._console.behaviour.idle_seconds or None)
        except TimeoutError:
            self._leave(aiohttp.WSCloseCode.OK)
            return await self._socket.receive()

    def _leave(self, code: int, why: str = "") -> None:
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(code, why))

    async def _close(self, code: int, why: str) -> None:
        try:
            async with asyncio.timeout(GOODBYE_LIMIT):
                await self._socket.close(code=code, message=why.encode())
        except TimeoutError:
            self._transport.abort()
