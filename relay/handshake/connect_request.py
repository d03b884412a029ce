"""What a visitor asks for, in whichever dialect: read out of the request's head, believed by nobody yet."""

from collections.abc import Callable
from dataclasses import dataclass

from relay.console.viewer import WebSocketViewer

MAX_TOKEN = 4096
"""Characters."""


@dataclass(frozen=True, slots=True)
class ConnectRequest:
    token: str | None
    """None: it comes in the first frame."""
    viewer: Callable[[], WebSocketViewer] = WebSocketViewer
    """Makes the socket that speaks this dialect."""
    subprotocol: str | None = None
    session: str | None = None
    """The session that the address names: a token of another one is worth nothing there."""
    resume: tuple[str, int] | None = None
