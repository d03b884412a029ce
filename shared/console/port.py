"""The VM's port of a console: when it is dialled, dialled again, left open for the next session, and closed."""

from enum import Enum, auto
from typing import Final

from shared.base.record import Record
from shared.base.refusals import TABLE, Code, Refusal, refuse
from shared.console.actions import Admit, BeginEpoch, ClosePort, DropPort, EndEpoch, OpenPort, PausePort, Refuse, Write
from shared.console.events import AttachPending, PortLost, PortOpened
from shared.console.participants import COUNTED, Participants
from shared.console.replay import Opening
from shared.console.viewers import CloseReason

REDIAL_SECONDS = 60.0
"""How long a lost port is dialled again before its sessions end."""
BACKOFF = (1.0, 2.0, 4.0, 8.0, 15.0)
CAPTURE_BACKOFF = (15.0, 30.0, 60.0, 120.0, 300.0)
"""Pauses between the dials of a console that is recorded without a viewer: the VM may be off for days."""


class IllegalMove(Exception):
    """The runner reported an event that cannot happen in this state. Nothing was changed."""


class Port(Enum):
    CLOSED = auto()
    OPENING = auto()
    OPEN = auto()
    LOST = auto()
    CLOSING = auto()


BEFORE_BYTES = 16 * 1024
"""Shown of what was printed before an epoch: some screens."""

PRINTING = (Port.OPEN, Port.CLOSING)
"""The states in which output is read."""


class PortKeeper(Participants):
    """The half of a Console that faces the VM; see console.py for the states and the rules. Not used by itself."""

    __slots__ = (
        "_attempt", "_capture_at", "_capture_dials", "_dialling", "_linger", "_linger_until", "_lost_at", "_retry_at",
        "_why_closing", "captured", "port",
    )  # fmt: skip

    def __init__(self, name: str, *, scrollback_bytes: int, linger: float) -> None:
        super().__init__(name, scrollback_bytes)
        self.port = Port.CLOSED
        self._linger: Final = linger
        self._linger_until: float | None = None
        self._dialling = False
        self._lost_at = 0.0
        self._retry_at = 0.0
        self._attempt = 0
        self.captured = False
        self._capture_at = 0.0
        """Not dialled before this time for recording alone."""
        self._capture_dials = 0
        self._why_closing = ""
        """The reason in the END record of the epoch that CLOSING ends."""

    # --- opening ----------------------------------------------------------------------------------------------

    def _expect(self, event: AttachPending) -> None:
        if event.session in self._expected or event.session in self.viewers:
            raise IllegalMove("a session attaches once")
        if event.mode.writes and event.generation < self.newest:
            self._actions.append(Refuse(event.session, refuse(Code.SESSION_SUPERSEDED)))
            return
        self._expected[event.session] = self.port is Port.OPEN
        if self.port is Port.OPEN:
            self._actions.append(Admit(event.session))
        elif not self._dialling and self.port is not Port.CLOSING:
            self._dial()

    def _dial(self) -> None:
        self._dialling = True
        if self.port is Port.CLOSED:
            self.port = Port.OPENING
        self._actions.append(OpenPort())

    def _port_opened(self, event: PortOpened) -> None:
        if not self._dialling:
            raise IllegalMove("a port opened that was not dialled")
        self._end_epoch("port lost")
        again = self.port is Port.LOST
        unwanted = self.port is Port.CLOSING and not self._expected
        self.port, self._dialling, self._can_pause = Port.OPEN, False, True
        self._begin_epoch(event.epoch)
        self._actions.append(BeginEpoch(event.epoch))
        self._record_event("port-open", epoch=event.epoch, relay=event.relay)
        if event.opening is not None:
            self._record_replayed(event.opening)
        if self._recording_settings != COUNTED:
            self._record_recording_settings()
        self._capture_dials = 0
        if self._pause_reasons:
            self._actions.append(PausePort())
        if again:
            self._send_hello_again()
        for session in self._expected:
            self._expected[session] = True
            self._actions.append(Admit(session))
        if unwanted:
            self._close(self._why_closing)

    def _record_replayed(self, opening: Opening) -> None:
        """Records the replay before the bytes that follow, so that nobody takes them for printed now."""
        replay = opening.replay
        self._before = replay.again[-BEFORE_BYTES:]
        self._record_event(
            "replayed", length=len(replay.again), compared=replay.compared, hash=opening.hash, keyed=opening.keyed,
            perhapsNew=replay.perhaps_new, before=len(replay.fresh), found=replay.compared > 0,
            banner=replay.banner.decode("ascii"), after=opening.after or None, archiveKnown=opening.archive_known,
        )  # fmt: skip

    # --- losing -----------------------------------------------------------------------------------------------

    def _port_refused(self, refusal: Refusal) -> None:
        if not self._dialling:
            raise IllegalMove("a port refused that was not dialled")
        self._dialling = False
        self._record_event("port-refused", code=refusal.code.value)
        self._refuse_expected(refusal)
        if self.port in (Port.OPENING, Port.CLOSING):
            self._mark_closed()
        elif self._is_final(refusal):
            self._shut(_close_reason(refusal), refusal)
        else:
            self._retry_at = self._now + max(BACKOFF[min(self._attempt, len(BACKOFF) - 1)], _retry_after(refusal))
            self._attempt += 1

    def _is_final(self, refusal: Refusal) -> bool:
        return not refusal.retryable or self._now - self._lost_at >= REDIAL_SECONDS

    def _port_lost(self, event: PortLost) -> None:
        if self.port not in PRINTING:
            raise IllegalMove("a port was lost that is not open")
        self._can_pause = False
        if self.port is Port.CLOSING:
            self._closed()
            return
        self._record_event("port-lost", takenOver=event.taken_over, why=event.why)
        self.port, self._lost_at, self._attempt = Port.LOST, self._now, 0
        if event.taken_over:
            self._capture_dials = len(CAPTURE_BACKOFF)  # somebody works there, outside this service
            self._shut(CloseReason.of(Code.EXTERNAL_TAKEOVER), refuse(Code.EXTERNAL_TAKEOVER))
            return
        self._send_to_all("port", state="lost", message="The connection to the VM was lost; the relay dials again.")
        if self.viewers or self._expected or self.captured:
            self._dial()

    def _record_failed(self) -> None:
        if self.port is Port.CLOSED:
            return
        self._epoch, self._can_pause = None, False  # nothing more can be recorded, not even that it ends
        self._actions += (EndEpoch(), DropPort())
        self.port, self._dialling = Port.LOST, False
        self._shut(CloseReason.of(Code.AUDIT_UNAVAILABLE), refuse(Code.AUDIT_UNAVAILABLE))

    # --- shutting ---------------------------------------------------------------------------------------------

    def _shut(self, close_reason: CloseReason, refusal: Refusal, *, reason: str | None = None) -> None:
        """Ends every session, closes the port, and ends the epoch."""
        self.close_reason = close_reason
        for viewer in tuple(self.viewers.values()):
            self._end_session(viewer, close_reason)
        self._refuse_expected(refusal)
        self._pause_reasons &= {"spool"}  # the one that outlives the port
        if self.port is Port.OPEN:
            self._close(reason or close_reason.code)
        elif self.port is not Port.CLOSING:
            self._end_epoch(reason or close_reason.code)
            self._why_closing = reason or close_reason.code
            if self._dialling:
                self.port = Port.CLOSING
            else:
                self._mark_closed()

    def _close(self, reason: str) -> None:
        self.port, self._why_closing, self._can_pause = Port.CLOSING, reason, False
        self._actions.append(ClosePort())

    def _closed(self) -> None:
        self._end_epoch(self._why_closing)
        self._mark_closed()
        if self._expected:
            self._dial()

    def _mark_closed(self) -> None:
        self.port = Port.CLOSED
        self._capture_at = self._now + CAPTURE_BACKOFF[min(self._capture_dials, len(CAPTURE_BACKOFF) - 1)]
        self._capture_dials += 1

    def _end_epoch(self, reason: str) -> None:
        if self._epoch is not None:
            self._seq += 1
            self._actions += (Write(Record.end(self._seq, int(self._now * 1e6), reason)), EndEpoch())
            self._epoch = None

    # --- time -------------------------------------------------------------------------------------------------

    def _tick_port(self) -> None:
        if self.port is Port.LOST and not self._dialling and self._now >= self._retry_at:
            self._dial()
        if self.captured and self.port is Port.CLOSED and self._now >= self._capture_at:
            self._dial()

    def _settle_port(self) -> None:
        """Closes a port that nobody needs, after `linger` seconds. Called after every event but Printed and Typed."""
        wanted = self.viewers or self._expected or self.captured
        if wanted or self.port in (Port.CLOSED, Port.OPENING, Port.CLOSING):
            self._linger_until = None
        elif self._linger_until is None and self.port is Port.OPEN:
            self._linger_until = self._now + self._linger
        elif self.port is Port.LOST or (self._linger_until is not None and self._now >= self._linger_until):
            self._linger_until = None
            self._shut(CloseReason.of(Code.SESSION_ENDED), refuse(Code.SESSION_ENDED), reason="goodbye")


def _retry_after(refusal: Refusal) -> float:
    """Returns the seconds for which Azure refuses further calls."""
    return float(refusal.retry_after or 0) if refusal.code is Code.AZURE_THROTTLED else 0.0


def _close_reason(refusal: Refusal) -> CloseReason:
    """Returns the close reason of sessions whose lost port cannot be opened again."""
    if refusal.code is Code.VM_NOT_RUNNING:
        return CloseReason.of(Code.VM_STOPPED)
    return CloseReason.of(refusal.code if TABLE[refusal.code].close else Code.CONSOLE_FAULT)
