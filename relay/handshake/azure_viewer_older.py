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
    __slots__ = ("_expected", "_owed")

    def __init__(self, token: str) -> None:
        super().__init__()
        self._expected = token.encode()
        self._owed = 2
        """Times that the token must still be repeated."""

    def arrive(self, seat: ViewerCallbacks) -> None:
        self.seat = seat
        self.expect_within(azure_viewer.EXCHANGE_SECONDS)

    def hear(self, seat: ViewerCallbacks, frame: WSFrame) -> None:
        if not self._owed:
            seat.typed(frame.get_payload_as_bytes())
        elif self.gather(frame, len(self._expected)):
            self._repeated(seat)

    def _repeated(self, seat: ViewerCallbacks) -> None:
        if not hmac.compare_digest(self._heard, self._expected):
            self.fail()
            return
        self._owed -= 1
        self._heard.clear()
        if self._owed:
            self.socket.send(TEXT, BANNER)
        else:
            self._expected = b""
            self.no_longer_late()
            seat.take()


class OldestViewer(AzureViewer):
    """A client of 2021: the token stands in the address alone, and every frame is what the VM prints."""

    __slots__ = ()

    def arrive(self, seat: ViewerCallbacks) -> None:
        self.seat = seat
        seat.take()

    def hear(self, seat: ViewerCallbacks, frame: WSFrame) -> None:
        seat.typed(frame.get_payload_as_bytes())
