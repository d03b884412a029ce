"""An open COM1 at a serial gateway: one WebSocket, from the first word to the last.

After the exchange (shared/console/gateway_exchange.py) frames are raw bytes both ways: text or binary from the gateway,
text from here.
"""

import asyncio
import socket
from collections.abc import Callable
from enum import Enum, auto
from http import HTTPStatus
from typing import Any

from picows import WSError, WSFrame, WSInvalidStatusError, WSListener, WSMsgType, WSTransport, ws_connect

from shared.access.commands import Command
from shared.base.ports import Dependency, Unavailable
from shared.base.refusals import Refusal
from shared.console.gateway_exchange import Exchange, Flow, Move, distrusts, find_refusal, is_banner, names_another
from shared.console.ports import PortListener
from shared.console.serial.commands import GatewayCommands

DIAL_SECONDS = 15.0
SETTLE_SECONDS = 0.25
"""After the token went: a gateway that says nothing for so long has not refused. A silent VM's console opens later by
that; a refusal that takes longer is a port that is lost.
"""
GOODBYE_SECONDS = 3.0
"""How long the gateway's answer to our close is awaited; what it had sent before is read until then."""
GATHER_BYTES = 64 * 1024
UNREAD_BYTES = 64 * 1024
"""What this host's socket takes of what the VM printed and nobody reads; the kernel makes it twice as much. Left to
itself it takes tens of MB from a VM that waits, and a relay that is killed loses what nobody sends again."""
_TEXT, _BINARY, _CLOSE = WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CLOSE
_CONTINUATION = WSMsgType.CONTINUATION
_WORDLESS = (1000, 1005)
"""Close codes of a gateway that is not in trouble."""
_OTHER_FLOW = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
"""What an address is refused with where the token belongs into it."""


class GatewayClose(Enum):
    """Of an exchange."""

    OPENED = auto()
    OTHER_FLOW = auto()
    """The gateway wants its token in another way, and has had none in a frame."""


async def dial(port: "GatewayPort", address: str) -> Refusal | GatewayClose:
    """Returns once bytes can flow, or cannot. Raises Unavailable."""
    try:
        await ws_connect(
            lambda: port, address, max_redirects=0, websocket_handshake_timeout=DIAL_SECONDS,
            enable_auto_ping=True, auto_ping_idle_timeout=20, auto_ping_reply_timeout=20,
        )  # fmt: skip
        return await port.exchanged
    except WSInvalidStatusError as error:
        return _refused(error, port.target)
    except (WSError, OSError, ValueError) as error:  # their texts quote the address
        raise Unavailable(Dependency.SERIAL_GATEWAY, type(error).__name__) from None
    except asyncio.CancelledError:
        port.cut()
        raise


def _refused(error: WSInvalidStatusError, target: str) -> Refusal | GatewayClose:
    """The upgrade was not granted. Raises Unavailable."""
    status = 0 if error.response is None else int(error.response.status)
    if (refusal := find_refusal((error.raw_body or b"").decode(errors="replace"), target)) is not None:
        return refusal
    if status in _OTHER_FLOW:
        return GatewayClose.OTHER_FLOW
    raise Unavailable(Dependency.SERIAL_GATEWAY, f"answered {status}") from None


class GatewayPort(WSListener):
    """A shared.console.ports.SerialPort."""

    def __init__(
        self,
        flow: Flow,
        token: str,
        listener: PortListener,
        acts: GatewayCommands,
        *,
        target: str,
        again: Callable[[], bool],
    ) -> None:
        """`target` is the VM's resource id; `again` notes a goodbye without a word, and knows of one just before."""
        super().__init__()
        self.target = target
        self.exchanged: asyncio.Future[Refusal | GatewayClose] = asyncio.get_running_loop().create_future()
        self.when_distrusted: Callable[[], None] = _nothing
        """Called when the gateway closes an open port for want of a token."""
        self._acts, self._again = acts, again
        self._exchange: Exchange | None = Exchange(flow)
        """Until the port is open."""
        self._token = token
        self._listener: PortListener | None = listener
        self._gathered = bytearray()
        """Printed frames of one read: told together, because QEMU writes byte by byte."""
        self._socket: WSTransport | None = None
        self._settles: asyncio.TimerHandle | None = None
        self._goodbye = ""
        """What the gateway closed with."""
        self._lost = (False, "the connection was cut")
        self._closing = False
        """A close was sent."""
        self._ended = asyncio.Event()

    # --- as the relay uses it ---------------------------------------------------------------------------------

    def type(self, data: bytes) -> None:
        """Key bytes go in text frames; bytes that are not UTF-8 cannot, and go in binary ones."""
        if self._socket is not None:
            self._socket.send(_TEXT if data.isascii() or _is_utf8(data) else _BINARY, data)

    def pause(self) -> None:
        if self._socket is not None:
            self._socket.underlying_transport.pause_reading()

    def resume(self) -> None:
        if self._socket is not None:
            self._socket.underlying_transport.resume_reading()

    async def command(self, act: Command, keys: str) -> Refusal | None:
        return await self._acts.send(act, keys)

    async def close(self) -> None:
        wire = self._socket
        if wire is None or wire.is_disconnected:
            return
        try:
            if not self._closing:
                self._closing = True
                wire.send_close(1000, b"")  # type: ignore[arg-type]  # an int is what it takes
            wire.underlying_transport.resume_reading()
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self._ended.wait()
        except TimeoutError:
            pass  # the far side says no goodbye: it is cut
        finally:
            self.cut()

    def cut(self) -> None:
        """Without a word."""
        if self._socket is not None and not self._socket.is_disconnected:
            self._socket.disconnect(False)  # noqa: FBT003 - picows' own: not after what is still to be written

    # --- as picows calls it -----------------------------------------------------------------------------------

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._socket = transport
        wire = transport.underlying_transport.get_extra_info("socket")
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, UNREAD_BYTES)
        if self._exchange is not None and self._exchange.flow is Flow.ADDRESS:
            self._settle()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if kind in (_TEXT, _BINARY, _CONTINUATION):
            if self._exchange is None:
                self._gathered += frame.get_payload_as_memoryview()
            else:
                self._exchange_goes_on(transport, self._exchange, frame)
        elif kind == _CLOSE:
            self._closed_by_gateway(transport, frame)
        if self._gathered and (frame.last_in_buffer or len(self._gathered) >= GATHER_BYTES):
            held, self._gathered = bytes(self._gathered), bytearray()
            if self._listener is not None:
                self._listener.printed(held)

    def pause_writing(self) -> None:
        """What is typed waits in the socket's buffer: paste is bounded by the browser's own frames."""

    def resume_writing(self) -> None:
        pass

    def on_ws_disconnected(self, transport: WSTransport) -> None:  # noqa: ARG002 - as picows calls it
        listener, self._listener = self._listener, None
        self._ended.set()
        if self._settles is not None:
            self._settles.cancel()
        if self._exchange is not None:
            self._exchange_ends(self._exchange)
        elif listener is not None:
            if self._gathered:
                listener.printed(bytes(self._gathered))
            listener.lost(*self._lost)

    # --- the exchange -----------------------------------------------------------------------------------------

    def _exchange_goes_on(self, transport: WSTransport, exchange: Exchange, frame: WSFrame) -> None:
        move, message = exchange.receive(frame.get_payload_as_bytes(), final=bool(frame.fin))
        match move:
            case Move.SEND:
                transport.send(_TEXT, self._token)
                self._settle()
            case Move.SHOW:
                self._gathered += message
                self._open()
            case Move.STOP:
                self._goodbye = self._goodbye or message.decode(errors="replace")
                transport.disconnect(False)  # noqa: FBT003 - picows' own: at once
            case Move.WAIT:
                pass

    def _settle(self) -> None:
        self._settles = asyncio.get_running_loop().call_later(SETTLE_SECONDS, self._has_settled)

    def _has_settled(self) -> None:
        held = b"" if self._exchange is None else self._exchange.pending_output
        self._open()
        if held and self._listener is not None:
            self._listener.printed(held)

    def _open(self) -> None:
        self._exchange, self._token = None, ""
        if not self.exchanged.done():
            self.exchanged.set_result(GatewayClose.OPENED)

    def _exchange_ends(self, exchange: Exchange) -> None:
        """The socket is no more, and bytes never flowed."""
        if self.exchanged.done():  # given up
            return
        self._goodbye = self._goodbye or exchange.pending_output.decode(errors="replace")
        if (refusal := find_refusal(self._goodbye, self.target)) is not None:
            self.exchanged.set_result(refusal)
        elif distrusts(self._goodbye) and exchange.token_sent:
            self.exchanged.set_exception(Unavailable(Dependency.SERIAL_GATEWAY, "does not trust the service's token"))
        elif distrusts(self._goodbye) or (exchange.flow is Flow.ADDRESS and is_banner(self._goodbye.encode())):
            self.exchanged.set_result(GatewayClose.OTHER_FLOW)
        else:
            self.exchanged.set_exception(ConnectionResetError("closed before bytes could flow"))

    # --- goodbye ----------------------------------------------------------------------------------------------

    def _closed_by_gateway(self, transport: WSTransport, frame: WSFrame) -> None:
        code: Any = frame.get_close_code()
        reason = (frame.get_close_message() or b"").decode("utf-8", "replace")
        self._goodbye = self._goodbye or reason
        self._lost = (self._is_takeover(int(code), reason), f"closed by the gateway with {code:d}")
        if not self._closing:
            self._closing = True
            transport.send_close(code, b"")
        transport.disconnect()

    def _is_takeover(self, code: int, reason: str) -> bool:
        if self._exchange is not None or self._closing:
            return False
        if distrusts(reason):
            self.when_distrusted()
        return names_another(reason) or (code in _WORDLESS and not reason and self._again())


def _nothing() -> None:
    pass


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
