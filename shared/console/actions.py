"""The actions of a console. relay/console/runner.py carries them out, in order."""

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
    """Writes a record into the spool, before any action that follows.

    If it fails it is tried again for some seconds; all later actions wait, and the VM is paused. If it is given up,
    later Show, SendCommand, Admit and Write are left out, the others are done as listed, and RecordFailed follows.
    """

    record: Record


@dataclass(slots=True)
class Show:
    """Sends a binary frame to these sessions."""

    to: tuple[str, ...]
    frame: bytes


@dataclass(frozen=True, slots=True)
class ShowBefore:
    """Sends one session the bytes that were printed and recorded before this epoch. It precedes every Show."""

    session: str
    data: bytes


@dataclass(frozen=True, slots=True)
class SendCommand:
    """Sends a command down the open line, after it is recorded. A caller waits for its result."""

    command: str
    act: Command
    keys: str


@dataclass(frozen=True, slots=True)
class RefuseCommand:
    command: str
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class SendEvent:
    """Sends a text frame to one session."""

    session: str
    text: str


@dataclass(frozen=True, slots=True)
class Close:
    """Closes a session's socket. The console has forgotten the session already; no Detach need follow."""

    session: str
    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Admit:
    """Accepts the socket of an expected session."""

    session: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """Refuses an expected session by HTTP. If its socket is accepted already, closes the socket."""

    session: str
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class OpenPort:
    """Dials the VM's port. PortOpened or PortRefused follows."""


@dataclass(frozen=True, slots=True)
class ClosePort:
    """Closes the port. Output until the gateway answers comes as Printed, paused or not; then PortLost."""


@dataclass(frozen=True, slots=True)
class DropPort:
    """Drops the port, or a dial under way, at once. No event of that port follows."""


@dataclass(frozen=True, slots=True)
class PausePort:
    pass


@dataclass(frozen=True, slots=True)
class ResumePort:
    pass


@dataclass(frozen=True, slots=True)
class BeginEpoch:
    """Begins the epoch of the records that follow. It may fail as a Write may, and waits like one."""

    epoch: str


@dataclass(frozen=True, slots=True)
class EndEpoch:
    """Ends the epoch: no record follows in it."""


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
