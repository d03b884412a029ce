"""The skin of one console: reports events to shared/console/console.py and carries its actions out."""

from collections import deque
from typing import assert_never

from relay.console.callbacks import RunnerCallbacks, ViewerScreen
from relay.console.epoch_writer import EpochWriter
from relay.console.pending_replies import PendingReplies
from relay.console.pending_writes import PendingWrites
from relay.console.recording_filter import RecordingFilter
from relay.console.serial_connection import SerialConnection
from relay.dependencies import RelayDependencies
from shared.access.commands import Command
from shared.access.recording_settings import RecordingSettings
from shared.base.refusals import Code, Refusal, refuse
from shared.base.vm import VmId
from shared.console.actions import (
    Action,
    Admit,
    AnswerTakeover,
    BeginEpoch,
    Close,
    ClosePort,
    DropPort,
    EndEpoch,
    OpenPort,
    PausePort,
    PeopleAction,
    PortAction,
    Refuse,
    RefuseCommand,
    ReportDetach,
    ResumePort,
    SendCommand,
    SendEvent,
    Show,
    ShowBefore,
    TypeToPort,
    Write,
)
from shared.console.console import Console
from shared.console.events import (
    Attach,
    AttachPending,
    Capture,
    Commanded,
    CommandFailed,
    CommandNoted,
    Detach,
    Event,
    Printed,
    RecordFailed,
    SessionLimits,
    TakeoverAsked,
    Tick,
    Typed,
    VisitCancelled,
)
from shared.session.grant import Grant
from shared.session.ports import Admission

_NEED_THE_RECORD = (Admit, BeginEpoch, SendCommand, Show, ShowBefore, TypeToPort, Write)
"""What is not done when what comes before it cannot be recorded."""


class ConsoleRunner:
    """One per VM. Everything happens on the event loop's thread; events that actions cause wait for their turn."""

    def __init__(self, vm: VmId, dependencies: RelayDependencies, office: RunnerCallbacks) -> None:
        self.vm = vm
        self._dependencies, self._office = dependencies, office
        self._console = Console(
            vm.console, scrollback_bytes=dependencies.scrollback_bytes, linger=dependencies.linger_seconds
        )
        self._now = dependencies.clock.now
        self.screens: dict[str, ViewerScreen] = {}
        self._visitors = PendingReplies[Refusal | None]()
        self._asks = PendingReplies[bool]()
        self._commands = PendingReplies[Refusal | None]()
        self._tape = EpochWriter(vm, dependencies)
        self.ear = RecordingFilter(self.handle, dependencies.mask_key, dependencies.epochs.tail(vm.console))
        self.wire = SerialConnection(vm, dependencies, office, self.ear, self.handle)
        self._paused = False
        """The console wants the VM to wait."""
        self.told_to_keep = 0
        """How often: an answer to a question from before is out of date."""
        self._standstill = PendingWrites()
        self._acting = False
        self._later: deque[Event] = deque()

    @property
    def idle(self) -> bool:
        return self._console.idle and not self._visitors and not self._standstill

    @property
    def stands_still(self) -> bool:
        """Something waits for a disk that takes no record."""
        return bool(self._standstill)

    # --- what happens -----------------------------------------------------------------------------------------

    async def expect(self, grant: Grant) -> Refusal | None:
        """Returns when the VM's port is open, None, or is not going to be. Cancelled: the visitor went away."""
        expect = AttachPending(grant.session, grant.mode, grant.generation)
        return await self._visitors.after(grant.session, lambda: self.handle(expect))

    def forget(self, session: str) -> None:
        self.handle(VisitCancelled(session))

    def attach(self, grant: Grant, admission: Admission, screen: ViewerScreen, resume: tuple[str, int] | None) -> None:
        self.screens[grant.session] = screen
        self.ear.names[grant.session] = grant.name
        limits = SessionLimits(admission.idle_seconds, admission.session_seconds)
        self.handle(Attach(grant.session, grant.mode, grant.generation, grant.name, grant.subject, limits, resume))

    def typed(self, session: str, data: bytes) -> None:
        self.handle(Typed(session, data))

    def detach(self, session: str, why: str) -> None:
        self.screens.pop(session, None)
        self.handle(Detach(session, why))

    async def ask(self, ask: str, generation: int, by: str, seconds: float) -> bool:
        """Whether the writer of this generation leaves."""
        return await self._asks.after(ask, lambda: self.handle(TakeoverAsked(ask, generation, by, seconds)))

    async def command(self, command: str, act: Command, keys: str, by: str) -> Refusal | None:
        """Returns when the VM's gateway has done it, or is not going to."""
        return await self._commands.after(command, lambda: self.handle(Commanded(command, act, keys, by)))

    def note(self, act: Command, by: str) -> None:
        self.handle(CommandNoted(act, by))

    def keep(self, keeping: RecordingSettings) -> None:
        """What the record keeps of this console from now on."""
        self.told_to_keep += 1
        self.ear.keep(keeping)

    def capture(self, *, on: bool) -> None:
        """Whether it is recorded though nobody is there."""
        if on != self.captured:
            self.handle(Capture(on))

    @property
    def captured(self) -> bool:
        return self._console.captured

    def tick(self) -> None:
        if self._standstill:
            self._try_again()
        self.ear.tick()
        self.handle(Tick())

    def handle(self, event: Event) -> None:
        if not self._acting and not isinstance(event, (Printed, Typed)):
            self.wire.flush()  # what was read is recorded before anything can end the epoch
        self._later.append(event)
        if not self._acting:
            self._work(())

    # --- what is done about it --------------------------------------------------------------------------------

    def _work(self, actions: tuple[Action, ...]) -> None:
        """Does these, and then what comes of the events that happened meanwhile."""
        self._acting = True
        try:
            self._perform(actions)
            while self._later:
                self._perform(self._console.handle(self._later.popleft(), self._now()))
        finally:
            self._acting = False

    def _perform(self, actions: tuple[Action, ...]) -> None:
        if self._standstill:
            self._standstill.add(actions, self._now())
            return
        for at, action in enumerate(actions):
            if not self._done(action):
                self._standstill.add(actions[at:], self._now())
                self._hold()
                return

    def _done(self, action: Action) -> bool:
        """Whether it could be done: what has to be recorded may fail, everything else ends here."""
        match action:  # the hot ones
            case Write():
                return self._tape.write(action.record)
            case Show():
                for session in action.to:
                    if (screen := self.screens.get(session)) is not None:  # else it has just gone
                        screen.show(action.frame)
            case TypeToPort():
                self.wire.type(action.session, action.data)
            case BeginEpoch():
                return self._tape.begin(action.epoch)
            case SendCommand() | OpenPort() | ClosePort() | DropPort() | PausePort() | ResumePort() | EndEpoch():
                self._to_port(action)
            case _:
                self._to_people(action)
        return True

    def _try_again(self) -> None:
        """The disk may have room again; when it has had none for too long, what was to be recorded is given up."""
        self._work(self._standstill.take())
        if not self._standstill:
            self._standstill.end()
            self._hold()
            self._dependencies.log("recording-again", vm=self.vm.console)
        elif self._standstill.hopeless(self._now()):
            self._give_up()

    def _give_up(self) -> None:
        """What depends on the record is not done; the rest is, and everybody goes."""
        actions = self._standstill.take()
        self._standstill.end()
        self._acting = True  # should that fill the spool, the console hears of it afterwards
        try:
            self._tape.give_up()
            self.wire.unrecorded()
        finally:
            self._acting = False
        for action in actions:
            if isinstance(action, SendCommand):
                self._commands.give(action.command, refuse(Code.AUDIT_UNAVAILABLE))
        self._later.appendleft(RecordFailed())
        self._work(tuple(action for action in actions if not isinstance(action, _NEED_THE_RECORD)))

    def _hold(self) -> None:
        """The VM waits while the console wants it to, and while something cannot be recorded."""
        self.wire.hold(wait=self._paused or bool(self._standstill))

    def _to_port(self, action: PortAction) -> None:
        match action:
            case SendCommand():
                self._office.start("command", self._carry(action))
            case OpenPort():
                self._paused = False
                self._hold()
                self.wire.open()
            case ClosePort():
                self.wire.close()
            case DropPort():
                self.wire.drop()
            case PausePort() | ResumePort():
                self._paused = isinstance(action, PausePort)
                self._hold()
            case EndEpoch():
                self._tape.end()
            case _:
                assert_never(action)

    def _to_people(self, action: PeopleAction) -> None:
        match action:
            case Admit(session):
                self._visitors.give(session, None)
            case SendEvent() | ShowBefore() | Close():
                if (screen := self.screens.get(action.session)) is not None:  # else it has just gone
                    self._to_screen(screen, action)
            case Refuse(session, refusal):
                if not self._visitors.give(session, refusal):
                    self._office.turned_away(session, refusal)
            case ReportDetach(session, why, typed, printed):
                self.ear.left(session)
                self._office.detached(session, why, typed, printed)
            case RefuseCommand(command, refusal):
                self._commands.give(command, refusal)
            case AnswerTakeover(ask, allow):
                self._asks.give(ask, allow)
            case _:
                assert_never(action)

    def _to_screen(self, screen: ViewerScreen, action: SendEvent | ShowBefore | Close) -> None:
        match action:
            case SendEvent(_, text):
                screen.say(text)
            case ShowBefore(_, data):
                screen.show_before(data)
            case Close(session, code, reason):
                del self.screens[session]
                screen.close(code, reason)
            case _:
                assert_never(action)

    async def _carry(self, action: SendCommand) -> None:
        """An act once begun goes on, whether or not whoever asked for it still waits."""
        refusal: Refusal | None = refuse(Code.CONSOLE_FAULT, target=self.vm.resource_id)
        try:
            refusal = await self.wire.command(action.act, action.keys)
        finally:
            if refusal is not None:
                self.handle(CommandFailed(action.act, refusal))
            self._commands.give(action.command, refusal)
