"""The protocols that a console's runner calls: its viewers' sockets, and the relay."""

from typing import Protocol

from relay.console.serial_connection import Background
from shared.base.refusals import Refusal


class AttachedViewer(Protocol):
    """A browser's accepted socket."""

    def show(self, frame: bytes) -> None: ...

    def show_before(self, data: bytes) -> None:
        """Shows bytes that were printed before this epoch. Called before every other frame."""
        ...

    def say(self, text: str) -> None: ...

    def close(self, code: int, reason: str) -> None: ...


class RunnerCallbacks(Background, Protocol):
    """The relay, which runs work that takes longer than an event."""

    def turned_away(self, session: str, refusal: Refusal) -> None:
        """Ends an admitted session that has not joined the console."""
        ...

    def detached(self, session: str, why: str, typed: int, printed: int) -> None: ...
