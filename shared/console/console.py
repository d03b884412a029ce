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
- What a gateway handed over is recorded, unless it is on record already (replay.py) or recording itself fails.
- There is at most one writer, and its generation is the newest that the console has heard of.
- A viewer is shown every byte of an epoch from its `hello` on, once, in order - or its session ends.
- What is typed is counted; it is in no record but a TypedLine, where a policy wants it, and in no text.
- A command is in a Write, with the name of its sender, before it is sent.

Opening, losing and closing the port is in port.py; writer and watchers are in participants.py, output in stream.py,
events in event_log.py.
"""

from typing import assert_never

from shared.base.record import Record, RecordKind
from shared.base.refusals import Code, refuse
from shared.console.actions import Action, Show, TypeToPort, Write
from shared.console.events import (
    Attach,
    AttachPending,
    Capture,
    Commanded,
    CommandFailed,
    CommandNoted,
    Detach,
    Drain,
    End,
    Event,
    Fence,
    LineTyped,
    PortLost,
    PortOpened,
    PortRefused,
    Printed,
    RecordFailed,
    RecordingSettingsChanged,
    SpoolFull,
    SpoolRoom,
    TakeoverAnswered,
    TakeoverAsked,
    Tick,
    Typed,
    ViewerResumed,
    ViewerStalled,
    VisitCancelled,
)
from shared.console.frames import printed
from shared.console.port import PRINTING, IllegalMove, Port, PortKeeper
from shared.console.viewers import CloseReason

SPANS = 1000
"""The most masked stretches in one record."""
MAX_PRINTED = 64 * 1024
"""Bytes in one record."""


class Console(PortKeeper):
    """`name` is the VM's console name; `linger` is how long (s) the port stays open after the last one left."""

    __slots__ = ()

    @property
    def idle(self) -> bool:
        """True if the port is closed and nobody is there. The console may be forgotten then."""
        return self.port is Port.CLOSED and not self.viewers and not self._expected and not self.captured

    def handle(self, event: Event, now: float) -> tuple[Action, ...]:  # noqa: C901, PLR0912, PLR0915 - one line per event
        """Takes an event and returns the actions it leads to. `now` is seconds since 1970. Raises IllegalMove."""
        match event:  # the two that happen for every keystroke come first and leave early
            case Printed():
                return self._printed(event, now)
            case Typed():
                return self._typed(event, now)
        self._now, self._actions = now, []
        match event:
            case AttachPending():
                self._expect(event)
            case VisitCancelled():
                self._cancel_attach(event.session)
            case Attach():
                self._attach(event, attachable=self.port in (Port.OPEN, Port.LOST), lost=self.port is Port.LOST)
            case Detach():
                self._detach(event)
            case PortOpened():
                self._port_opened(event)
            case PortRefused():
                self._port_refused(event.refusal)
            case PortLost():
                self._port_lost(event)
            case Fence():
                self._fence(event.generation, event.by)
            case End():
                self._end(event)
            case TakeoverAsked():
                self._ask_takeover(event)
            case TakeoverAnswered():
                self._takeover_answered(event)
            case Commanded():
                self._commanded(event, reachable=self.port is Port.OPEN)
            case CommandFailed():
                self._command_failed(event)
            case CommandNoted():
                self._command_noted(event)
            case ViewerStalled():
                self._viewer_stalled(event.session)
            case ViewerResumed():
                self._viewer_resumed(event.session)
            case Tick():
                self._tick_participants()
                self._tick_port()
            case SpoolFull():
                self._pause("spool")
                self._send_to_all("port", state="paused", message="The audit trail is slow; nothing is lost.")
            case SpoolRoom():
                self._unpause("spool")
                self._send_to_all("port", state="open", message="The audit trail has caught up.")
            case RecordFailed():
                self._record_failed()
            case LineTyped():
                self._record_event("typed", session=event.session, user=event.name, text=event.text)
            case RecordingSettingsChanged():
                self._change_recording_settings(event)
            case Capture():
                self.captured = event.on
            case Drain():
                self.captured = False
                self._shut(CloseReason.of(Code.RELAY_DRAINING), refuse(Code.RELAY_DRAINING))
            case _:
                assert_never(event)
        self._settle_participants()
        self._settle_port()
        return tuple(self._actions)

    # --- the hot path -----------------------------------------------------------------------------------------

    def _printed(self, event: Printed, now: float) -> tuple[Action, ...]:
        if self.port not in PRINTING:
            raise IllegalMove("a port that is not open printed")
        data = event.data
        recordable = data if event.recordable is None else event.recordable
        if len(data) <= MAX_PRINTED and not event.spans:
            return self._print(data, recordable, now)
        masked = self._masked(event, now)
        cuts = [slice(at, at + MAX_PRINTED) for at in range(0, len(data), MAX_PRINTED)]
        return (*masked, *(action for cut in cuts for action in self._print(data[cut], recordable[cut], now)))

    def _masked(self, event: Printed, now: float) -> tuple[Action, ...]:
        """Records the masked stretches of the output that follows. Offsets are printed bytes of the epoch."""
        self._now, self._actions = now, []
        start = self.scrollback.offset
        for at in range(0, len(event.spans), SPANS):
            spans = [[start + s.offset, s.length, s.pattern, s.digest] for s in event.spans[at : at + SPANS]]
            self._record_event("masked", spans=spans)
        return tuple(self._actions)

    def _print(self, data: bytes, recordable: bytes, now: float) -> tuple[Action, ...]:
        self._seq += 1
        write = Write(Record(RecordKind.PRINTED, self._seq, int(now * 1e6), recordable))
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
        return () if viewer is None else self._warn_unheard(viewer)
