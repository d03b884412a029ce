"""The part that all clients of Azure's own serial console share: bare bytes both ways, and a token first."""

import asyncio

from picows import WSFrame, WSMsgType, WSTransport

from relay.console.viewer import PROTOCOL_ERROR, ViewerCallbacks, WebSocketViewer
from shared.base.refusals import Code

TEXT, BINARY = WSMsgType.TEXT, WSMsgType.BINARY
_CLOSE, _CONTINUATION, _PONG = WSMsgType.CLOSE, WSMsgType.CONTINUATION, WSMsgType.PONG
BANNER = "Connecting...\r\n\r\n"
"""The first message of Azure's gateway. No client shows it (microsoft/azserialconsole issue 116)."""
EXCHANGE_SECONDS = 10.0
TOKEN_INVALID = 4401
_OFFSET_BYTES = 8
"""The offset before each binary frame of our own protocol. This protocol has no offsets."""


class AzureViewer(WebSocketViewer):
    """An AttachedViewer that sends bare bytes and no text. Each frame, whole or a fragment, goes to `receive_frame`."""

    __slots__ = ("_deadline", "_in_message", "_token_bytes")

    def __init__(self) -> None:
        super().__init__()
        self._token_bytes = bytearray()
        """The bytes so far of a token that comes in fragments."""
        self._in_message = False
        """True inside a message of several frames."""
        self._deadline: asyncio.TimerHandle | None = None

    def show(self, frame: bytes) -> None:
        self.socket.send(BINARY, memoryview(frame)[_OFFSET_BYTES:])

    def show_before(self, data: bytes) -> None:
        self.socket.send(BINARY, data)

    def say(self, text: str) -> None:
        """Does nothing: this protocol has no text for events."""

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        self._silent = 0
        kind = frame.msg_type
        if frame.rsv1 or frame.rsv2 or frame.rsv3:
            self.expel(PROTOCOL_ERROR, "ReservedBits")
        elif kind == _CLOSE:
            self._peer_closes(transport, frame)
        elif kind != _PONG and self.callbacks is not None:
            if (kind == _CONTINUATION) == self._in_message:
                self._in_message = not frame.fin
                self.receive_frame(self.callbacks, frame)
            else:
                self.expel(PROTOCOL_ERROR, "FragmentOutOfPlace")

    def receive_frame(self, callbacks: ViewerCallbacks, frame: WSFrame) -> None:
        raise NotImplementedError

    def gather(self, frame: WSFrame, most: int) -> bool:
        """Adds a frame to `_token_bytes`. Returns True when the message is whole.

        A binary message, or one of more bytes than `most`, is no token: it ends the session.
        """
        self._token_bytes += frame.get_payload_as_memoryview()
        if frame.msg_type == BINARY or len(self._token_bytes) > most:
            self.fail()
            return False
        return bool(frame.fin)

    def fail(self) -> None:
        self.expel(TOKEN_INVALID, Code.TOKEN_INVALID.value)

    def start_deadline(self, seconds: float) -> None:
        self._deadline = asyncio.get_running_loop().call_later(seconds, self.fail)

    def cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _leave(self, why: str) -> None:
        self.cancel_deadline()
        super()._leave(why)
