"""A client of today: the address holds nothing, the relay speaks first, the token comes once as a text frame.

    SPEAKING --token--> PROVING --admitted--> JOINED
        |                  |
        +-- late, no token +-- refused: a close with the code and the reason of the refusal

What a client types while it is proved is typed when the viewer has joined; it may be EARLY_BYTES.
"""

from collections.abc import Callable  # noqa: TC003 - the annotation of a public attribute
from enum import Enum, auto

from picows import WSFrame

from relay import bare_viewer
from relay.bare_viewer import BANNER, TEXT, BareViewer
from relay.knock import MAX_TOKEN
from relay.listener import Seat

EARLY_BYTES = 4096
"""Some lines: who pastes more waits for the console first."""
_INVALID_REQUEST = 4400


class _Phase(Enum):
    SPEAKING = auto()
    PROVING = auto()
    JOINED = auto()


class CurrentViewer(BareViewer):
    __slots__ = ("_early", "_phase", "prove")

    def __init__(self) -> None:
        super().__init__()
        self.prove: Callable[[str], None]
        """Takes the token. Ends in a second `arrive`, at the console, or in a close."""
        self._phase = _Phase.SPEAKING
        self._early = bytearray()
        """Typed behind the token."""

    def arrive(self, seat: Seat) -> None:
        self.seat = seat
        if self._phase is _Phase.SPEAKING:
            self.expect_within(bare_viewer.EXCHANGE_SECONDS)
            self.socket.send(TEXT, BANNER)
            return
        self._phase = _Phase.JOINED
        seat.take()
        if self._early:
            seat.typed(bytes(self._early))
            self._early.clear()

    def hear(self, seat: Seat, frame: WSFrame) -> None:
        match self._phase:
            case _Phase.JOINED:
                seat.typed(frame.get_payload_as_bytes())
            case _Phase.PROVING:
                self._early += frame.get_payload_as_memoryview()
                if len(self._early) > EARLY_BYTES:
                    self.expel(_INVALID_REQUEST, "InvalidRequest")
            case _Phase.SPEAKING if self.gather(frame, MAX_TOKEN):
                self._token_came()

    def _token_came(self) -> None:
        token = self._heard.decode(errors="replace")
        self._heard.clear()
        self.no_longer_late()
        self._phase = _Phase.PROVING
        self.prove(token)
