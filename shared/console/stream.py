"""Chooses the sessions that are sent output, and pauses the VM while a viewer or the spool is too slow."""

from shared.console.actions import PausePort, ResumePort
from shared.console.event_log import EventLog
from shared.console.scrollback import Scrollback


class Stream(EventLog):
    """The part of a Console that handles output. Not used by itself."""

    __slots__ = ("_audience", "_can_pause", "_pause_reasons", "scrollback")

    def __init__(self, scrollback_bytes: int) -> None:
        super().__init__()
        self.scrollback = Scrollback(scrollback_bytes)
        self._audience: tuple[str, ...] = ()
        """Sessions that are sent output: all but the stalled ones."""
        self._can_pause = False
        """The port is open, and may be paused: no longer when it is being closed, for then it is read to its end."""
        self._pause_reasons: set[str] = set()
        """The reasons for a pause: sessions that are too slow, and `spool`."""

    def _choose_audience(self) -> None:
        self._audience = tuple(viewer.session for viewer in self.viewers.values() if viewer.stalled_at is None)

    def _pause(self, why: str) -> None:
        if not self._pause_reasons and self._can_pause:
            self._actions.append(PausePort())
        self._pause_reasons.add(why)

    def _unpause(self, why: str) -> None:
        if why in self._pause_reasons:
            self._pause_reasons.discard(why)
            if not self._pause_reasons and self._can_pause:
                self._actions.append(ResumePort())
