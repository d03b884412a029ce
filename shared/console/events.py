"""The events of a console. relay/console/runner.py reports them; sessions are named by their id."""

from dataclasses import dataclass

from shared.access.commands import Command
from shared.access.policy import Typing
from shared.base.refusals import Code, Refusal
from shared.console.masking import Span
from shared.console.replay import Opening
from shared.session.grant import Mode


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """Limits in seconds: without a key typed (writers only), and in all."""

    idle_seconds: int
    session_seconds: int


@dataclass(slots=True)
class Typed:
    """A browser sent bytes for the VM. (Not frozen, like Printed: made for every keystroke.)"""

    session: str
    data: bytes


@dataclass(slots=True)
class Printed:
    """The VM sent bytes. `recordable` has the same length, with secrets masked; None: nothing is masked."""

    data: bytes
    recordable: bytes | None = None
    spans: tuple[Span, ...] = ()
    """The masked stretches of `recordable`."""


@dataclass(frozen=True, slots=True)
class LineTyped:
    """Somebody typed a line. `text` is as the policy wants it recorded."""

    session: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class RecordingSettingsChanged:
    """The recording settings of this console changed."""

    typed: Typing
    masks: int
    """How many patterns mask what is printed."""


@dataclass(frozen=True, slots=True)
class Capture:
    """Turns recording without a viewer on or off."""

    on: bool


@dataclass(frozen=True, slots=True)
class AttachPending:
    """A session passed every check and waits for the VM's port. Its socket is not accepted yet."""

    session: str
    mode: Mode
    generation: int


@dataclass(frozen=True, slots=True)
class VisitCancelled:
    """An expected session went away before it attached."""

    session: str


@dataclass(frozen=True, slots=True)
class Attach:
    """An expected session's socket is accepted. `resume`: the epoch it knows and the next byte it lacks."""

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
    """A newer generation exists. `by` displaces writers of older generations."""

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
    """Somebody asks the writer to leave. `seconds` without an answer count as yes."""

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
    """Somebody sends a command down the line. `command` is its id; `keys` are those of SysRq."""

    command: str
    act: Command
    keys: str
    by: str


@dataclass(frozen=True, slots=True)
class CommandFailed:
    """The command of a SendCommand did not reach the VM."""

    act: Command
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class CommandNoted:
    """A command reached the VM by another way than its line."""

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
    """A record could not be written and is given up. Actions that depended on it were left out."""


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
