"""A browser's accepted WebSocket: frames in, frames out, pings, and the closing handshake."""

import asyncio
from collections.abc import Callable  # noqa: TC003 - the annotation of a public attribute
from typing import Any, Protocol

from picows import WSFrame, WSListener, WSMsgType, WSTransport

from shared.console.frames import MAX_TEXT_FRAME, Answer, InvalidFrame, before, read_text_frame, text_frame

_BINARY, _TEXT, _CLOSE = WSMsgType.BINARY, WSMsgType.TEXT, WSMsgType.CLOSE
_CONTINUATION, _PONG = WSMsgType.CONTINUATION, WSMsgType.PONG

FULL_BYTES = 512 * 1024
"""Unsent bytes at which a viewer counts as slow; at a quarter of it, it no longer does."""
CLOSE_SECONDS = 2.0
"""How long a peer may take to answer a close before its connection is cut."""
PING_EVERY = 20
"""Seconds, or rather ticks."""
SILENT_PINGS = 3
"""After so many pings without any frame from the peer, the peer counts as dead."""
INVALID_REQUEST = 4400
GOODBYE = 1000
PROTOCOL_ERROR = 1002
_CLOSE_CODES = range(1000, 5000)
"""The codes that a peer may close with. picows itself refuses the reserved ones among them."""


class ViewerCallbacks(Protocol):
    """The receiver of a viewer's events."""

    def take(self) -> None:
        """Joins the viewer to the console. From here on it is shown output and may type."""
        ...

    def typed(self, data: bytes) -> None: ...

    def answered(self, answer: Answer) -> None: ...

    def stalled(self) -> None: ...

    def resumed(self) -> None: ...

    def gone(self, why: str) -> None: ...


class WebSocketViewer(WSListener):
    """An AttachedViewer in the protocol of docs/protocol.md. Nothing is read before `arrive`."""

    __slots__ = ("_closing", "_message", "_message_type", "_silent", "_ticks", "_why", "callbacks", "left", "socket")

    def __init__(self) -> None:
        super().__init__()
        self.callbacks: ViewerCallbacks | None = None
        """None before `arrive` and after the viewer left."""
        self.left: Callable[[WebSocketViewer], None] = _nothing
        """Called when the connection is no more."""
        self.socket: WSTransport
        self._closing: asyncio.TimerHandle | None = None
        self._message: bytearray | None = None
        self._message_type = _BINARY
        self._silent = 0
        self._ticks = 0
        self._why = "ConnectionLost"

    def arrive(self, callbacks: ViewerCallbacks) -> None:
        """The socket is accepted."""
        self.callbacks = callbacks
        callbacks.take()

    # --- towards the browser ----------------------------------------------------------------------------------

    def show(self, frame: bytes) -> None:
        self.socket.send(_BINARY, frame)

    def show_before(self, data: bytes) -> None:
        self.socket.send(_TEXT, before(data))

    def say(self, text: str) -> None:
        self.socket.send(_TEXT, text)

    def close(self, code: int, reason: str) -> None:
        """Sends a close. The connection ends when the peer answers, or after CLOSE_SECONDS. Input is ignored then."""
        self.callbacks = None
        if self._closing is None:
            self.socket.send_close(code, reason)  # type: ignore[arg-type]  # an int is what it takes
            loop = asyncio.get_running_loop()
            self._closing = loop.call_later(CLOSE_SECONDS, self.socket.disconnect, False)  # noqa: FBT003 - picows' own

    def expel(self, code: int, reason: str) -> None:
        """Ends the session because of its socket, and reports that to the console."""
        self._leave(reason)
        self.close(code, reason)

    def tick(self) -> None:
        """Sends pings, and cuts a dead peer. Called once a second."""
        self._ticks += 1
        if self._ticks % PING_EVERY or self._closing is not None:
            return
        if self._silent >= SILENT_PINGS:
            self.socket.disconnect(False)  # noqa: FBT003 - picows' own: do not wait for a peer that is dead
            return
        self._silent += 1
        self.socket.send_ping(b"")

    # --- from the browser (called by picows) ------------------------------------------------------------------

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.socket = transport
        transport.underlying_transport.set_write_buffer_limits(high=FULL_BYTES, low=FULL_BYTES // 4)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        self._silent = 0
        kind = frame.msg_type
        if frame.rsv1 or frame.rsv2 or frame.rsv3:
            self.expel(PROTOCOL_ERROR, "ReservedBits")
        elif kind == _BINARY and frame.fin and self._message is None:
            if self.callbacks is not None:
                self.callbacks.typed(frame.get_payload_as_bytes())
        elif kind == _CLOSE:
            self._peer_closes(transport, frame)
        elif kind != _PONG and self.callbacks is not None:
            self._gather(frame)

    def _gather(self, frame: WSFrame) -> None:
        """Gathers text and fragments. Typed bytes are a stream, so their fragments are passed on at once."""
        kind = frame.msg_type
        if (kind == _CONTINUATION) == (self._message is None):
            self.expel(PROTOCOL_ERROR, "FragmentOutOfPlace")
            return
        if self._message is None:
            self._message, self._message_type = bytearray(), kind
        payload = frame.get_payload_as_bytes()
        if self._message_type == _BINARY and self.callbacks is not None:
            self.callbacks.typed(payload)
        else:
            self._message += payload
        if frame.fin or len(self._message) > MAX_TEXT_FRAME:
            text, self._message = bytes(self._message), None
            if self._message_type == _TEXT:
                self._read(text)

    def _read(self, text: bytes) -> None:
        try:
            answer = read_text_frame(text)
        except InvalidFrame as error:
            self.say(text_frame("bye", code="InvalidRequest", message=str(error), by=None))
            self.expel(INVALID_REQUEST, "InvalidRequest")
            return
        if self.callbacks is not None:
            self.callbacks.answered(answer)

    def _peer_closes(self, transport: WSTransport, frame: WSFrame) -> None:
        self._why = "Goodbye"
        if not transport.is_close_frame_sent:
            code: Any = frame.get_close_code()
            if code not in _CLOSE_CODES:
                code = GOODBYE
            transport.send_close(code, b"")
        transport.disconnect()

    def pause_writing(self) -> None:
        if self.callbacks is not None:
            self.callbacks.stalled()

    def resume_writing(self) -> None:
        if self.callbacks is not None:
            self.callbacks.resumed()

    def on_ws_disconnected(self, transport: WSTransport) -> None:  # noqa: ARG002 - as picows calls it
        if self._closing is not None:
            self._closing.cancel()
        self._leave(self._why)
        self.left(self)

    def _leave(self, why: str) -> None:
        callbacks, self.callbacks = self.callbacks, None
        if callbacks is not None:
            callbacks.gone(why)


def _nothing(_viewer: WebSocketViewer) -> None:
    pass
