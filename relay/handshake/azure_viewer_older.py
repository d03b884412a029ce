"""A client of spring 2024: token and new=1 in the address, the token again as it opens and after the first frame.

The token was checked, and used up, before the socket was accepted. The viewer joins its console when the exchange is
done: what it sent before was not typed, and what was printed before is in the scrollback that it is shown first.
"""

import hmac

from picows import WSFrame

from relay.console.viewer import ViewerCallbacks
from relay.handshake import azure_viewer
from relay.handshake.azure_viewer import BANNER, TEXT, AzureViewer


class OlderViewer(AzureViewer):
    __slots__ = ("_expected", "_repetitions_left")

    def __init__(self, token: str) -> None:
        super().__init__()
        self._expected = token.encode()
        self._repetitions_left = 2
        """How many times the client must still repeat the token."""

    def arrive(self, callbacks: ViewerCallbacks) -> None:
        self.callbacks = callbacks
        self.start_deadline(azure_viewer.EXCHANGE_SECONDS)

    def receive_frame(self, callbacks: ViewerCallbacks, frame: WSFrame) -> None:
        if not self._repetitions_left:
            callbacks.typed(frame.get_payload_as_bytes())
        elif self.gather(frame, len(self._expected)):
            self._check_repetition(callbacks)

    def _check_repetition(self, callbacks: ViewerCallbacks) -> None:
        if not hmac.compare_digest(self._token_bytes, self._expected):
            self.fail()
            return
        self._repetitions_left -= 1
        self._token_bytes.clear()
        if self._repetitions_left:
            self.socket.send(TEXT, BANNER)
        else:
            self._expected = b""
            self.cancel_deadline()
            callbacks.take()


class OldestViewer(AzureViewer):
    """A client of 2021: the token stands in the address alone, and every frame is what the VM prints."""

    __slots__ = ()

    def arrive(self, callbacks: ViewerCallbacks) -> None:
        self.callbacks = callbacks
        callbacks.take()

    def receive_frame(self, callbacks: ViewerCallbacks, frame: WSFrame) -> None:
        callbacks.typed(frame.get_payload_as_bytes())
