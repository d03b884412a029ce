"""What a console wants done. The skin (relay/console/runner.py) carries it out, in order."""

from dataclasses import dataclass

from shared.access.commands import Command
from shared.base.record import Record
from shared.base.refusals import Refusal


@dataclass(slots=True)
class TypeToPort:
    data: bytes
    session: str


@dataclass(slots=True)
class Write:
    """Into the spool, before any action that follows. Where it fails it is tried again for some seconds; all that
    follows, also of later answers, waits, and so does the VM. Where it is given up: no later Show, SendCommand, Admit
    and Write, everything else as listed, then RecordFailed.
    """

    record: Record


@dataclass(slots=True)
class Show:
    """A binary frame for these sessions."""

    to: tuple[str, ...]
    frame: bytes


@dataclass(frozen=True, slots=True)
class ShowBefore:
    """For one session, before all that is shown: what was printed, and recorded, before this epoch."""

    session: str
    data: bytes


@dataclass(frozen=True, slots=True)
class SendCommand:
    """An act down the open line, for which somebody waits: never before it is recorded."""

    command: str
    act: Command
    keys: str


@dataclass(frozen=True, slots=True)
class RefuseCommand:
    command: str
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class SendEvent:
    """A text frame for one session."""

    session: str
    text: str


@dataclass(frozen=True, slots=True)
class Close:
    """The session's last: its socket is closed. The console has forgotten it already; no Detach need follow."""

    session: str
    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Admit:
    """An expected visitor's socket may be accepted now."""

    session: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """An expected visitor gets an HTTP answer; one who was admitted meanwhile, and did not attach, a close."""

    session: str
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class OpenPort:
    """Answered by PortOpened or PortRefused."""


@dataclass(frozen=True, slots=True)
class ClosePort:
    """Says goodbye to the gateway. What the VM printed until it answers is Printed, paused or not; then PortLost."""


@dataclass(frozen=True, slots=True)
class DropPort:
    """At once, and a dial under way is given up too; nothing is heard of the port after it."""


@dataclass(frozen=True, slots=True)
class PausePort:
    pass


@dataclass(frozen=True, slots=True)
class ResumePort:
    pass


@dataclass(frozen=True, slots=True)
class BeginEpoch:
    """The spool for the records that follow. May fail as a Write may, and waits like one."""

    epoch: str


@dataclass(frozen=True, slots=True)
class EndEpoch:
    """No record follows in this epoch."""


@dataclass(frozen=True, slots=True)
class ReportDetach:
    """Tells the function app how a session ended. `typed` and `printed` are bytes."""

    session: str
    why: str
    typed: int
    printed: int


@dataclass(frozen=True, slots=True)
class AnswerTakeover:
    ask: str
    allow: bool


type StreamAction = TypeToPort | Write | Show | BeginEpoch
type PortAction = SendCommand | OpenPort | ClosePort | DropPort | PausePort | ResumePort | EndEpoch
type PeopleAction = ShowBefore | RefuseCommand | SendEvent | Close | Admit | Refuse | ReportDetach | AnswerTakeover
type Action = StreamAction | PortAction | PeopleAction
