"""The participants of a console: the one writer, the watchers, and sessions that wait for the port."""

from shared.access.policy import Typing
from shared.base.refusals import Code, Refusal, refuse
from shared.console.actions import Action, AnswerTakeover, Close, Refuse, ReportDetach, SendEvent, Show, ShowBefore
from shared.console.event_log import named
from shared.console.events import Attach, Detach, End, RecordingSettingsChanged, TakeoverAnswered, TakeoverAsked
from shared.console.frames import printed, text_frame
from shared.console.stream import Stream
from shared.console.viewers import SLOW, CloseReason, Viewer

STALL_SECONDS = 10.0
"""How long a viewer's full write buffer is waited for: what a dead network of the writer may cost the VM."""

COUNTED = RecordingSettingsChanged(Typing.COUNTED, 0)
"""The recording settings without a policy."""


class Participants(Stream):
    """The half of a Console that faces its viewers; see console.py for the rules. Not used by itself."""

    __slots__ = (
        "_before",
        "_ended",
        "_expected",
        "_recording_settings",
        "_takeover_requests",
        "close_reason",
        "name",
        "newest",
    )  # fmt: skip

    def __init__(self, name: str, scrollback_bytes: int) -> None:
        super().__init__(scrollback_bytes)
        self.name = name
        self.newest = 0
        """The newest generation heard of: no older writer types."""
        self.close_reason = CloseReason.of(Code.CONSOLE_FAULT)
        """The reason of the port's last close. A session that was admitted just before gets it."""
        self._expected: dict[str, bool] = {}
        """Sessions that passed every check and are not attached yet; True: admitted."""
        self._ended: dict[str, CloseReason] = {}
        """Admitted sessions that were ended before they attached, and what they will hear."""
        self._before = b""
        """Bytes that the gateway sent again as the port opened. They were recorded before this epoch."""
        self._recording_settings = COUNTED
        self._takeover_requests: dict[str, tuple[int, float]] = {}
        """Open takeover requests: the generation asked, and the time at which silence counts as yes."""

    # --- coming -----------------------------------------------------------------------------------------------

    def _attach(self, event: Attach, *, attachable: bool, lost: bool) -> None:
        expected = self._expected.pop(event.session, False)
        ended = self._ended.pop(event.session, None)
        if ended is not None or not attachable or not expected:
            self._reject(event.session, ended or self.close_reason)
            return
        if event.mode.writes and event.generation < self.newest:
            self._record_event("refused", session=event.session, user=event.name, code=Code.SESSION_SUPERSEDED.value)
            self._reject(event.session, CloseReason.of(Code.SESSION_SUPERSEDED))
            return
        viewer = Viewer.of(event, self._now, self.scrollback.offset)
        self._record_event(
            "attach", session=event.session, user=event.name, subject=event.subject, mode=event.mode.value,
            generation=event.generation,
        )  # fmt: skip
        if event.mode.writes:
            self._fence(event.generation, event.name)
            if self.writer is not None:  # the same generation twice: the later one has the console
                self._displace(self.writer, event.name)
            self.writer = viewer
        self.viewers[event.session] = viewer
        self._participants = self._count_participants()
        self._send_hello(viewer, event.resume, anew=event.resume is None)
        if lost:
            self._send_event(
                viewer, "port", state="lost", message="The connection to the VM was lost; the relay dials again."
            )
        self._send_participants(but=event.session)
        self._choose_audience()

    def _reject(self, session: str, close_reason: CloseReason) -> None:
        text = text_frame("bye", code=close_reason.code, message=close_reason.message, by=None)
        self._actions += (
            SendEvent(session, text),
            Close(session, close_reason.close, close_reason.code),
            ReportDetach(session, close_reason.code, 0, 0),
        )

    def _cancel_attach(self, session: str) -> None:
        self._expected.pop(session, None)
        self._ended.pop(session, None)

    def _send_hello(self, viewer: Viewer, resume: tuple[str, int] | None, *, anew: bool = False) -> None:
        """Sends the start of the stream, then the bytes from there on.

        A viewer that comes anew first gets the bytes from before this epoch, if nothing is missing between.
        """
        start, data, gap = self._resume(resume)
        viewer.shown_from = start
        self._send_event(
            viewer, "hello", session=viewer.session, console=self.name, mode=viewer.mode.value, epoch=self._epoch,
            offset=start, live=self.scrollback.offset, gap=gap,
            writer=self._writer_field(), watchers=self._participants[1],
            idleSeconds=viewer.limits.idle_seconds, sessionSeconds=viewer.limits.session_seconds,
            typed=self._recording_settings.typed.value,
        )  # fmt: skip
        if anew and start == 0 and self._before:
            self._actions.append(ShowBefore(viewer.session, self._before))
        if data:
            self._actions.append(Show((viewer.session,), printed(start, data)))

    def _resume(self, resume: tuple[str, int] | None) -> tuple[int, bytes, bool]:
        """Returns the offset, the bytes from there on, and True if bytes that the viewer asked for are missing."""
        if resume is not None and resume[0] == self._epoch:
            data = self.scrollback.since(resume[1])
            if data is not None:
                return resume[1], data, False
        return *self.scrollback.everything(), resume is not None

    def _send_hello_again(self) -> None:
        """A new epoch: offsets start anew, so every viewer is told."""
        for viewer in self.viewers.values():
            viewer.stalled_at = None if viewer.stalled_at is None else 0
            self._send_event(viewer, "port", state="open", message="The VM's port is open again.")
            self._send_hello(viewer, None)

    def _begin_epoch(self, epoch: str) -> None:
        for viewer in self.viewers.values():
            viewer.shown = self._shown(viewer)
            viewer.shown_from = 0
        self._epoch, self._seq = epoch, 0
        self.scrollback.clear()
        self._before = b""

    # --- going ------------------------------------------------------------------------------------------------

    def _detach(self, event: Detach) -> None:
        viewer = self.viewers.get(event.session)
        self._cancel_attach(event.session)
        if viewer is not None:
            self._remove(viewer, event.why, None)

    def _end(self, event: End) -> None:
        viewer = self.viewers.get(event.session)
        if viewer is not None:
            self._end_session(viewer, CloseReason.of(event.code), event.by)
        elif event.session in self._expected:
            self._end_expected(event)

    def _end_expected(self, event: End) -> None:
        if self._expected.pop(event.session):  # let in, and perhaps about to attach
            self._ended[event.session] = CloseReason.of(event.code)
        self._actions.append(Refuse(event.session, refuse(event.code)))

    def _end_session(self, viewer: Viewer, close_reason: CloseReason, by: str | None = None) -> None:
        self._send_event(viewer, "bye", code=close_reason.code, message=close_reason.message, by=named(by))
        self._actions.append(Close(viewer.session, close_reason.close, close_reason.code))
        self._remove(viewer, close_reason.code, by)

    def _remove(self, viewer: Viewer, why: str, by: str | None) -> None:
        del self.viewers[viewer.session]
        if viewer is self.writer:
            self.writer = None
        self._unpause(viewer.session)
        self._choose_audience()
        shown = self._shown(viewer)
        self._record_event(
            "detach", session=viewer.session, user=viewer.name, why=why, by=by, typed=viewer.typed, printed=shown
        )
        self._actions.append(ReportDetach(viewer.session, why, viewer.typed, shown))

    def _shown(self, viewer: Viewer) -> int:
        """Printed bytes sent to a viewer so far, in all epochs."""
        reached = self.scrollback.offset if viewer.stalled_at is None else viewer.stalled_at
        return viewer.shown + max(0, reached - viewer.shown_from)

    def _refuse_expected(self, refusal: Refusal) -> None:
        self._actions += (Refuse(session, refusal) for session in self._expected)
        self._expected.clear()

    # --- one writer -------------------------------------------------------------------------------------------

    def _fence(self, generation: int, by: str) -> None:
        self.newest = max(self.newest, generation)
        if self.writer is not None and self.writer.generation < self.newest:
            self._displace(self.writer, by)

    def _displace(self, writer: Viewer, by: str) -> None:
        self._record_event("takeover", session=writer.session, user=writer.name, by=by, generation=self.newest)
        self._end_session(writer, CloseReason.of(Code.SESSION_SUPERSEDED), by)

    def _ask_takeover(self, event: TakeoverAsked) -> None:
        self._record_event("ask", by=event.by, generation=event.generation)
        self._takeover_requests[event.ask] = (event.generation, self._now + event.seconds)
        if self.writer is not None and self.writer.generation == event.generation:
            self._send_event(self.writer, "ask", ask=event.ask, by=named(event.by), seconds=int(event.seconds))

    def _takeover_answered(self, event: TakeoverAnswered) -> None:
        if self.writer is not None and self.writer.session == event.session and event.ask in self._takeover_requests:
            self._answer(event.ask, allow=event.allow)

    def _answer(self, ask: str, *, allow: bool) -> None:
        del self._takeover_requests[ask]
        self._record_event("answer", allow=allow)
        self._actions.append(AnswerTakeover(ask, allow))

    def _warn_unheard(self, viewer: Viewer) -> tuple[Action, ...]:
        """Warns a viewer, once, that its typed bytes are not sent."""
        if viewer.warned_unheard:
            return ()
        viewer.warned_unheard = True
        watching = viewer is not self.writer
        code = "WatchOnly" if watching else "PortLost"
        words = "You are watching: what you type is not sent." if watching else "The port is lost: not sent."
        return (SendEvent(viewer.session, text_frame("warning", code=code, message=words)),)

    # --- slow networks ----------------------------------------------------------------------------------------

    def _viewer_stalled(self, session: str) -> None:
        """Takes a slow viewer out of the live stream. A slow writer also pauses the VM, until the stall ends."""
        viewer = self.viewers.get(session)
        if viewer is None or viewer.stalled_at is not None:
            return
        viewer.stalled_at, viewer.stalled_since = self.scrollback.offset, self._now
        if viewer is self.writer:
            self._pause(session)
        self._choose_audience()

    def _viewer_resumed(self, session: str) -> None:
        """Sends a viewer what it missed and puts it back in the stream. Ends its session if too much is missed."""
        viewer = self.viewers.get(session)
        if viewer is None or viewer.stalled_at is None:
            return
        missed = self.scrollback.since(viewer.stalled_at)
        if missed is None:
            self._end_session(viewer, SLOW)
            return
        if missed:
            self._actions.append(Show((session,), printed(viewer.stalled_at, missed)))
        viewer.stalled_at = None
        self._unpause(session)
        self._choose_audience()

    # --- what is kept -----------------------------------------------------------------------------------------

    def _change_recording_settings(self, event: RecordingSettingsChanged) -> None:
        if event != self._recording_settings:
            self._recording_settings = event
            self._record_recording_settings()
            self._send_to_all("keeping", typed=event.typed.value)

    def _record_recording_settings(self) -> None:
        self._record_event("keeping", typed=self._recording_settings.typed.value, masks=self._recording_settings.masks)

    # --- time and talk ----------------------------------------------------------------------------------------

    def _tick_participants(self) -> None:
        for viewer in tuple(self.viewers.values()):
            if (code := viewer.expired(self._now)) is not None:
                self._end_session(viewer, CloseReason.of(code))
            elif viewer.stalled_at is not None and self._now - viewer.stalled_since >= STALL_SECONDS:
                self._end_session(viewer, SLOW)
            else:
                for kind, left in viewer.countdowns(self._now):
                    self._send_event(viewer, "limit", kind=kind, secondsLeft=left)

    def _settle_participants(self) -> None:
        """Answers yes for a writer that is gone or silent for too long, and tells viewers of changes."""
        for ask, (generation, until) in tuple(self._takeover_requests.items()):
            gone = self.writer is None or self.writer.generation != generation
            if gone or self._now >= until:
                self._answer(ask, allow=True)
        if self._participants != self._count_participants():
            self._participants = self._count_participants()
            self._send_participants()
