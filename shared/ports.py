"""What the flows and the relay need of the world, in their own words.

Adapters raise `Unavailable` when the thing behind them does not answer or answers nonsense after its retries;
whatever is a reasoned no comes back as a Refusal. Every other exception is breakage.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from shared.domain.acts import Act
from shared.domain.approval import Approval
from shared.domain.caller import Caller
from shared.domain.checks import Surroundings
from shared.domain.grant import Grant, Mode
from shared.domain.keeping import BY_RULE, Keeping
from shared.domain.ledger import Statement
from shared.domain.lock import Acquired, Claim, Held, Lock
from shared.domain.pace import Pace
from shared.domain.policy import Level, Policy, Scope
from shared.domain.record import Record, Source
from shared.domain.recordings import Indexed
from shared.domain.refusals import Refusal
from shared.domain.storage import Account, NoAccount
from shared.domain.vm import Os, Vm, VmId


class Unavailable(Exception):
    """Something outside does not answer. `what` is its name in the health report; the text holds no secret."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what}: {why}")
        self.what = what


class Clock(Protocol):
    def now(self) -> float:
        """Seconds since 1970, with microseconds."""
        ...


class Ids(Protocol):
    """Where randomness comes from."""

    def session(self) -> str:
        """A new session id: 128 random bits, url-safe."""
        ...


class Callers(Protocol):
    async def identify(self, authorization: str | None) -> Caller | Refusal:
        """Who sent this Authorization header."""
        ...


class Vms(Protocol):
    async def find(self, caller: Caller, vm: VmId) -> Vm | Refusal:
        """The VM as the caller may see it: VM_NOT_FOUND when there is none or they may not read it."""
        ...

    async def visible(self, caller: Caller) -> Sequence[Vm] | Refusal:
        """Every VM that the caller may read, in the subscriptions served; a Refusal when sign-in must be stronger."""
        ...


class Rights(Protocol):
    async def missing(
        self, caller: Caller, resource_id: str, actions: Sequence[str], *, fresh: bool = False
    ) -> Sequence[str] | Refusal:
        """Those of the Azure actions that the caller may not do on a resource (a VM, a storage account, a group, a
        subscription); a Refusal when sign-in must be stronger. An answer of the last seconds will do unless `fresh`.
        """
        ...


class AroundVms(Protocol):
    """What Azure says about a console whoever asks, read with the service's own identity."""

    async def of(self, vm: VmId, *, fresh: bool = False) -> Surroundings:
        """Locks and Azure's own switches. Raises Unavailable."""
        ...

    async def account(self, name: str, near: VmId, *, fresh: bool = False) -> Account | NoAccount:
        """The storage account of this name: in the VM's subscription, or another one that is served."""
        ...

    async def remains(self, vm: VmId) -> str | None:
        """Of a VM that is gone, the resource id of its group, or of its subscription where the group is gone too. None
        while the VM is there, and where the service may not look. Raises Unavailable.
        """
        ...


@dataclass(frozen=True, slots=True)
class Stored:
    """A policy as it was set. `version` is opaque, and changes with every write."""

    policy: Policy
    set_by: str
    """Caller.subject."""
    set_at: float
    version: str


class Policies(Protocol):
    async def over(self, vm: VmId) -> Sequence[Level]:
        """Every policy that holds for the VM, the tenant's first: those of the settings and those set through the
        API, at most two seconds old.
        """
        ...

    async def captured(self) -> Sequence[VmId]:
        """VMs whose own policy wants their console recorded whether anybody is there or not. Raises Unavailable."""
        ...

    async def find(self, scope: Scope) -> Stored | None: ...

    async def set(self, scope: Scope, policy: Policy, by: str, at: float, *, version: str | None) -> Stored | None:
        """Keeps it; None when `version` is given and is not that of what is kept ("" stands for nothing)."""
        ...

    async def clear(self, scope: Scope) -> None: ...


class Paces(Protocol):
    async def take(self, key: str, pace: Pace) -> float:
        """Seconds to wait; 0 lets the request pass. All instances of the service count together."""
        ...


class Approvals(Protocol):
    """Requests for approval: each waits as an orchestration, and is indexed by console."""

    async def ask(self, approval: Approval) -> None: ...

    async def find(self, vm: VmId, approval: str) -> Approval | None: ...

    async def of(self, vm: VmId, subject: str) -> Sequence[Approval]:
        """One's requests on one console that may still count, the newest first: those of the last two days."""
        ...

    async def pending(self) -> Sequence[Approval]:
        """Every request that still waits, the oldest first."""
        ...

    async def decide(self, approval: Approval) -> Approval:
        """Hands a decision (state, who, when, comment) to the request that waits; answers what became of it, which is
        another's decision where that came first.
        """
        ...


class PowerActs(Protocol):
    async def do(self, caller: Caller, vm: VmId, act: Act) -> Refusal | None:
        """Begins to restart, start or stop the VM: as the user themselves, or for an application as the service."""
        ...


@dataclass(frozen=True, slots=True)
class BootLog:
    """The end of what Azure keeps of a VM's serial port."""

    content: bytes
    start: int
    """Bytes of Azure's log before it."""


@dataclass(frozen=True, slots=True)
class Picture:
    content: bytes
    media: str


class BootLogs(Protocol):
    """What boot diagnostics keeps, fetched as the caller. Raise Unavailable; no address of Azure's gets out: it is a
    key to what it leads to.
    """

    async def log(self, caller: Caller, vm: VmId, most: int) -> BootLog | Refusal:
        """At most so many bytes, the last ones."""
        ...

    async def screenshot(self, caller: Caller, vm: VmId) -> Picture | Refusal: ...


class Consoles(Protocol):
    """The lock: one per console, kept in the durable task hub."""

    async def acquire(self, vm: VmId, claim: Claim) -> Acquired | Held: ...

    async def renew(self, vm: VmId, session: str, generation: int) -> bool: ...

    async def release(self, vm: VmId, session: str, generation: int) -> bool: ...

    async def show(self, vm: VmId) -> Lock: ...


class KeyRing(Protocol):
    """Keys that sign for the service: EC P-256, ES256. What is private of them stays where it lies."""

    async def public(self) -> Sequence[Mapping[str, str]]:
        """The JWK of every key whose signatures count. Raises Unavailable."""
        ...

    async def signer(self) -> str:
        """The `kid` of the key that signs now. Raises Unavailable."""
        ...

    async def sign(self, kid: str, message: bytes) -> bytes:
        """The signature, r and s of 32 bytes each, by a key that `signer` named. Raises Unavailable."""
        ...

    async def probe(self) -> None:
        """Raises Unavailable while they are out of reach."""
        ...


class Tokens(Protocol):
    async def sign(self, grant: Grant) -> str:
        """The session token (JWT, ES256) for this grant. Raises Unavailable."""
        ...

    async def sign_command(self, relay: str, body: bytes) -> str:
        """A 30 s token by which a relay knows that this body, byte for byte, comes from the function app. Raises
        Unavailable.
        """
        ...

    async def public_keys(self) -> dict[str, Any]:
        """The JWKS that relays verify with. Raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Session:
    """One opened console, as the index keeps it. Times are seconds since 1970."""

    id: str
    vm: VmId
    subject: str
    name: str
    mode: Mode
    generation: int
    requested_at: float
    relay: str
    reason: str | None = None
    os: Os | None = None
    """What the VM ran when the session was opened; None of a session that is older than this field."""
    state: str = "requested"
    """requested, attached or ended"""
    ended_at: float | None = None
    ended_by: str | None = None
    """The refusal code that ended it, or "Goodbye"."""


class Sessions(Protocol):
    async def add(self, session: Session) -> None: ...

    async def find(self, vm: VmId, session: str) -> Session | None: ...

    async def attached(self, vm: VmId, session: str) -> None: ...

    async def ended(self, vm: VmId, session: str, at: float, by: str) -> None:
        """Keeps the first reason: a session ends once."""
        ...

    async def live(self, scope: Scope, since: float) -> Sequence[Session]:
        """Sessions of all consoles within the scope that were requested after `since` and have not ended."""
        ...


class BurntTokens(Protocol):
    async def burn(self, token_id: str, expires_at: int) -> bool:
        """True the first time, False for ever after."""
        ...


@dataclass(frozen=True, slots=True)
class Relay:
    """One relay shard: its name, the address browsers use (ws/wss), and its control address (http/https)."""

    name: str
    address: str
    control: str


class Relays(Protocol):
    def of(self, vm: VmId) -> Relay:
        """The shard that rendezvous hashing names for this VM."""
        ...

    async def fence(self, vm: VmId, generation: int, by: str) -> bool:
        """Tells the relay that an older writer was displaced by `by`. False when it cannot be reached: its own
        heartbeat then tells it within seconds.
        """
        ...

    async def end(self, vm: VmId, session: str, code: str, by: str) -> bool: ...

    async def ask(self, vm: VmId, generation: int, by: str, seconds: float) -> bool:
        """Whether the writer of this generation gives the console up; silence for so long counts as yes."""
        ...

    async def command(self, vm: VmId, act: Act, keys: str, by: str) -> Refusal | None:
        """Sends reset, NMI or SysRq (`keys`: its letters and digits) down the open line, and records it.

        Raises Unavailable.
        """
        ...

    async def note(self, vm: VmId, act: Act, by: str) -> bool:
        """Records an act that goes another way, where the console is open. False when the relay was not reached."""
        ...


@dataclass(frozen=True, slots=True)
class Blob:
    """The newest segment as it lies: its ordinal, its length in bytes, and its last lines (up to 64 KiB)."""

    ordinal: int
    length: int
    blocks: int
    head: bytes
    tail: bytes


@dataclass(frozen=True, slots=True)
class Lying:
    """A segment as a listing shows it."""

    console: str
    ordinal: int
    length: int


class AppendConflict(Exception):
    """Somebody else appended first, or the append arrived before and its answer was lost: read the tail again."""


class Transcripts(Protocol):
    """The ring of append blobs, one folder per console."""

    async def newest(self, console: str) -> Blob | None: ...

    async def create(self, console: str, ordinal: int) -> None:
        """An empty segment; no error when it is there already."""
        ...

    async def append(self, console: str, ordinal: int, position: int, data: bytes) -> None:
        """All of `data` at exactly `position`, or nothing. Raises AppendConflict, Unavailable."""
        ...

    async def set_aside(self, name: str, data: bytes) -> None:
        """Keeps bytes that are not a batch where somebody can look at them: never dropped, never in the way."""
        ...

    def segments(self, console: str) -> AsyncIterator[int]:
        """Ordinals, oldest first."""
        ...

    def read(self, console: str, ordinal: int, start: int = 0) -> AsyncIterator[bytes]:
        """A segment's bytes from byte `start` on, in bounded pieces."""
        ...

    def lying(self, console: str = "") -> AsyncIterator[Lying]:
        """Every segment of one console, or of all: those of one console follow each other, oldest first."""
        ...

    async def drop(self, console: str, ordinal: int) -> bool:
        """Deletes a segment; no error when it is gone. False: the storage forbids it. Raises Unavailable."""
        ...


class Index(Protocol):
    """What is known of segments without reading them again. It can be made anew from them at any time."""

    async def rows(self, console: str) -> Sequence[Indexed]:
        """Rising. Raises Unavailable."""
        ...

    async def put(self, console: str, row: Indexed) -> None: ...

    async def forget(self, console: str, ordinal: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Statements:
    """What was signed about a console's transcript."""

    said: Sequence[Statement]
    broken: int
    """Lines that are not signed by this service."""


class Ledger(Protocol):
    """Signed statements, in a container of their own, which only grows."""

    async def add(self, statement: Statement) -> None:
        """Raises Unavailable."""
        ...

    async def read(self, console: str) -> Statements: ...

    async def lines(self, console: str) -> Sequence[str]:
        """The statements as they lie, each a JWT."""
        ...

    async def public_keys(self) -> dict[str, Any]:
        """The JWKS by which the statements can be checked. Raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold: nothing of the console's transcript is dropped."""

    by: str
    since: float
    why: str


@dataclass(frozen=True, slots=True)
class Read:
    """Somebody read something of a transcript."""

    at: float
    subject: str
    """Caller.subject."""
    name: str
    what: str
    """Format and place, as the request's query had them: never what was searched for, never what was read."""


class Reads(Protocol):
    async def add(self, console: str, read: Read) -> None:
        """Raises Unavailable: then nothing must be handed out."""
        ...

    async def newest(self, console: str, most: int) -> Sequence[Read]:
        """The newest first."""
        ...


class Holds(Protocol):
    async def find(self, console: str) -> Hold | None: ...

    async def place(self, console: str, hold: Hold) -> None:
        """Replaces the one that is there."""
        ...

    async def lift(self, console: str) -> None: ...


# --- what the relay needs -------------------------------------------------------------------------------------


class PortListener(Protocol):
    """Who is told what the VM's port does."""

    def printed(self, data: bytes) -> None: ...

    def lost(self, taken_over: bool, why: str) -> None: ...  # noqa: FBT001 - called by position once, by the adapter


class SerialPort(Protocol):
    """An open COM1."""

    def type(self, data: bytes) -> None: ...

    def pause(self) -> None:
        """Stops reading: the bytes wait at the VM's side."""
        ...

    def resume(self) -> None: ...

    async def command(self, act: Act, keys: str) -> Refusal | None:
        """Reset, NMI or SysRq (`keys`: its letters and digits), down this line; CONSOLE_FAULT or GATEWAY_TIMEOUT when
        it did not reach the VM, or nobody knows.
        """
        ...

    async def close(self) -> None:
        """Says goodbye and returns when the far side has answered, or some seconds later. All that it had sent by
        then is told to the listener, paused or not, and then the loss.
        """
        ...


class SerialPorts(Protocol):
    async def open(self, vm: VmId, listener: PortListener) -> SerialPort | Refusal:
        """Dials the VM's COM1; returns once bytes can flow. Raises Unavailable."""
        ...


class RecordSink(Protocol):
    async def send(self, source: Source, records: Sequence[bytes]) -> None:
        """Returns when the hub has stored this run of encoded records. Raises Unavailable; then nobody knows
        whether it was stored, and it must be sent again.
        """
        ...


class Recorder(Protocol):
    """The spool of one console's epoch."""

    def append(self, record: Record) -> None:
        """In the file when it returns (survives a kill). Raises OSError when it cannot be written."""
        ...


@dataclass(frozen=True, slots=True)
class Admission:
    """The function app's yes to an attach."""

    session: str
    idle_seconds: int
    session_seconds: int
    keeping: Keeping = BY_RULE


@dataclass(frozen=True, slots=True)
class Beat:
    """The function app's answer to a heartbeat."""

    endings: Sequence[tuple[str, str, str]] = ()
    """(session, refusal code, by whom) of those that must end."""
    keep: Mapping[str, Keeping] | None = None
    """What is kept, by console, where it is not what it is by rule. None: could not be learnt; all stays as it is."""
    capture: Sequence[VmId] | None = None
    """VMs of this relay that are recorded whether anybody is there or not. None, as above."""


class ControlPlane(Protocol):
    """The function app, as a relay calls it."""

    async def attach(self, grant: Grant) -> Admission | Refusal:
        """Burns the token's id and checks the generation. Raises Unavailable."""
        ...

    async def heartbeat(self, live: Sequence[Grant]) -> Beat:
        """Keeps the leases of all live sessions in one call. Raises Unavailable."""
        ...

    async def detach(self, grant: Grant, why: str, typed: int, printed: int) -> None:
        """The session ended: its lock is free. Raises Unavailable."""
        ...
