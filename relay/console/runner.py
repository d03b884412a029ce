"""Runs one console: reports events to shared/console/console.py and carries its actions out."""

from collections import deque
from typing import assert_never

from relay.console.callbacks import AttachedViewer, RunnerCallbacks
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
"""Actions that are left out if a record before them cannot be written."""


class ConsoleRunner:
    """Runs one VM's console on the event loop's thread. Events that actions cause are queued until these are done."""

    def __init__(self, vm: VmId, dependencies: RelayDependencies, callbacks: RunnerCallbacks) -> None:
        self.vm = vm
        self._dependencies, self._callbacks = dependencies, callbacks
        self._console = Console(
            vm.console, scrollback_bytes=dependencies.scrollback_bytes, linger=dependencies.linger_seconds
        )
        self._now = dependencies.clock.now
        self.viewers: dict[str, AttachedViewer] = {}
        self._pending_attaches = PendingReplies[Refusal | None]()
        self._pending_takeovers = PendingReplies[bool]()
        self._pending_commands = PendingReplies[Refusal | None]()
        self._epoch_writer = EpochWriter(vm, dependencies)
        tail = dependencies.epochs.tail(vm.console)
        self.recording_filter = RecordingFilter(self.handle, dependencies.mask_key, tail)
        self.connection = SerialConnection(vm, dependencies, callbacks, self.recording_filter, self.handle)
        self._paused = False
        """The console wants the VM to wait."""
        self.settings_version = 0
        """Counts changes of settings. A heartbeat's answer that began before the newest change is out of date."""
        self._pending_writes = PendingWrites()
        self._acting = False
        self._queue: deque[Event] = deque()

    @property
    def idle(self) -> bool:
        return self._console.idle and not self._pending_attaches and not self._pending_writes

    @property
    def has_pending_writes(self) -> bool:
        """True while actions wait for a disk that takes no record."""
        return bool(self._pending_writes)

    # --- events -----------------------------------------------------------------------------------------

    async def expect(self, grant: Grant) -> Refusal | None:
        """Waits for the VM's port. Returns None when it is open, else a refusal. Cancelled if the client leaves."""
        event = AttachPending(grant.session, grant.mode, grant.generation)
        return await self._pending_attaches.wait_for(grant.session, lambda: self.handle(event))

    def forget(self, session: str) -> None:
        self.handle(VisitCancelled(session))

    def attach(
        self, grant: Grant, admission: Admission, viewer: AttachedViewer, resume: tuple[str, int] | None
    ) -> None:
        self.viewers[grant.session] = viewer
        self.recording_filter.names[grant.session] = grant.name
        limits = SessionLimits(admission.idle_seconds, admission.session_seconds)
        self.handle(Attach(grant.session, grant.mode, grant.generation, grant.name, grant.subject, limits, resume))

    def typed(self, session: str, data: bytes) -> None:
        self.handle(Typed(session, data))

    def detach(self, session: str, why: str) -> None:
        self.viewers.pop(session, None)
        self.handle(Detach(session, why))

    async def ask(self, ask: str, generation: int, by: str, seconds: float) -> bool:
        """Asks the writer of this generation to leave, for `seconds`. Returns True if it does."""
        return await self._pending_takeovers.wait_for(
            ask, lambda: self.handle(TakeoverAsked(ask, generation, by, seconds))
        )

    async def command(self, command: str, act: Command, keys: str, by: str) -> Refusal | None:
        """Sends a command down the line. Returns None when the gateway has done it, else the refusal."""
        return await self._pending_commands.wait_for(command, lambda: self.handle(Commanded(command, act, keys, by)))

    def note(self, act: Command, by: str) -> None:
        self.handle(CommandNoted(act, by))

    def apply(self, settings: RecordingSettings) -> None:
        """Applies recording settings from now on."""
        self.settings_version += 1
        self.recording_filter.apply(settings)

    def capture(self, *, on: bool) -> None:
        """Turns recording without a viewer on or off."""
        if on != self.captured:
            self.handle(Capture(on))

    @property
    def captured(self) -> bool:
        return self._console.captured

    def tick(self) -> None:
        if self._pending_writes:
            self._retry_writes()
        self.recording_filter.tick()
        self.handle(Tick())

    def handle(self, event: Event) -> None:
        if not self._acting and not isinstance(event, (Printed, Typed)):
            self.connection.flush()  # what was read is recorded before anything can end the epoch
        self._queue.append(event)
        if not self._acting:
            self._work(())

    # --- actions --------------------------------------------------------------------------------

    def _work(self, actions: tuple[Action, ...]) -> None:
        """Performs these actions, then those of the events that were queued meanwhile."""
        self._acting = True
        try:
            self._perform(actions)
            while self._queue:
                self._perform(self._console.handle(self._queue.popleft(), self._now()))
        finally:
            self._acting = False

    def _perform(self, actions: tuple[Action, ...]) -> None:
        if self._pending_writes:
            self._pending_writes.add(actions, self._now())
            return
        for at, action in enumerate(actions):
            if not self._done(action):
                self._pending_writes.add(actions[at:], self._now())
                self._pause_or_resume()
                return

    def _done(self, action: Action) -> bool:
        """Performs one action. Returns False if its record could not be written; no other action fails here."""
        match action:  # the hot ones
            case Write():
                return self._epoch_writer.write(action.record)
            case Show():
                for session in action.to:
                    if (viewer := self.viewers.get(session)) is not None:  # else it has just gone
                        viewer.show(action.frame)
            case TypeToPort():
                self.connection.type(action.session, action.data)
            case BeginEpoch():
                return self._epoch_writer.begin(action.epoch)
            case SendCommand() | OpenPort() | ClosePort() | DropPort() | PausePort() | ResumePort() | EndEpoch():
                self._to_port(action)
            case _:
                self._to_people(action)
        return True

    def _retry_writes(self) -> None:
        """Tries the waiting writes again, and gives them up after PENDING_WRITE_SECONDS."""
        self._work(self._pending_writes.take())
        if not self._pending_writes:
            self._pending_writes.end()
            self._pause_or_resume()
            self._dependencies.log("recording-again", vm=self.vm.console)
        elif self._pending_writes.expired(self._now()):
            self._give_up()

    def _give_up(self) -> None:
        """Leaves out the actions that need a record, performs the others, and ends every session."""
        actions = self._pending_writes.take()
        self._pending_writes.end()
        self._acting = True  # should that fill the spool, the console hears of it afterwards
        try:
            self._epoch_writer.give_up()
            self.connection.forget_recorded_tail()
        finally:
            self._acting = False
        for action in actions:
            if isinstance(action, SendCommand):
                self._pending_commands.resolve(action.command, refuse(Code.AUDIT_UNAVAILABLE))
        self._queue.appendleft(RecordFailed())
        self._work(tuple(action for action in actions if not isinstance(action, _NEED_THE_RECORD)))

    def _pause_or_resume(self) -> None:
        """Pauses the VM while the console wants it, or while a record waits for the disk; else resumes it."""
        self.connection.pause_or_resume(wait=self._paused or bool(self._pending_writes))

    def _to_port(self, action: PortAction) -> None:
        match action:
            case SendCommand():
                self._callbacks.start("command", self._carry(action))
            case OpenPort():
                self._paused = False
                self._pause_or_resume()
                self.connection.open()
            case ClosePort():
                self.connection.close()
            case DropPort():
                self.connection.drop()
            case PausePort() | ResumePort():
                self._paused = isinstance(action, PausePort)
                self._pause_or_resume()
            case EndEpoch():
                self._epoch_writer.end()
            case _:
                assert_never(action)

    def _to_people(self, action: PeopleAction) -> None:
        match action:
            case Admit(session):
                self._pending_attaches.resolve(session, None)
            case SendEvent() | ShowBefore() | Close():
                if (viewer := self.viewers.get(action.session)) is not None:  # else it has just gone
                    self._to_viewer(viewer, action)
            case Refuse(session, refusal):
                if not self._pending_attaches.resolve(session, refusal):
                    self._callbacks.turned_away(session, refusal)
            case ReportDetach(session, why, typed, printed):
                self.recording_filter.left(session)
                self._callbacks.detached(session, why, typed, printed)
            case RefuseCommand(command, refusal):
                self._pending_commands.resolve(command, refusal)
            case AnswerTakeover(ask, allow):
                self._pending_takeovers.resolve(ask, allow)
            case _:
                assert_never(action)

    def _to_viewer(self, viewer: AttachedViewer, action: SendEvent | ShowBefore | Close) -> None:
        match action:
            case SendEvent(_, text):
                viewer.say(text)
            case ShowBefore(_, data):
                viewer.show_before(data)
            case Close(session, code, reason):
                del self.viewers[session]
                viewer.close(code, reason)
            case _:
                assert_never(action)

    async def _carry(self, action: SendCommand) -> None:
        """Carries out a command to its end, even if its caller no longer waits."""
        refusal: Refusal | None = refuse(Code.CONSOLE_FAULT, target=self.vm.resource_id)
        try:
            refusal = await self.connection.command(action.act, action.keys)
        finally:
            if refusal is not None:
                self.handle(CommandFailed(action.act, refusal))
            self._pending_commands.resolve(action.command, refusal)
