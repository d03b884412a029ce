"""What clients of Azure's own serial console have in common: bare bytes both ways, and a token that comes first."""

import asyncio

from picows import WSFrame, WSMsgType, WSTransport

from relay.console.viewer import PROTOCOL_ERROR, ViewerCallbacks, WebSocketViewer
from shared.base.refusals import Code

TEXT, BINARY = WSMsgType.TEXT, WSMsgType.BINARY
_CLOSE, _CONTINUATION, _PONG = WSMsgType.CLOSE, WSMsgType.CONTINUATION, WSMsgType.PONG
BANNER = "Connecting...\r\n\r\n"
"""What Azure's gateway says first; no client shows it (microsoft/azserialconsole issue 116)."""
EXCHANGE_SECONDS = 10.0
TOKEN_INVALID = 4401
_OFFSET_BYTES = 8
"""Of our own dialect's binary frames; this one has no place for them."""


class AzureViewer(WebSocketViewer):
    """A relay.bridge.Screen that shows bare bytes and says nothing. Frames go to `hear`, in whole or in fragments."""

    __slots__ = ("_heard", "_late", "_midway")

    def __init__(self) -> None:
        super().__init__()
        self._heard = bytearray()
        """Of a token that comes in fragments."""
        self._midway = False
        """Inside a message of several frames."""
        self._late: asyncio.TimerHandle | None = None

    def show(self, frame: bytes) -> None:
        self.socket.send(BINARY, memoryview(frame)[_OFFSET_BYTES:])

    def show_before(self, data: bytes) -> None:
        self.socket.send(BINARY, data)

    def say(self, text: str) -> None:
        """There is no place for it."""

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        self._silent = 0
        kind = frame.msg_type
        if frame.rsv1 or frame.rsv2 or frame.rsv3:
            self.expel(PROTOCOL_ERROR, "ReservedBits")
        elif kind == _CLOSE:
            self._peer_closes(transport, frame)
        elif kind != _PONG and self.seat is not None:
            if (kind == _CONTINUATION) == self._midway:
                self._midway = not frame.fin
                self.hear(self.seat, frame)
            else:
                self.expel(PROTOCOL_ERROR, "FragmentOutOfPlace")

    def hear(self, seat: ViewerCallbacks, frame: WSFrame) -> None:
        raise NotImplementedError

    def gather(self, frame: WSFrame, most: int) -> bool:
        """Whether a whole text message is in `_heard` now. One in binary, or of more bytes than `most`, is no token."""
        self._heard += frame.get_payload_as_memoryview()
        if frame.msg_type == BINARY or len(self._heard) > most:
            self.fail()
            return False
        return bool(frame.fin)

    def fail(self) -> None:
        self.expel(TOKEN_INVALID, Code.TOKEN_INVALID.value)

    def expect_within(self, seconds: float) -> None:
        self._late = asyncio.get_running_loop().call_later(seconds, self.fail)

    def no_longer_late(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _leave(self, why: str) -> None:
        self.no_longer_late()
        super()._leave(why)
