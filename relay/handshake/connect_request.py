"""A request to attach, in either protocol, as the request's head has it. Nothing in it is verified yet."""

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
    """Makes the viewer that speaks the protocol of this client."""
    subprotocol: str | None = None
    session: str | None = None
    """The session that the address names. A token of another session is refused there."""
    resume: tuple[str, int] | None = None
