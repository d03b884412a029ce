"""Accepts connections of browsers. A WebSocket is accepted after every check passed and the VM's port is open.

picows decides about an upgrade synchronously; these checks ask the function app and dial a VM. So a connection
begins with a protocol of ours that reads the HTTP head and waits. Only an admitted client goes on: the transport
changes its protocol to picows' own, which is fed the head that was read.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Protocol

import aiofastnet
from picows import WSAutoPingStrategy, WSUpgradeRequest, WSUpgradeResponse, WSUpgradeResponseWithListener
from picows.picows import WSProtocol  # type: ignore[attr-defined]  # compiled; picows.api builds servers from it

from relay.console.viewer import WebSocketViewer
from relay.handshake.control_proxy import PREFIX, ControlProxy
from relay.handshake.http_head import END, MAX_HEAD, Head, InvalidHead, read_head, refusal_answer, upgrade_head
from shared.base import correlation
from shared.base.refusals import Code, Refusal, refuse
from shared.console.frames import MAX_TYPED_FRAME

HANDSHAKE_SECONDS = 30.0
MAX_PENDING = 1000
"""Handshakes at a time. Further ones get TOO_MANY_REQUESTS."""
READ_BUFFER = 2048
"""Bytes, per socket; it grows for larger frames."""
_LOGGER = logging.getLogger("picows.server")


class AdmittedViewer(Protocol):
    """A client that passed every check."""

    @property
    def viewer(self) -> WebSocketViewer:
        """The viewer that speaks the client's protocol."""
        ...

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol that the answer to the upgrade names."""
        ...

    def accepted(self) -> None:
        """The socket is accepted."""
        ...


type Receive = Callable[[Head], Awaitable[AdmittedViewer | Refusal]]
"""Accepts or refuses a request by its head. shared.base.correlation holds the request's id."""


class Listener:
    """The public server. It calls `receive` for every well-formed request."""

    def __init__(self, receive: Receive, new_request: Callable[[], str]) -> None:
        """`new_request` makes the correlation id of a request that brings none."""
        self.receive = receive
        self.new_request = new_request
        self.control_proxy: ControlProxy | None = None
        """Takes commands of the function app. While it is None they are refused like any other path."""
        self.pending: set[Connection] = set()
        self._server: Any = None

    async def open(self, host: str, port: int) -> int:
        """Starts to listen and returns the port. Raises OSError."""
        loop = asyncio.get_running_loop()
        self._server = await aiofastnet.create_server(loop, lambda: Connection(self), host, port, backlog=4096)
        return int(self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Accepts no more connections, and refuses the pending ones with RELAY_DRAINING."""
        if self._server is not None:
            self._server.close()
        for arrival in tuple(self.pending):
            arrival.refuse(refuse(Code.RELAY_DRAINING))


class Connection(asyncio.Protocol):
    """One connection, until it is a WebSocket."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._data = bytearray()
        self._decision: asyncio.Task[None] | None = None
        self._method = "GET"
        self._request = listener.new_request()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        loop = asyncio.get_running_loop()
        self._timeout = loop.call_later(HANDSHAKE_SECONDS, self._too_late)
        if len(self._listener.pending) >= MAX_PENDING:
            self.refuse(refuse(Code.TOO_MANY_REQUESTS))
        else:
            self._listener.pending.add(self)

    def data_received(self, data: bytes) -> None:
        self._data += data
        end = self._data.find(END)
        if (end if end >= 0 else len(self._data)) > MAX_HEAD:
            self.refuse(refuse(Code.INVALID_REQUEST, because="The request's head is larger than 16 KiB."))
        elif end >= 0 and self._decision is None:
            self._transport.pause_reading()
            try:
                head = replace(read_head(bytes(self._data[:end])), connection=self._peer())
            except InvalidHead as error:
                self.refuse(refuse(Code.INVALID_REQUEST, because=str(error)))
                return
            if self._listener.control_proxy is not None and head.path.startswith(PREFIX):
                self._done()
                self._decision = asyncio.get_running_loop().create_task(
                    self._listener.control_proxy.take(self._transport, bytes(self._data))
                )
                return
            self._method = head.method
            self._request = correlation.given(head.headers.get(correlation.HEADER)) or self._request
            rest = bytes(self._data[end + len(END) :])
            self._decision = asyncio.get_running_loop().create_task(self._decide(head, rest))

    async def _decide(self, head: Head, rest: bytes) -> None:
        correlation.current.set(self._request)
        admitted = await self._listener.receive(head)
        if isinstance(admitted, Refusal):
            self.refuse(admitted)
        else:
            self._upgrade(head, rest, admitted)

    def _upgrade(self, head: Head, rest: bytes, admitted: AdmittedViewer) -> None:
        self._done()
        protocol = _picows(admitted.viewer, admitted.subprotocol)
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        _feed(protocol, upgrade_head(head))
        admitted.accepted()
        _feed(protocol, rest)
        self._transport.resume_reading()

    def refuse(self, refusal: Refusal) -> None:
        self._done()
        if self._decision is not None and self._decision is not asyncio.current_task():
            self._decision.cancel()
        if not self._transport.is_closing():
            self._transport.write(refusal_answer(refusal, self._request, body=self._method != "HEAD"))
            self._transport.close()

    def _too_late(self) -> None:
        if self._decision is None:
            self._done()
            self._transport.abort()
        else:
            self.refuse(refuse(Code.GATEWAY_TIMEOUT))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._done()
        if self._decision is not None:
            self._decision.cancel()

    def _peer(self) -> str:
        name = self._transport.get_extra_info("peername")
        return str(name[0]) if name else ""

    def _done(self) -> None:
        self._timeout.cancel()
        self._listener.pending.discard(self)


def _picows(viewer: WebSocketViewer, subprotocol: str | None) -> Any:
    """Makes the picows protocol for an admitted client. Pings are ours: its own cost every session a task."""

    def accept(_request: WSUpgradeRequest) -> WSUpgradeResponseWithListener:
        chosen = {"Sec-WebSocket-Protocol": subprotocol} if subprotocol else None
        return WSUpgradeResponseWithListener(WSUpgradeResponse.create_101_response(chosen), viewer)

    return WSProtocol(
        None, None, False, accept, _LOGGER, True, None, False, 0, 0,  # noqa: FBT003 - picows' own order: server,
        WSAutoPingStrategy.PING_WHEN_IDLE, True, MAX_TYPED_FRAME, None, READ_BUFFER,  # noqa: FBT003 - no pings, pongs
    )  # fmt: skip


def _feed(protocol: Any, data: bytes) -> None:
    """Gives a buffered protocol bytes as a transport would."""
    view = memoryview(data)
    while view:
        buffer = protocol.get_buffer(len(view))
        count = min(len(buffer), len(view))
        buffer[:count] = view[:count]
        protocol.buffer_updated(count)
        view = view[count:]
