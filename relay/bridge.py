"""The skin of one console: reports events to shared/domain/console.py and carries its actions out."""

from collections import deque
from collections.abc import Coroutine
from typing import Any, Protocol, assert_never

from relay.answers import Answers
from relay.ear import Ear
from relay.line import Line
from relay.world import World
from shared.domain.acts import Act
from shared.domain.console import Console, Port
from shared.domain.console_actions import (
    Action,
    Admit,
    AnswerAsk,
    BeginEpoch,
    Close,
    ClosePort,
    DropPort,
    EndEpoch,
    OpenPort,
    PausePort,
    Refuse,
    RefuseCommand,
    ReportDetach,
    ResumePort,
    Say,
    SendCommand,
    Show,
    TypeToPort,
    Write,
)
from shared.domain.console_events import (
    Ask,
    Attach,
    Capture,
    Commanded,
    CommandFailed,
    Detach,
    Event,
    Expect,
    Forget,
    Limits,
    Noted,
    PortLost,
    PortOpened,
    PortRefused,
    Printed,
    RecordFailed,
    Tick,
    Typed,
)
from shared.domain.grant import Grant
from shared.domain.keeping import Keeping
from shared.domain.record import Source, epoch_name
from shared.domain.refusals import Code, Refusal, refuse
from shared.domain.vm import VmId
from shared.ports import Admission, Recorder, SerialPort, Unavailable


class Screen(Protocol):
    """A browser's accepted socket."""

    def show(self, frame: bytes) -> None: ...

    def say(self, text: str) -> None: ...

    def close(self, code: int, reason: str) -> None: ...


class Office(Protocol):
    """Who does what takes longer than an event: the relay."""

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Runs a coroutine in the background, until it ends or the relay does."""
        ...

    def turned_away(self, session: str, refusal: Refusal) -> None:
        """A visitor was let in, and must go before they joined the console."""
        ...

    def detached(self, session: str, why: str, typed: int, printed: int) -> None: ...


class Bridge:
    """One per VM. Everything happens on the event loop's thread; events that actions cause wait for their turn."""

    def __init__(self, vm: VmId, world: World, office: Office) -> None:
        self.vm = vm
        self._world, self._office = world, office
        self._console = Console(vm.console, scrollback_bytes=world.scrollback_bytes, linger=world.linger_seconds)
        self._now = world.clock.now
        self.screens: dict[str, Screen] = {}
        self._visitors = Answers[Refusal | None]()
        self._asks = Answers[bool]()
        self._commands = Answers[Refusal | None]()
        self._recorder: Recorder | None = None
        self._line: Line | None = None
        self._port: SerialPort | None = None
        self.ear = Ear(self.handle, world.mask_key)
        self._acting = False
        self._later: deque[Event] = deque()
        self.printed_bytes = 0
        self.typed_bytes = 0

    @property
    def idle(self) -> bool:
        return self._console.idle and not self._visitors

    # --- what happens -----------------------------------------------------------------------------------------

    async def expect(self, grant: Grant) -> Refusal | None:
        """Returns when the VM's port is open, None, or is not going to be. Cancelled: the visitor went away."""
        expect = Expect(grant.session, grant.mode, grant.generation)
        return await self._visitors.after(grant.session, lambda: self.handle(expect))

    def forget(self, session: str) -> None:
        self.handle(Forget(session))

    def attach(self, grant: Grant, admission: Admission, screen: Screen, resume: tuple[str, int] | None) -> None:
        self.screens[grant.session] = screen
        self.ear.names[grant.session] = grant.name
        limits = Limits(admission.idle_seconds, admission.session_seconds)
        self.handle(
            Attach(grant.session, grant.mode, grant.generation, grant.name, grant.subject, limits, resume)
        )  # fmt: skip

    def typed(self, session: str, data: bytes) -> None:
        self.handle(Typed(session, data))

    def detach(self, session: str, why: str) -> None:
        self.screens.pop(session, None)
        self.handle(Detach(session, why))

    async def ask(self, ask: str, generation: int, by: str, seconds: float) -> bool:
        """Whether the writer of this generation leaves."""
        return await self._asks.after(ask, lambda: self.handle(Ask(ask, generation, by, seconds)))

    async def command(self, command: str, act: Act, keys: str, by: str) -> Refusal | None:
        """Returns when the VM's gateway has done it, or is not going to."""
        return await self._commands.after(command, lambda: self.handle(Commanded(command, act, keys, by)))

    def note(self, act: Act, by: str) -> None:
        self.handle(Noted(act, by))

    def keep(self, keeping: Keeping) -> None:
        """What the record keeps of this console from now on."""
        self.ear.keep(keeping)

    def capture(self, *, on: bool) -> None:
        """Whether it is recorded though nobody is there."""
        if on != self.captured:
            self.handle(Capture(on))

    @property
    def captured(self) -> bool:
        return self._console.captured

    def tick(self) -> None:
        self.ear.tick()
        self.handle(Tick())

    def _printed(self, data: bytes) -> None:
        self.printed_bytes += len(data)
        self.ear.printed(data)

    def _lost(self, taken_over: bool, why: str) -> None:  # noqa: FBT001 - shared.ports.PortListener's words
        self.ear.flush()
        self._line = self._port = None
        event = "port-closed" if self._console.port is Port.CLOSING else "port-lost"
        self._world.log(event, vm=self.vm.console, taken_over=taken_over, why=why)
        self.handle(PortLost(taken_over, why))

    def handle(self, event: Event) -> None:
        if self._acting:
            self._later.append(event)
            return
        if self._line is not None and not isinstance(event, (Printed, Typed)):
            self._line.flush()  # what was read is recorded before anything can end the epoch
        self._acting = True
        try:
            self._perform(self._console.handle(event, self._now()))
            while self._later:
                self._perform(self._console.handle(self._later.popleft(), self._now()))
        finally:
            self._acting = False

    # --- what is done about it --------------------------------------------------------------------------------

    def _perform(self, actions: tuple[Action, ...]) -> None:  # noqa: C901, PLR0912 - the hot ones of one match
        recorded = True
        for action in actions:
            match action:
                case Write():
                    recorded = recorded and self._write(action)
                case Show():
                    if recorded:
                        for session in action.to:
                            if (screen := self.screens.get(session)) is not None:  # else it has just gone
                                screen.show(action.frame)
                case TypeToPort():
                    self._type(action)
                case BeginEpoch():
                    recorded = recorded and self._begin(action.epoch)
                case Admit():
                    if recorded:
                        self._visitors.give(action.session, None)
                case SendCommand():
                    self._send(action, recorded=recorded)
                case _:
                    self._perform_rare(action)
        if not recorded:
            self._recorder = None
            self._later.appendleft(RecordFailed())

    def _perform_rare(  # noqa: C901, PLR0912 - one short case per action
        self,
        action: Say
        | Close
        | Refuse
        | OpenPort
        | ClosePort
        | DropPort
        | PausePort
        | ResumePort
        | EndEpoch
        | ReportDetach
        | RefuseCommand
        | AnswerAsk,
    ) -> None:
        match action:
            case Say(session, text):
                if (screen := self.screens.get(session)) is not None:
                    screen.say(text)
            case Close(session, code, reason):
                if (screen := self.screens.pop(session, None)) is not None:
                    screen.close(code, reason)
            case Refuse(session, refusal):
                if not self._visitors.give(session, refusal):
                    self._office.turned_away(session, refusal)
            case OpenPort():
                self._open_port()
            case ClosePort():
                self._close_port()
            case DropPort():
                self._drop_port()
            case PausePort():
                if self._port is not None:
                    self._port.pause()
            case ResumePort():
                if self._port is not None:
                    self._port.resume()
            case EndEpoch():
                self._recorder = None
            case ReportDetach(session, why, typed, printed):
                self.ear.left(session)
                self._office.detached(session, why, typed, printed)
            case RefuseCommand(command, refusal):
                self._commands.give(command, refusal)
            case AnswerAsk(ask, allow):
                self._asks.give(ask, allow)
            case _:
                assert_never(action)

    def _begin(self, epoch: str) -> bool:
        try:
            self._recorder = self._world.epochs.begin(Source(self.vm.console, epoch, self._world.name))
        except OSError as error:
            self._world.log("record-failed", vm=self.vm.console, why=error.strerror)
            return False
        return True

    def _write(self, action: Write) -> bool:
        if self._recorder is None:
            return False
        try:
            self._recorder.append(action.record)
        except OSError as error:
            self._world.log("record-failed", vm=self.vm.console, why=error.strerror)
            return False
        return True

    def _type(self, action: TypeToPort) -> None:
        if self._port is not None and self._line is not None:
            self.typed_bytes += len(action.data)
            self._line.typed()
            self.ear.typed(action.session, action.data)
            self._port.type(action.data)

    def _send(self, action: SendCommand, *, recorded: bool) -> None:
        if recorded and self._port is not None:
            self._office.start("command", self._carry(self._port, action))
        else:
            self._commands.give(action.command, refuse(Code.AUDIT_UNAVAILABLE))

    async def _carry(self, port: SerialPort, action: SendCommand) -> None:
        """An act once begun goes on, whether or not whoever asked for it still waits."""
        refusal: Refusal | None = refuse(Code.CONSOLE_FAULT, target=self.vm.resource_id)
        try:
            refusal = await port.command(action.act, action.keys)
        finally:
            if refusal is not None:
                self.handle(CommandFailed(action.act, refusal))
            self._commands.give(action.command, refusal)

    def _open_port(self) -> None:
        self._line = Line(self._printed, self._lost)
        self._office.start("dial", self._dial(self._line))

    async def _dial(self, line: Line) -> None:
        try:
            outcome = await self._world.ports.open(self.vm, line)
        except Unavailable as error:
            self._world.log("port-unavailable", vm=self.vm.console, what=error.what)
            outcome = refuse(Code.GATEWAY_TIMEOUT, target=self.vm.resource_id)
        except Exception as error:  # noqa: BLE001 - whoever waits for the port must hear of it; the log has the fault
            self._world.log("fault", vm=self.vm.console, where="dial", error=type(error).__name__)
            outcome = refuse(Code.CONSOLE_FAULT, target=self.vm.resource_id)
        if line is not self._line:  # closed while it was being opened
            if not isinstance(outcome, Refusal):
                await outcome.close()
        elif isinstance(outcome, Refusal):
            self._line = None
            self._world.log("port-refused", vm=self.vm.console, code=outcome.code.value)
            self.handle(PortRefused(outcome))
        else:
            self._opened(line, outcome)

    def _opened(self, line: Line, port: SerialPort) -> None:
        self._port = port
        self.ear.begin()
        epoch = epoch_name(int(self._now() * 1e6), self._world.nonce())
        self._world.log("port-open", vm=self.vm.console, epoch=epoch)
        self.handle(PortOpened(epoch))
        if line is self._line:  # else it could not be recorded, and is closed
            line.opened()

    def _close_port(self) -> None:
        if self._line is not None and self._port is not None:
            self._office.start("close port", self._read_out(self._line, self._port))

    async def _read_out(self, line: Line, port: SerialPort) -> None:
        """However the goodbye ends, the console hears that the port is closed."""
        try:
            await port.close()
        finally:
            line.lost(False, "closed")  # noqa: FBT003 - nothing, where the port has said so itself

    def _drop_port(self) -> None:
        line, port, self._line, self._port = self._line, self._port, None, None
        if line is not None:
            line.drop()
        if port is not None:
            self._world.log("port-dropped", vm=self.vm.console)
            self._office.start("drop port", port.close())
