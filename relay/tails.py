"""What was recorded last of each console: by it a gateway's replay is known when a port is opened again."""

from shared.domain.replay import Tail

TAILS = 500
"""Consoles remembered, those opened last: some 32 KB each at most."""


class Tails:
    def __init__(self) -> None:
        self._tails: dict[str, Tail] = {}

    def of(self, console: str) -> Tail:
        """The same one for as long as it is remembered."""
        tail = self._tails[console] = self._tails.pop(console) if console in self._tails else Tail()
        if len(self._tails) > TAILS:
            del self._tails[next(iter(self._tails))]
        return tail
