"""Who is at a console: the one writer, the watchers, and those who wait for the port to open."""

from shared.access.policy import Typing
from shared.base.refusals import Code, Refusal, refuse
from shared.console.actions import Action, AnswerTakeover, Close, Refuse, ReportDetach, SendEvent, Show, ShowBefore
from shared.console.event_log import named
from shared.console.events import Attach, Detach, End, RecordingSettingsChanged, TakeoverAnswered, TakeoverAsked
from shared.console.frames import printed, said
from shared.console.stream import Stream
from shared.console.viewers import SLOW, CloseReason, Viewer

STALL_SECONDS = 10.0
"""How long a viewer's full write buffer is waited for: what a dead network of the writer may cost the VM."""

COUNTED = RecordingSettingsChanged(Typing.COUNTED, 0)
"""What the record keeps where no policy says more."""


class Participants(Stream):
    """The half of a Console that faces its viewers; see console.py for the rules. Not used by itself."""

    __slots__ = (
        "_asks", "_before", "_ended", "_expected", "_kept",
        "farewell", "name", "newest",
    )  # fmt: skip

    def __init__(self, name: str, scrollback_bytes: int) -> None:
        super().__init__(scrollback_bytes)
        self.name = name
        self.newest = 0
        """The newest generation heard of: no older writer types."""
        self.farewell = CloseReason.of(Code.CONSOLE_FAULT)
        """Why the port was shut last: what somebody hears who was admitted just before."""
        self._expected: dict[str, bool] = {}
        """Sessions that passed every check and are not attached yet; True: admitted."""
        self._ended: dict[str, CloseReason] = {}
        """Admitted sessions that were ended before they attached, and what they will hear."""
        self._before = b""
        """What the gateway sent again as the port opened: on record before this epoch."""
        self._kept = COUNTED
        self._asks: dict[str, tuple[int, float]] = {}
        """Open questions: the generation asked, and when silence becomes a yes."""

    # --- coming -----------------------------------------------------------------------------------------------

    def _attach(self, event: Attach, *, attachable: bool, lost: bool) -> None:
        expected = self._expected.pop(event.session, False)
        ended = self._ended.pop(event.session, None)
        if ended is not None or not attachable or not expected:
            self._wave_off(event.session, ended or self.farewell)
            return
        if event.mode.writes and event.generation < self.newest:
            self._note("refused", session=event.session, user=event.name, code=Code.SESSION_SUPERSEDED.value)
            self._wave_off(event.session, CloseReason.of(Code.SESSION_SUPERSEDED))
            return
        viewer = Viewer.of(event, self._now, self.scrollback.offset)
        self._note(
            "attach", session=event.session, user=event.name, subject=event.subject, mode=event.mode.value,
            generation=event.generation,
        )  # fmt: skip
        if event.mode.writes:
            self._fence(event.generation, event.name)
            if self.writer is not None:  # the same generation twice: the later one has the console
                self._displace(self.writer, event.name)
            self.writer = viewer
        self.viewers[event.session] = viewer
        self._people = self._count()
        self._hello(viewer, event.resume, anew=event.resume is None)
        if lost:
            self._say(viewer, "port", state="lost", message="The connection to the VM was lost; the relay dials again.")
        self._say_people(but=event.session)
        self._choose_audience()

    def _wave_off(self, session: str, farewell: CloseReason) -> None:
        bye = said("bye", code=farewell.code, message=farewell.message, by=None)
        self._out += (
            SendEvent(session, bye),
            Close(session, farewell.close, farewell.code),
            ReportDetach(session, farewell.code, 0, 0),
        )

    def _forget(self, session: str) -> None:
        self._expected.pop(session, None)
        self._ended.pop(session, None)

    def _hello(self, viewer: Viewer, resume: tuple[str, int] | None, *, anew: bool = False) -> None:
        """Tells where the stream starts, then sends what was printed from there on; before it, to who comes anew, what
        was there before this epoch, if nothing is missing between.
        """
        start, kept, gap = self._resume(resume)
        viewer.shown_from = start
        self._say(
            viewer, "hello", session=viewer.session, console=self.name, mode=viewer.mode.value, epoch=self._epoch,
            offset=start, live=self.scrollback.offset, gap=gap, writer=self._writer_said(), watchers=self._people[1],
            idleSeconds=viewer.limits.idle_seconds, sessionSeconds=viewer.limits.session_seconds,
            typed=self._kept.typed.value,
        )  # fmt: skip
        if anew and start == 0 and self._before:
            self._out.append(ShowBefore(viewer.session, self._before))
        if kept:
            self._out.append(Show((viewer.session,), printed(start, kept)))

    def _resume(self, resume: tuple[str, int] | None) -> tuple[int, bytes, bool]:
        """Offset, bytes from there on, and whether something the viewer asked for is missing before them."""
        if resume is not None and resume[0] == self._epoch:
            kept = self.scrollback.since(resume[1])
            if kept is not None:
                return resume[1], kept, False
        return *self.scrollback.everything(), resume is not None

    def _greet_again(self) -> None:
        """A new epoch: offsets start anew, so every viewer is told."""
        for viewer in self.viewers.values():
            viewer.stalled_at = None if viewer.stalled_at is None else 0
            self._say(viewer, "port", state="open", message="The VM's port is open again.")
            self._hello(viewer, None)

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
        self._forget(event.session)
        if viewer is not None:
            self._remove(viewer, event.why, None)

    def _end(self, event: End) -> None:
        viewer = self.viewers.get(event.session)
        if viewer is not None:
            self._dismiss(viewer, CloseReason.of(event.code), event.by)
        elif event.session in self._expected:
            self._end_expected(event)

    def _end_expected(self, event: End) -> None:
        if self._expected.pop(event.session):  # let in, and perhaps about to attach
            self._ended[event.session] = CloseReason.of(event.code)
        self._out.append(Refuse(event.session, refuse(event.code)))

    def _dismiss(self, viewer: Viewer, farewell: CloseReason, by: str | None = None) -> None:
        self._say(viewer, "bye", code=farewell.code, message=farewell.message, by=named(by))
        self._out.append(Close(viewer.session, farewell.close, farewell.code))
        self._remove(viewer, farewell.code, by)

    def _remove(self, viewer: Viewer, why: str, by: str | None) -> None:
        del self.viewers[viewer.session]
        if viewer is self.writer:
            self.writer = None
        self._unpause(viewer.session)
        self._choose_audience()
        shown = self._shown(viewer)
        self._note(
            "detach", session=viewer.session, user=viewer.name, why=why, by=by, typed=viewer.typed, printed=shown
        )
        self._out.append(ReportDetach(viewer.session, why, viewer.typed, shown))

    def _shown(self, viewer: Viewer) -> int:
        """Printed bytes sent to a viewer so far, in all epochs."""
        reached = self.scrollback.offset if viewer.stalled_at is None else viewer.stalled_at
        return viewer.shown + max(0, reached - viewer.shown_from)

    def _turn_away(self, refusal: Refusal) -> None:
        self._out += (Refuse(session, refusal) for session in self._expected)
        self._expected.clear()

    # --- one writer -------------------------------------------------------------------------------------------

    def _fence(self, generation: int, by: str) -> None:
        self.newest = max(self.newest, generation)
        if self.writer is not None and self.writer.generation < self.newest:
            self._displace(self.writer, by)

    def _displace(self, writer: Viewer, by: str) -> None:
        self._note("takeover", session=writer.session, user=writer.name, by=by, generation=self.newest)
        self._dismiss(writer, CloseReason.of(Code.SESSION_SUPERSEDED), by)

    def _ask(self, event: TakeoverAsked) -> None:
        self._note("ask", by=event.by, generation=event.generation)
        self._asks[event.ask] = (event.generation, self._now + event.seconds)
        if self.writer is not None and self.writer.generation == event.generation:
            self._say(self.writer, "ask", ask=event.ask, by=named(event.by), seconds=int(event.seconds))

    def _answered(self, event: TakeoverAnswered) -> None:
        if self.writer is not None and self.writer.session == event.session and event.ask in self._asks:
            self._answer(event.ask, allow=event.allow)

    def _answer(self, ask: str, *, allow: bool) -> None:
        del self._asks[ask]
        self._note("answer", allow=allow)
        self._out.append(AnswerTakeover(ask, allow))

    def _unheard(self, viewer: Viewer) -> tuple[Action, ...]:
        """Somebody types who cannot be heard: said once."""
        if viewer.told_unheard:
            return ()
        viewer.told_unheard = True
        watching = viewer is not self.writer
        code = "WatchOnly" if watching else "PortLost"
        words = "You are watching: what you type is not sent." if watching else "The port is lost: not sent."
        return (SendEvent(viewer.session, said("warning", code=code, message=words)),)

    # --- slow networks ----------------------------------------------------------------------------------------

    def _slow(self, session: str) -> None:
        """It leaves the live stream; the writer's slowness also holds the VM, for as long as a stall may last."""
        viewer = self.viewers.get(session)
        if viewer is None or viewer.stalled_at is not None:
            return
        viewer.stalled_at, viewer.stalled_since = self.scrollback.offset, self._now
        if viewer is self.writer:
            self._pause(session)
        self._choose_audience()

    def _eased(self, session: str) -> None:
        """It gets what it missed from the scrollback and is back in the stream; too much missed, and it must go."""
        viewer = self.viewers.get(session)
        if viewer is None or viewer.stalled_at is None:
            return
        missed = self.scrollback.since(viewer.stalled_at)
        if missed is None:
            self._dismiss(viewer, SLOW)
            return
        if missed:
            self._out.append(Show((session,), printed(viewer.stalled_at, missed)))
        viewer.stalled_at = None
        self._unpause(session)
        self._choose_audience()

    # --- what is kept -----------------------------------------------------------------------------------------

    def _keep(self, event: RecordingSettingsChanged) -> None:
        if event != self._kept:
            self._kept = event
            self._note_keeping()
            self._say_all("keeping", typed=event.typed.value)

    def _note_keeping(self) -> None:
        self._note("keeping", typed=self._kept.typed.value, masks=self._kept.masks)

    # --- time and talk ----------------------------------------------------------------------------------------

    def _tick_people(self) -> None:
        for viewer in tuple(self.viewers.values()):
            if (code := viewer.expired(self._now)) is not None:
                self._dismiss(viewer, CloseReason.of(code))
            elif viewer.stalled_at is not None and self._now - viewer.stalled_since >= STALL_SECONDS:
                self._dismiss(viewer, SLOW)
            else:
                for kind, left in viewer.countdowns(self._now):
                    self._say(viewer, "limit", kind=kind, secondsLeft=left)

    def _settle_people(self) -> None:
        """Questions to a writer who is gone, or silent for too long, are answered yes; changes are told."""
        for ask, (generation, until) in tuple(self._asks.items()):
            gone = self.writer is None or self.writer.generation != generation
            if gone or self._now >= until:
                self._answer(ask, allow=True)
        if self._people != self._count():
            self._people = self._count()
            self._say_people()
