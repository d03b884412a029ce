"""What waits while something cannot be recorded: a disk that is full may have room again in a moment.

The action that could not be done waits, and so do all that come after it, in their order, and the VM. So a disk that
is full for some seconds costs time, and no byte.
"""

from collections import deque
from collections.abc import Sequence

from shared.console.actions import Action

PENDING_WRITE_SECONDS = 10.0
"""How long it is tried again before it is given up: the VM's own console stands still that long."""


class PendingWrites:
    """One console's. True while something waits."""

    __slots__ = ("_since", "_waiting")

    def __init__(self) -> None:
        self._waiting: deque[Action] = deque()
        self._since: float | None = None

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, actions: Sequence[Action], now: float) -> None:
        """These wait from now on, behind those that do already. `now` is seconds since 1970."""
        self._since = now if self._since is None else self._since
        self._waiting += actions

    def take(self) -> tuple[Action, ...]:
        """All that waits, to be tried again. What is added before `end` has waited since it was first added."""
        taken, self._waiting = tuple(self._waiting), deque()
        return taken

    def hopeless(self, now: float) -> bool:
        return self._since is not None and now - self._since >= PENDING_WRITE_SECONDS

    def end(self) -> None:
        self._waiting.clear()
        self._since = None
