"""The dialect of Azure's own serial console, for clients that were written for it. Off unless COMPATIBILITY is on.

    client                                              relay
    GET /n/connector/{relay}/sessions/{session}/client?authorization={token}[&new=1]
                                                        every check of our own dialect; only then 101
    text: the token                                     text: NOTICE, which no client shows
    text: the token                                     binary: what is kept of what was printed, then what is printed
    text or binary: typed bytes

The token is one of ours. That it travels in an address is why this is a switch: whatever logs addresses on the way
sees it, though by then it is used up. Nothing is said in text after the notice; the close code and its reason tell
why a session ended. A viewer joins its console when the exchange is done: what it sent before was not typed, and
what was printed before is in the scrollback that it is shown first.
"""

import asyncio
import hmac
from functools import partial

from picows import WSFrame, WSMsgType, WSTransport

from relay.http_head import Head
from relay.knock import MAX_TOKEN, Knock
from relay.listener import PROTOCOL_ERROR, Seat, Viewer
from shared.domain.refusals import Code, Refusal, refuse

_BINARY, _TEXT, _CLOSE = WSMsgType.BINARY, WSMsgType.TEXT, WSMsgType.CLOSE
_CONTINUATION, _PONG = WSMsgType.CONTINUATION, WSMsgType.PONG
NOTICE = "Repeat the token to begin."
EXCHANGE_SECONDS = 10.0
TOKEN_INVALID = 4401
_OFFSET_BYTES = 8
"""Of our own dialect's binary frames; this one has no place for them."""


def addressed(path: str, relay: str) -> str | None:
    """The session that an address of this relay names; None for any other address."""
    before, after = f"/n/connector/{relay}/sessions/", "/client"
    session = path.removeprefix(before).removesuffix(after)
    return session if session and path == f"{before}{session}{after}" and "/" not in session else None


def own_origin(head: Head, origin: str) -> bool:
    """Whether the origin is the address that is being called: clients that are no browsers write it so. The relay
    serves no pages, so it is no page's.
    """
    return origin in {f"{scheme}://{head.headers['host']}" for scheme in ("http", "https")}


def read_knock(head: Head, session: str) -> Knock | Refusal:
    """The token, exactly once."""
    try:
        tokens = head.parameters("authorization")
    except ValueError:  # too many fields
        return refuse(Code.INVALID_REQUEST, because="The query cannot be read.")
    if len(tokens) != 1 or len(tokens[0]) > MAX_TOKEN:
        return refuse(Code.TOKEN_INVALID)
    return Knock(tokens[0], partial(AzureViewer, tokens[0]), session=session)


class AzureViewer(Viewer):
    """A relay.bridge.Screen that shows bare bytes and says nothing."""

    __slots__ = ("_expected", "_heard", "_late", "_midway", "_owed")

    def __init__(self, token: str) -> None:
        super().__init__()
        self._expected = token.encode()
        self._heard = bytearray()
        """Of a repetition that comes in fragments."""
        self._owed = 2
        """Times that the token must still be repeated."""
        self._midway = False
        """Inside a message of several frames."""
        self._late: asyncio.TimerHandle | None = None

    def arrive(self, seat: Seat) -> None:
        self.seat = seat
        self._late = asyncio.get_running_loop().call_later(EXCHANGE_SECONDS, self._fail)

    # --- towards the client -----------------------------------------------------------------------------------

    def show(self, frame: bytes) -> None:
        self.socket.send(_BINARY, memoryview(frame)[_OFFSET_BYTES:])

    def say(self, text: str) -> None:
        """There is no place for it."""

    # --- from the client --------------------------------------------------------------------------------------

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
                self._hear(self.seat, frame)
            else:
                self.expel(PROTOCOL_ERROR, "FragmentOutOfPlace")

    def _hear(self, seat: Seat, frame: WSFrame) -> None:
        if not self._owed:
            seat.typed(frame.get_payload_as_bytes())
            return
        self._heard += frame.get_payload_as_memoryview()
        if frame.msg_type == _BINARY or len(self._heard) > len(self._expected):
            self._fail()
        elif frame.fin:
            self._repeated(seat)

    def _repeated(self, seat: Seat) -> None:
        if not hmac.compare_digest(self._heard, self._expected):
            self._fail()
            return
        self._owed -= 1
        self._heard.clear()
        if self._owed:
            self.socket.send(_TEXT, NOTICE)
        else:
            self._expected = b""
            self._no_longer_late()
            seat.take()

    def _fail(self) -> None:
        self.expel(TOKEN_INVALID, Code.TOKEN_INVALID.value)

    def _leave(self, why: str) -> None:
        self._no_longer_late()
        super()._leave(why)

    def _no_longer_late(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
