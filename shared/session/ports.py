"""Who holds a console: the lock, its tokens, its sessions, the relays that are told."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from shared.access.commands import Command
from shared.access.policy import Scope
from shared.access.recording_settings import BY_RULE, RecordingSettings
from shared.base.archive_progress import RecordedLast
from shared.base.record_end import RecordEnd
from shared.base.refusals import Code, Refusal
from shared.base.vm import Os, VmId
from shared.session.grant import Grant, Mode
from shared.session.lock import Acquired, Claim, Held, Lease, Lock


class Consoles(Protocol):
    """The lock: one per console, in the durable task hub. Every call raises Unavailable while it does not answer."""

    async def acquire(self, vm: VmId, claim: Claim) -> Acquired | Held:
        """After Unavailable the session holds nothing, or only as long as any that never attaches."""
        ...

    async def release(self, vm: VmId, session: str, generation: int) -> bool:
        """Whether the session had the console."""
        ...

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
    async def ready(self) -> None:
        """Raises Unavailable while nothing can be signed."""
        ...

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


class UsedTokens(Protocol):
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

    async def command(self, vm: VmId, act: Command, keys: str, by: str) -> Refusal | None:
        """Sends reset, NMI or SysRq (`keys`: its letters and digits) down the open line, and records it.

        Raises Unavailable.
        """
        ...

    async def recorded_last(self, vm: VmId) -> RecordedLast | None:
        """The newest record of the VM's console at its relay; None where that knows none. Raises Unavailable."""
        ...

    async def note(self, vm: VmId, act: Command, by: str) -> bool:
        """Records an act that goes another way, where the console is open. False when the relay was not reached."""
        ...


@dataclass(frozen=True, slots=True)
class Admission:
    """The function app's yes to an attach."""

    session: str
    idle_seconds: int
    session_seconds: int
    keeping: RecordingSettings = BY_RULE


@dataclass(frozen=True, slots=True)
class Beat:
    """The function app's answer to a heartbeat."""

    endings: Sequence[tuple[str, str, str]] = ()
    """(session, refusal code, by whom) of those that must end."""
    keep: Mapping[str, RecordingSettings] | None = None
    """What is kept, by console, where it is not what it is by rule. None: could not be learnt; all stays as it is."""
    capture: Sequence[VmId] | None = None
    """VMs of this relay that are recorded whether anybody is there or not. None, as above."""
    covered: Collection[str] | None = None
    """The consoles about which `keep` speaks; of the others another answer does. None: all."""


class ControlPlane(Protocol):
    """The function app, as a relay calls it."""

    async def attach(self, grant: Grant) -> Admission | Refusal:
        """Burns the token's id and checks the generation. Raises Unavailable."""
        ...

    async def heartbeat(self, live: Sequence[Grant]) -> Beat:
        """Keeps the leases of all live sessions in one call. Raises Unavailable."""
        ...

    async def record_end(self, vm: VmId) -> RecordEnd:
        """How the VM's record ends in the archive, whoever recorded it. Raises Unavailable."""
        ...

    async def detach(self, grant: Grant, why: str, typed: int, printed: int) -> None:
        """The session ended: its lock is free. Raises Unavailable."""
        ...


class Leases(Protocol):
    """The lives of relays, which are the leases of all their writers: one row each."""

    async def renew(self, relay: str, lease: Lease) -> None:
        """Raises Unavailable."""
        ...

    async def of(self, relay: str) -> Lease | None:
        """None: it never said anything. Raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Notice:
    """A session that is over, as its relay is to hear it. `by`: the name of who caused it; `at`: seconds since 1970."""

    session: str
    code: Code
    by: str
    at: float


class Notices(Protocol):
    """What relays are still to hear, for whatever call does not reach them."""

    async def add(self, relay: str, notice: Notice) -> None:
        """Raises Unavailable. Of one session the last counts."""
        ...

    async def of(self, relay: str) -> Sequence[Notice]:
        """Raises Unavailable."""
        ...

    async def drop(self, relay: str, sessions: Collection[str]) -> None:
        """Raises Unavailable; what is not there any more is no error."""
        ...
