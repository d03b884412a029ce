"""What of a VM's output goes on to whom, and when the VM has to wait with it."""

from shared.console.actions import PausePort, ResumePort
from shared.console.event_log import EventLog
from shared.console.scrollback import Scrollback


class Stream(EventLog):
    """The part of a Console that what is printed runs through. Not used by itself."""

    __slots__ = ("_audience", "_flows", "_pauses", "scrollback")

    def __init__(self, scrollback_bytes: int) -> None:
        super().__init__()
        self.scrollback = Scrollback(scrollback_bytes)
        self._audience: tuple[str, ...] = ()
        """Sessions that are sent what is printed: all but the stalled ones."""
        self._flows = False
        """The port is open, and may be paused: no longer when it is being closed, for then it is read to its end."""
        self._pauses: set[str] = set()
        """Why the VM waits: sessions that are too slow, and the spool."""

    def _choose_audience(self) -> None:
        self._audience = tuple(viewer.session for viewer in self.viewers.values() if viewer.stalled_at is None)

    def _pause(self, why: str) -> None:
        if not self._pauses and self._flows:
            self._out.append(PausePort())
        self._pauses.add(why)

    def _unpause(self, why: str) -> None:
        if why in self._pauses:
            self._pauses.discard(why)
            if not self._pauses and self._flows:
                self._out.append(ResumePort())
