"""The relay's state machine: one Console per VM; events in, actions out, no I/O and no clock.

    CLOSED --Expect--> OPENING --PortOpened--> OPEN --PortLost--> LOST --PortOpened--> OPEN
       ^                  | PortRefused         | nobody left for `linger`  | refused for good, or for 60 s
       +------------------+                     v                           |
       +---------PortLost-------------------CLOSING                         |
       +--------------------------------------------------------------------+

An epoch begins with PortOpened and ends, with its END record, when the port is closed or opened again; while the
port is LOST its records still go to the epoch that was. CLOSING is the time between our goodbye and the gateway's:
what it had sent by then is the VM's output like all before, and is recorded, though nobody is there to see it. A dial
under way is not cut off either: what opens is closed in the same way. Rules that hold at every moment:

- Every byte is in a Write before it is in a Show, and sequence numbers have no holes.
- What a gateway handed over is recorded, unless recording itself fails.
- There is at most one writer, and its generation is the newest that the console has heard of.
- A viewer is shown every byte of an epoch from its `hello` on, once, in order - or its session ends.
- What is typed is counted; it is in no record but a TypedLine, where a policy wants it, and in no text.
- An act is in a Write, with who did it, before it is sent.

Opening, losing and shutting the port is here; who may look and type is in console_people.py, what is told to whom in
console_voice.py.
"""

from enum import Enum, auto
from typing import Final, assert_never

from shared.domain.console_actions import (
    Action,
    Admit,
    BeginEpoch,
    ClosePort,
    DropPort,
    EndEpoch,
    OpenPort,
    PausePort,
    Refuse,
    Show,
    TypeToPort,
    Write,
)
from shared.domain.console_events import (
    Answered,
    Ask,
    Attach,
    Capture,
    Commanded,
    CommandFailed,
    Detach,
    Drain,
    Eased,
    End,
    Event,
    Expect,
    Fence,
    Forget,
    Keep,
    Noted,
    PortLost,
    PortOpened,
    PortRefused,
    Printed,
    RecordFailed,
    Slow,
    SpoolFull,
    SpoolRoom,
    Tick,
    Typed,
    TypedLine,
)
from shared.domain.console_people import People
from shared.domain.frames import printed
from shared.domain.policy import Typing
from shared.domain.record import Kind, Record
from shared.domain.refusals import TABLE, Code, Refusal, refuse
from shared.domain.viewers import Farewell

REDIAL_SECONDS = 60.0
"""How long a lost port is dialled again before its sessions end."""
BACKOFF = (1.0, 2.0, 4.0, 8.0, 15.0)
CAPTURE_BACKOFF = (15.0, 30.0, 60.0, 120.0, 300.0)
"""Pauses between the dials of a console that is recorded without a viewer: the VM may be off for days."""
SPANS = 1000
"""Masked stretches told in one record."""
MAX_PRINTED = 64 * 1024
"""Bytes in one record."""


class IllegalMove(Exception):
    """The skin reported what cannot happen in this state. Nothing was changed."""


class Port(Enum):
    CLOSED = auto()
    OPENING = auto()
    OPEN = auto()
    LOST = auto()
    CLOSING = auto()


class Console(People):
    """`name` is the VM's console name; `linger` is how long (s) the port stays open after the last one left."""

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
        """Not to be dialled for its own sake before."""
        self._capture_dials = 0
        self._why_closing = ""
        """What the END record of the epoch says that CLOSING ends."""

    @property
    def idle(self) -> bool:
        """Nothing is open and nobody is there: it may be forgotten."""
        return self.port is Port.CLOSED and not self.viewers and not self._expected and not self.captured

    def handle(self, event: Event, now: float) -> tuple[Action, ...]:  # noqa: C901, PLR0912, PLR0915 - one line per event
        """`now` is seconds since 1970. Raises IllegalMove."""
        match event:  # the two that happen for every keystroke come first and leave early
            case Printed():
                return self._printed(event, now)
            case Typed():
                return self._typed(event, now)
        self._now, self._out = now, []
        match event:
            case Expect():
                self._expect(event)
            case Forget():
                self._forget(event.session)
            case Attach():
                self._attach(event, attachable=self.port in (Port.OPEN, Port.LOST), lost=self.port is Port.LOST)
            case Detach():
                self._detach(event)
            case PortOpened():
                self._port_opened(event.epoch)
            case PortRefused():
                self._port_refused(event.refusal)
            case PortLost():
                self._port_lost(event)
            case Fence():
                self._fence(event.generation, event.by)
            case End():
                self._end(event)
            case Ask():
                self._ask(event)
            case Answered():
                self._answered(event)
            case Commanded():
                self._commanded(event, reachable=self.port is Port.OPEN)
            case CommandFailed():
                self._command_failed(event)
            case Noted():
                self._noted(event)
            case Slow():
                self._slow(event.session)
            case Eased():
                self._eased(event.session)
            case Tick():
                self._tick()
            case SpoolFull():
                self._pause("spool")
                self._say_all("port", state="paused", message="The audit trail is slow; nothing is lost.")
            case SpoolRoom():
                self._unpause("spool")
                self._say_all("port", state="open", message="The audit trail has caught up.")
            case RecordFailed():
                self._record_failed()
            case TypedLine():
                self._note("typed", session=event.session, user=event.name, text=event.text)
            case Keep():
                self._keep(event)
            case Capture():
                self.captured = event.on
            case Drain():
                self.captured = False
                self._shut(Farewell.of(Code.RELAY_DRAINING), refuse(Code.RELAY_DRAINING))
            case _:
                assert_never(event)
        self._settle()
        return tuple(self._out)

    # --- the hot path -----------------------------------------------------------------------------------------

    def _printed(self, event: Printed, now: float) -> tuple[Action, ...]:
        if self.port not in _PRINTING:
            raise IllegalMove("a port that is not open printed")
        data = event.data
        kept = data if event.kept is None else event.kept
        if len(data) <= MAX_PRINTED and not event.spans:
            return self._print(data, kept, now)
        masked = self._masked(event, now)
        cuts = [slice(at, at + MAX_PRINTED) for at in range(0, len(data), MAX_PRINTED)]
        return (*masked, *(action for cut in cuts for action in self._print(data[cut], kept[cut], now)))

    def _masked(self, event: Printed, now: float) -> tuple[Action, ...]:
        """Where what is printed next is not what is kept: places are printed bytes of the epoch."""
        self._now, self._out = now, []
        start = self.scrollback.offset
        for at in range(0, len(event.spans), SPANS):
            spans = [[start + s.offset, s.length, s.pattern, s.digest] for s in event.spans[at : at + SPANS]]
            self._note("masked", spans=spans)
        return tuple(self._out)

    def _print(self, data: bytes, kept: bytes, now: float) -> tuple[Action, ...]:
        self._seq += 1
        write = Write(Record(Kind.PRINTED, self._seq, int(now * 1e6), kept))
        offset = self.scrollback.offset
        self.scrollback.add(data)
        if not self._audience:
            return (write,)
        return (write, Show(self._audience, printed(offset, data)))

    def _typed(self, event: Typed, now: float) -> tuple[Action, ...]:
        viewer = self.viewers.get(event.session)
        if viewer is not None and viewer is self.writer and self.port is Port.OPEN:
            viewer.type(len(event.data), now)
            return (TypeToPort(event.data, event.session),)
        return () if viewer is None else self._unheard(viewer)

    # --- the port ---------------------------------------------------------------------------------------------

    def _expect(self, event: Expect) -> None:
        if event.session in self._expected or event.session in self.viewers:
            raise IllegalMove("a session attaches once")
        if event.mode.writes and event.generation < self.newest:
            self._out.append(Refuse(event.session, refuse(Code.SESSION_SUPERSEDED)))
            return
        self._expected[event.session] = self.port is Port.OPEN
        if self.port is Port.OPEN:
            self._out.append(Admit(event.session))
        elif not self._dialling and self.port is not Port.CLOSING:
            self._dial()

    def _dial(self) -> None:
        self._dialling = True
        if self.port is Port.CLOSED:
            self.port = Port.OPENING
        self._out.append(OpenPort())

    def _port_opened(self, epoch: str) -> None:
        if not self._dialling:
            raise IllegalMove("a port opened that was not dialled")
        self._end_epoch("port lost")
        again = self.port is Port.LOST
        unwanted = self.port is Port.CLOSING and not self._expected
        self.port, self._dialling, self._flows = Port.OPEN, False, True
        self._begin_epoch(epoch)
        self._out.append(BeginEpoch(epoch))
        self._note("port-open", epoch=epoch)
        if self._kept != _BY_RULE:
            self._note_keeping()
        self._capture_dials = 0
        if self._pauses:
            self._out.append(PausePort())
        if again:
            self._greet_again()
        for session in self._expected:
            self._expected[session] = True
            self._out.append(Admit(session))
        if unwanted:
            self._close(self._why_closing)

    def _port_refused(self, refusal: Refusal) -> None:
        if not self._dialling:
            raise IllegalMove("a port refused that was not dialled")
        self._dialling = False
        self._note("port-refused", code=refusal.code.value)
        self._turn_away(refusal)
        if self.port in (Port.OPENING, Port.CLOSING):
            self._is_closed()
        elif self._hopeless(refusal):
            self._shut(_farewell(refusal), refusal)
        else:
            self._retry_at = self._now + BACKOFF[min(self._attempt, len(BACKOFF) - 1)]
            self._attempt += 1

    def _hopeless(self, refusal: Refusal) -> bool:
        return not refusal.retryable or self._now - self._lost_at >= REDIAL_SECONDS

    def _port_lost(self, event: PortLost) -> None:
        if self.port not in _PRINTING:
            raise IllegalMove("a port was lost that is not open")
        self._flows = False
        if self.port is Port.CLOSING:
            self._closed()
            return
        self._note("port-lost", takenOver=event.taken_over, why=event.why)
        self.port, self._lost_at, self._attempt = Port.LOST, self._now, 0
        if event.taken_over:
            self._capture_dials = len(CAPTURE_BACKOFF)  # somebody works there, outside this service
            self._shut(Farewell.of(Code.EXTERNAL_TAKEOVER), refuse(Code.EXTERNAL_TAKEOVER))
            return
        self._say_all("port", state="lost", message="The connection to the VM was lost; the relay dials again.")
        if self.viewers or self._expected or self.captured:
            self._dial()

    def _record_failed(self) -> None:
        if self.port is Port.CLOSED:
            return
        self._epoch, self._flows = None, False  # nothing more can be recorded, not even that it ends
        self._out += (EndEpoch(), DropPort())
        self.port, self._dialling = Port.LOST, False
        self._shut(Farewell.of(Code.AUDIT_UNAVAILABLE), refuse(Code.AUDIT_UNAVAILABLE))

    def _shut(self, farewell: Farewell, refusal: Refusal, *, reason: str | None = None) -> None:
        """Everybody goes, the port closes, and the epoch ends with it."""
        self.farewell = farewell
        for viewer in tuple(self.viewers.values()):
            self._dismiss(viewer, farewell)
        self._turn_away(refusal)
        self._pauses &= {"spool"}  # the one that outlives the port
        if self.port is Port.OPEN:
            self._close(reason or farewell.code)
        elif self.port is not Port.CLOSING:
            self._end_epoch(reason or farewell.code)
            self._why_closing = reason or farewell.code
            if self._dialling:
                self.port = Port.CLOSING
            else:
                self._is_closed()

    def _close(self, reason: str) -> None:
        self.port, self._why_closing, self._flows = Port.CLOSING, reason, False
        self._out.append(ClosePort())

    def _closed(self) -> None:
        self._end_epoch(self._why_closing)
        self._is_closed()
        if self._expected:
            self._dial()

    def _is_closed(self) -> None:
        self.port = Port.CLOSED
        self._capture_at = self._now + CAPTURE_BACKOFF[min(self._capture_dials, len(CAPTURE_BACKOFF) - 1)]
        self._capture_dials += 1

    def _end_epoch(self, reason: str) -> None:
        if self._epoch is not None:
            self._seq += 1
            self._out += (Write(Record.end(self._seq, int(self._now * 1e6), reason)), EndEpoch())
            self._epoch = None

    def _keep(self, event: Keep) -> None:
        if event != self._kept:
            self._kept = event
            self._note_keeping()
            self._say_all("keeping", typed=event.typed.value)

    def _note_keeping(self) -> None:
        self._note("keeping", typed=self._kept.typed.value, masks=self._kept.masks)

    # --- time -------------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        self._tick_people()
        if self.port is Port.LOST and not self._dialling and self._now >= self._retry_at:
            self._dial()
        if self.captured and self.port is Port.CLOSED and self._now >= self._capture_at:
            self._dial()

    def _settle(self) -> None:
        """After every event but the hot ones: is anybody there, and do they know of each other."""
        self._settle_people()
        wanted = self.viewers or self._expected or self.captured
        if wanted or self.port in (Port.CLOSED, Port.OPENING, Port.CLOSING):
            self._linger_until = None
        elif self._linger_until is None and self.port is Port.OPEN:
            self._linger_until = self._now + self._linger
        elif self.port is Port.LOST or (self._linger_until is not None and self._now >= self._linger_until):
            self._linger_until = None
            self._shut(Farewell.of(Code.SESSION_ENDED), refuse(Code.SESSION_ENDED), reason="goodbye")


_BY_RULE = Keep(Typing.COUNTED, 0)
_PRINTING = (Port.OPEN, Port.CLOSING)


def _farewell(refusal: Refusal) -> Farewell:
    """How sessions end when their lost port cannot be opened again."""
    if refusal.code is Code.VM_NOT_RUNNING:
        return Farewell.of(Code.VM_STOPPED)
    return Farewell.of(refusal.code if TABLE[refusal.code].close else Code.CONSOLE_FAULT)
