"""HTTP/1.1 as Kestrel speaks it: one request after the other on a connection, each with its whole body, or none.

Not shown: HTTP/2, TLS, the time limits of slow clients.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from dev.functions_host.http_answer import Answer, encoded
from dev.functions_host.http_head import HEADERS_LIMIT, Head, Refused, read_head

DRAIN = 5.0
"""Seconds in which a client may still send a body that nobody read (Kestrel's Http1MessageBody)."""
BODY_LIMIT = 100 * 1024 * 1024
"""Bytes of a request's body (Azure/azure-functions-host, FUNCTIONS_REQUEST_BODY_SIZE_LIMIT)."""
log = logging.getLogger("host.http")


@dataclass(frozen=True)
class Request:
    """A request that was read. `body` None: there is none, or it came in chunks, which no function is told."""

    head: Head
    body: bytes | None
    is_too_large: bool
    """A body above BODY_LIMIT was announced, and not read."""
    peer: tuple[str, int]
    """Address and port at the other end."""


type Answering = Callable[[Request], Awaitable[Answer]]


class HttpServer:
    """Serves one listening socket."""

    def __init__(self, answer: Answering) -> None:
        self._answer = answer
        self._waiting: set[asyncio.Task[None]] = set()
        """Connections without a request."""
        self._busy: set[asyncio.Task[None]] = set()
        self._is_closing = False

    async def start(self, listening: socket.socket) -> None:
        """Begins to take connections."""
        self._server = await asyncio.start_server(self._connected, sock=listening, limit=HEADERS_LIMIT)

    async def stop(self, grace: float) -> None:
        """Closes the door, ends idle connections, and gives the others `grace` seconds to get their answer."""
        self._is_closing = True
        self._server.close()
        for idle in self._waiting:
            idle.cancel()
        if self._busy:
            _, late = await asyncio.wait(self._busy, timeout=grace)
            for task in late:
                task.cancel()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(reader, writer)
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a callback of the stream's runs as a task
        self._waiting.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while (head := await connection.head()) is not None:
                    self._waiting.discard(task)
                    self._busy.add(task)
                    if not await self._serve(connection, head):
                        break
                    self._busy.discard(task)
                    self._waiting.add(task)
        finally:
            self._waiting.discard(task)
            self._busy.discard(task)
            writer.close()

    async def _serve(self, connection: "_Connection", head: Head) -> bool:
        """Answers one request; whether the connection goes on."""
        request = await connection.request(head)
        answer = await self._answered(request)
        if request.is_too_large or self._is_closing:
            answer.add_missing({"Connection": "close"})
        await connection.send(encoded(answer, head))
        return not answer.ends(head) and await connection.drained(head)

    async def _answered(self, request: Request) -> Answer:
        try:
            return await self._answer(request)
        except Exception:
            log.exception("the host could not answer %s", request.head.method)
            return Answer(500)


class _Connection:
    """A connection of HTTP/1.1."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def head(self) -> Head | None:
        """The next head; what is none is answered here, and ends the connection."""
        try:
            return await read_head(self._reader)
        except Refused as refused:
            await self.send(encoded(Answer(refused.status), None))
            return None

    async def request(self, head: Head) -> Request:
        """The request with its body, if it has a length above 0."""
        peer = self._writer.get_extra_info("peername")[:2]
        if head.length > BODY_LIMIT:
            return Request(head, None, is_too_large=True, peer=peer)
        if not head.length:
            return Request(head, None, is_too_large=False, peer=peer)
        if head.headers.get("expect", "").lower() == "100-continue":
            await self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        return Request(head, await self._reader.readexactly(head.length), is_too_large=False, peer=peer)

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def drained(self, head: Head) -> bool:
        """Reads over chunks that nobody wanted; whether they ended in time and in order."""
        if not head.is_chunked:
            return True
        try:
            async with asyncio.timeout(DRAIN):
                return await self._skip_chunks()
        except TimeoutError:
            return False

    async def _skip_chunks(self) -> bool:
        try:
            while size := int((await self._reader.readuntil(b"\r\n")).partition(b";")[0], 16):
                await self._skip(size)
                await self._reader.readexactly(2)
            while await self._reader.readuntil(b"\r\n") != b"\r\n":
                pass
        except (ValueError, asyncio.LimitOverrunError):
            return False
        return True

    async def _skip(self, size: int) -> None:
        while size:
            read = await self._reader.read(min(size, HEADERS_LIMIT))
            if not read:
                raise asyncio.IncompleteReadError(b"", size)
            size -= len(read)
