"""A client of today: the address holds nothing, the relay speaks first, the token comes once as a text frame.

    SPEAKING --token--> PROVING --admitted--> JOINED
        |                  |
        +-- late, no token +-- refused: a close with the code and the reason of the refusal

What a client types while it is proved is typed when the viewer has joined; it may be EARLY_BYTES.
"""

from collections.abc import Callable  # noqa: TC003 - the annotation of a public attribute
from enum import Enum, auto

from picows import WSFrame

from relay.console.viewer import ViewerCallbacks
from relay.handshake import azure_viewer
from relay.handshake.azure_viewer import BANNER, TEXT, AzureViewer
from relay.handshake.connect_request import MAX_TOKEN

EARLY_BYTES = 4096
"""Some lines: who pastes more waits for the console first."""
_INVALID_REQUEST = 4400


class _TokenPhase(Enum):
    SPEAKING = auto()
    PROVING = auto()
    JOINED = auto()


class CurrentViewer(AzureViewer):
    __slots__ = ("_early", "_phase", "prove")

    def __init__(self) -> None:
        super().__init__()
        self.prove: Callable[[str], None]
        """Takes the token. It ends in a second `arrive`, with the console's callbacks, or in a close."""
        self._phase = _TokenPhase.SPEAKING
        self._early = bytearray()
        """Bytes that were typed after the token."""

    def arrive(self, callbacks: ViewerCallbacks) -> None:
        self.callbacks = callbacks
        if self._phase is _TokenPhase.SPEAKING:
            self.start_deadline(azure_viewer.EXCHANGE_SECONDS)
            self.socket.send(TEXT, BANNER)
            return
        self._phase = _TokenPhase.JOINED
        callbacks.take()
        if self._early:
            callbacks.typed(bytes(self._early))
            self._early.clear()

    def receive_frame(self, callbacks: ViewerCallbacks, frame: WSFrame) -> None:
        match self._phase:
            case _TokenPhase.JOINED:
                callbacks.typed(frame.get_payload_as_bytes())
            case _TokenPhase.PROVING:
                self._early += frame.get_payload_as_memoryview()
                if len(self._early) > EARLY_BYTES:
                    self.expel(_INVALID_REQUEST, "InvalidRequest")
            case _TokenPhase.SPEAKING if self.gather(frame, MAX_TOKEN):
                self._token_came()

    def _token_came(self) -> None:
        token = self._token_bytes.decode(errors="replace")
        self._token_bytes.clear()
        self.cancel_deadline()
        self._phase = _TokenPhase.PROVING
        self.prove(token)
