"""Plays a console's skin: carries out actions in memory, and checks the rules that hold at every moment."""

import json
import struct
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from shared.base.record import Record, RecordKind
from shared.base.refusals import Refusal
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
    Event,
    PortLost,
    PortOpened,
    PortRefused,
    Printed,
    SessionLimits,
    Tick,
    Typed,
)
from shared.console.replay import Opening
from shared.session.grant import Mode

_STAR = ord("*")
START = 1_800_000_000.0
LONG = SessionLimits(idle_seconds=900, session_seconds=28800)


@dataclass
class Screen:
    """What one browser saw: its texts, and its bytes by epoch."""

    texts: list[dict[str, Any]] = field(default_factory=list)
    epoch: str = ""
    starts: dict[str, int] = field(default_factory=dict)
    streams: dict[str, bytearray] = field(default_factory=lambda: defaultdict(bytearray))
    before: bytes = b""
    closed: tuple[int, str] | None = None

    def last(self, what: str) -> dict[str, Any]:
        return [text for text in self.texts if text["type"] == what][-1]

    def heard(self, what: str) -> list[dict[str, Any]]:
        return [text for text in self.texts if text["type"] == what]

    @property
    def offset(self) -> int:
        return self.starts[self.epoch] + len(self.streams[self.epoch])

    @property
    def seen(self) -> bytes:
        return bytes(self.streams[self.epoch])


class Skin:
    """Fails the test when a byte is shown that is not recorded, numbers have a hole, or a stream repeats or skips."""

    def __init__(self, *, scrollback: int = 1024, linger: float = 20.0) -> None:
        self.console = Console("vm", scrollback_bytes=scrollback, linger=linger)
        self.now = START
        self.records: dict[str, list[Record]] = defaultdict(list)
        self.epoch: str | None = None
        self.epochs = 0
        self.screens: dict[str, Screen] = defaultdict(Screen)
        self.typed = bytearray()
        self.answers: dict[str, bool] = {}
        self.sent: dict[str, tuple[str, str]] = {}
        self.unsent: dict[str, Refusal] = {}
        self.reports: dict[str, ReportDetach] = {}
        self.admitted: set[str] = set()
        self.refused: dict[str, Refusal] = {}
        self.port = "closed"
        self.paused = False

    def do(self, event: Event) -> list[Action]:
        actions = list(self.console.handle(event, self.now))
        for action in actions:
            self._carry_out(action)
        return actions

    def _carry_out(self, action: Action) -> None:  # noqa: C901, PLR0912, PLR0915 - one case per action
        match action:
            case BeginEpoch(epoch):
                assert self.epoch is None
                self.epoch = epoch
            case EndEpoch():
                self.epoch = None
            case Write(record):
                assert self.epoch is not None, f"{record} belongs to no epoch"
                assert record.seq == len(self.records[self.epoch]) + 1
                assert not self.records[self.epoch] or self.records[self.epoch][-1].kind is not RecordKind.END
                self.records[self.epoch].append(record)
            case Show(to, frame):
                for session in to:
                    self._show(session, frame)
            case ShowBefore(session, data):
                assert self.screens[session].texts[-1]["type"] == "hello"
                assert not self.screens[session].seen
                self.screens[session].before += data
            case SendEvent(session, text):
                self._say(self.screens[session], json.loads(text))
            case Close(session, code, reason):
                assert self.screens[session].closed is None
                self.screens[session].closed = (code, reason)
            case TypeToPort(data):
                assert self.port == "open"
                self.typed += data
            case OpenPort():
                assert self.port == "closed"
                self.port, self.paused = (
                    "opening",
                    False,
                )  # as the relay's bridge: what is dialled anew waits for nothing
            case ClosePort():
                assert self.port == "open"
                self.port, self.paused = "closing", False
            case DropPort():
                self.port, self.paused = "closed", False
            case PausePort():
                assert self.port == "open", "a port that is being closed is read to its end"
                self.paused = True
            case ResumePort():
                self.paused = False
            case Admit(session):
                self.admitted.add(session)
            case Refuse(session, refusal):
                self.refused[session] = refusal
            case ReportDetach(session, _, _, _):
                assert session not in self.reports
                self.reports[session] = action
            case SendCommand(command, act, keys):
                assert self.port == "open"
                note = self.records[self.epoch or ""][-1].said()
                assert (note["event"], note["command"], note["keys"]) == ("command", act.value, keys)
                self.sent[command] = (act.value, keys)
            case RefuseCommand(command, refusal):
                self.unsent[command] = refusal
            case AnswerTakeover(ask, allow):
                assert ask not in self.answers
                self.answers[ask] = allow

    def _say(self, screen: Screen, text: dict[str, Any]) -> None:
        assert screen.closed is None
        assert not screen.heard("bye")
        screen.texts.append(text)
        if text["type"] == "hello":
            screen.epoch = text["epoch"]
            assert screen.epoch not in screen.starts
            screen.starts[screen.epoch] = text["offset"]

    def _show(self, session: str, frame: bytes) -> None:
        screen = self.screens[session]
        assert screen.closed is None
        assert self.epoch is not None
        (offset,) = struct.unpack(">Q", frame[:8])
        assert offset == screen.offset, "a byte was skipped or repeated"
        screen.streams[screen.epoch] += frame[8:]
        recorded = self.printed(self.epoch)[offset : offset + len(frame) - 8]
        assert len(recorded) == len(frame) - 8, "shown before it was recorded"
        assert all(kept in (shown, _STAR) for kept, shown in zip(recorded, frame[8:], strict=True))

    # --- a script's words -------------------------------------------------------------------------------------

    def printed(self, epoch: str | None = None) -> bytes:
        found = self.records[epoch or self.epoch or ""]
        return b"".join(record.body for record in found if record.kind is RecordKind.PRINTED)

    def held(self) -> bool:
        """Whether the VM waits."""
        return self.paused

    def said(self, epoch: str = "e1") -> list[dict[str, Any]]:
        return [record.said() for record in self.records[epoch] if record.kind is not RecordKind.PRINTED]

    def notes(self, epoch: str = "e1") -> list[str]:
        return [said["event"] for said in self.said(epoch)]

    def opens(self, opening: Opening | None = None) -> None:
        assert self.port == "opening"
        self.port, self.epochs = "open", self.epochs + 1
        self.do(PortOpened(f"e{self.epochs}", opening))

    def loses(self, why: str = "reset", *, taken_over: bool = False) -> None:
        self.port = "closed"
        self.do(PortLost(taken_over, why))

    def refuses(self, refusal: Refusal) -> None:
        """A dial ends so."""
        assert self.port == "opening"
        self.port = "closed"
        self.do(PortRefused(refusal))

    def refuses_until_gone(self, viewer: Screen, refusal: Refusal) -> list[float]:
        """The seconds from the first dial to each, until the viewer's session ends."""
        dials: list[float] = []
        while viewer.closed is None:
            if self.port == "opening":
                dials.append(self.now)
                self.refuses(refusal)
            self.now += 1
            self.do(Tick())
        return [later - dials[0] for later in dials]

    def closes(self) -> None:
        """The gateway answers our goodbye."""
        assert self.port == "closing"
        self.port = "closed"
        self.do(PortLost(taken_over=False, why="closed"))

    def comes(
        self, session: str, mode: Mode = Mode.WRITE, generation: int = 1, *, name: str = "",
        limits: SessionLimits = LONG, resume: tuple[str, int] | None = None, opening: Opening | None = None,
    ) -> Screen:  # fmt: skip
        self.do(AttachPending(session, mode, generation))
        if self.port == "opening":
            self.opens(opening)
        assert session in self.admitted
        self.do(Attach(session, mode, generation, name or session, f"t.{session}", limits, resume))
        return self.screens[session]

    def ticks(self, seconds: float) -> None:
        """Time passes, second by second."""
        until = self.now + seconds
        while self.now < until:
            self.now = min(until, self.now + 1)
            self.do(Tick())

    def prints(self, data: bytes) -> None:
        self.do(Printed(data))

    def types(self, session: str, data: bytes) -> None:
        self.do(Typed(session, data))
