"""What can happen to a console. The skin (relay/console/runner.py) reports it; sessions are named by their id."""

from dataclasses import dataclass

from shared.access.commands import Command
from shared.access.policy import Typing
from shared.base.refusals import Code, Refusal
from shared.console.masking import Span
from shared.console.replay import Opening
from shared.session.grant import Mode


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """Seconds: without a key typed (writers only), and in all."""

    idle_seconds: int
    session_seconds: int


@dataclass(slots=True)
class Typed:
    """A browser sent bytes for the VM. (Not frozen, like Printed: made for every keystroke.)"""

    session: str
    data: bytes


@dataclass(slots=True)
class Printed:
    """The VM sent bytes. `kept`: as they may be recorded, as long as they are; None: as they are."""

    data: bytes
    kept: bytes | None = None
    spans: tuple[Span, ...] = ()
    """What is masked in `kept`."""


@dataclass(frozen=True, slots=True)
class LineTyped:
    """What somebody typed, as a policy wants it kept."""

    session: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class RecordingSettingsChanged:
    """What is kept of this console's bytes from now on."""

    typed: Typing
    masks: int
    """How many patterns mask what is printed."""


@dataclass(frozen=True, slots=True)
class Capture:
    """Whether the console is recorded though nobody is there."""

    on: bool


@dataclass(frozen=True, slots=True)
class AttachPending:
    """A visitor passed every check outside and waits for the VM's port before its socket is accepted."""

    session: str
    mode: Mode
    generation: int


@dataclass(frozen=True, slots=True)
class VisitCancelled:
    """An expected visitor went away before attaching."""

    session: str


@dataclass(frozen=True, slots=True)
class Attach:
    """An expected visitor's socket is accepted. `resume`: the epoch it knows and the next byte it lacks."""

    session: str
    mode: Mode
    generation: int
    name: str
    subject: str
    limits: SessionLimits
    resume: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Detach:
    """A viewer's socket is closed, by itself or by the network."""

    session: str
    why: str = "Goodbye"


@dataclass(frozen=True, slots=True)
class PortOpened:
    """`epoch` is the name of the epoch that begins with this opening, `opening` what came with it, if anything did,
    `relay` the name of who opened it.
    """

    epoch: str
    opening: Opening | None = None
    relay: str = ""


@dataclass(frozen=True, slots=True)
class PortRefused:
    """The dialled port did not open."""

    refusal: Refusal


@dataclass(frozen=True, slots=True)
class PortLost:
    """The port is closed, by whomever. `taken_over`: by a connection from outside this service."""

    taken_over: bool
    why: str


@dataclass(frozen=True, slots=True)
class Fence:
    """Writers of older generations are displaced by whoever is named."""

    generation: int
    by: str


@dataclass(frozen=True, slots=True)
class End:
    """The function app ends a session."""

    session: str
    code: Code
    by: str | None


@dataclass(frozen=True, slots=True)
class TakeoverAsked:
    """Somebody would like the console; `seconds` of silence count as yes."""

    ask: str
    generation: int
    by: str
    seconds: float


@dataclass(frozen=True, slots=True)
class TakeoverAnswered:
    session: str
    ask: str
    allow: bool


@dataclass(frozen=True, slots=True)
class Commanded:
    """Somebody sends an act down the line. `command` names this one sending; `keys` are those of SysRq."""

    command: str
    act: Command
    keys: str
    by: str


@dataclass(frozen=True, slots=True)
class CommandFailed:
    """What SendCommand was about did not reach the VM."""

    act: Command
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class CommandNoted:
    """Somebody did this to the VM by another way than its line."""

    act: Command
    by: str


@dataclass(frozen=True, slots=True)
class ViewerStalled:
    """A viewer's network takes less than the VM prints: its write buffer is full."""

    session: str


@dataclass(frozen=True, slots=True)
class ViewerResumed:
    session: str


@dataclass(frozen=True, slots=True)
class Tick:
    """Time went by; sent about once a second."""


@dataclass(frozen=True, slots=True)
class SpoolFull:
    pass


@dataclass(frozen=True, slots=True)
class SpoolRoom:
    pass


@dataclass(frozen=True, slots=True)
class RecordFailed:
    """A Record could not be written, and is given up. What depended on it was not shown."""


@dataclass(frozen=True, slots=True)
class Drain:
    """The relay is being replaced."""


type Event = (
    Typed
    | Printed
    | LineTyped
    | RecordingSettingsChanged
    | Capture
    | AttachPending
    | VisitCancelled
    | Attach
    | Detach
    | PortOpened
    | PortRefused
    | PortLost
    | Fence
    | End
    | TakeoverAsked
    | TakeoverAnswered
    | Commanded
    | CommandFailed
    | CommandNoted
    | ViewerStalled
    | ViewerResumed
    | Tick
    | SpoolFull
    | SpoolRoom
    | RecordFailed
    | Drain
)
