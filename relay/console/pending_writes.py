"""Actions that wait while a record cannot be written. A disk that is full may have room again in a moment.

The failed action waits, then all later actions in their order, and the VM is paused. So a disk that is full for some
seconds costs time, and no byte.
"""

from collections import deque
from collections.abc import Sequence

from shared.console.actions import Action

PENDING_WRITE_SECONDS = 10.0
"""How long a write is tried again before it is given up. The VM's own console stands still for that time."""


class PendingWrites:
    """The waiting actions of one console. True while something waits."""

    __slots__ = ("_actions", "_since")

    def __init__(self) -> None:
        self._actions: deque[Action] = deque()
        self._since: float | None = None

    def __bool__(self) -> bool:
        return bool(self._actions)

    def add(self, actions: Sequence[Action], now: float) -> None:
        """Appends actions to the queue. `now` is seconds since 1970."""
        self._since = now if self._since is None else self._since
        self._actions += actions

    def take(self) -> tuple[Action, ...]:
        """Takes all actions out, to try them again. The time of waiting counts on until `end`."""
        pending, self._actions = tuple(self._actions), deque()
        return pending

    def expired(self, now: float) -> bool:
        return self._since is not None and now - self._since >= PENDING_WRITE_SECONDS

    def end(self) -> None:
        self._actions.clear()
        self._since = None
