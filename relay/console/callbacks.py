"""Whom the skin of a console deals with: the browsers at it, and the relay it is part of."""

from typing import Protocol

from relay.console.serial_connection import Background
from shared.base.refusals import Refusal


class ViewerScreen(Protocol):
    """A browser's accepted socket."""

    def show(self, frame: bytes) -> None: ...

    def show_before(self, data: bytes) -> None:
        """Before all else: what was printed before this epoch."""
        ...

    def say(self, text: str) -> None: ...

    def close(self, code: int, reason: str) -> None: ...


class RunnerCallbacks(Background, Protocol):
    """Who does what takes longer than an event: the relay."""

    def turned_away(self, session: str, refusal: Refusal) -> None:
        """A visitor was let in, and must go before they joined the console."""
        ...

    def detached(self, session: str, why: str, typed: int, printed: int) -> None: ...
