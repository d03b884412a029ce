"""The ports of sessions: the lock, tokens, sessions, relays, leases, notices, and the control plane for relays."""

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
    """The lock: one per console, in the durable task hub. Every call raises Unavailable if the task hub fails."""

    async def acquire(self, vm: VmId, claim: Claim) -> Acquired | Held:
        """Claims the console. After Unavailable the session holds it for at most PENDING_SECONDS, if at all."""
        ...

    async def release(self, vm: VmId, session: str, generation: int) -> bool:
        """Frees the console. Returns True if the session had it."""
        ...

    async def show(self, vm: VmId) -> Lock: ...


class KeyRing(Protocol):
    """Keys that sign for the service: EC P-256, ES256. Private keys never leave their store."""

    async def public(self) -> Sequence[Mapping[str, str]]:
        """Returns the JWK of every key whose signatures are accepted. Raises Unavailable."""
        ...

    async def signer(self) -> str:
        """Returns the `kid` of the key that signs now. Raises Unavailable."""
        ...

    async def sign(self, kid: str, message: bytes) -> bytes:
        """Signs with a key that `signer` named. Returns r and s, 32 bytes each. Raises Unavailable."""
        ...

    async def probe(self) -> None:
        """Raises Unavailable if the keys cannot be reached."""
        ...


class Tokens(Protocol):
    async def ready(self) -> None:
        """Raises Unavailable if nothing can be signed now."""
        ...

    async def sign(self, grant: Grant) -> str:
        """Returns the session token (JWT, ES256) for this grant. Raises Unavailable."""
        ...

    async def sign_command(self, relay: str, body: bytes) -> str:
        """Returns a token, valid for 30 s, that proves to a relay that the function app sent exactly this body.

        Raises Unavailable.
        """
        ...

    async def public_keys(self) -> dict[str, Any]:
        """Returns the JWKS with which relays verify tokens. Raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Session:
    """One session, as the index stores it. Times are seconds since 1970."""

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
    """The VM's operating system when the session was opened; None if the session is older than this field."""
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
        """Stores the end of a session. A session ends once: a later call changes nothing."""
        ...

    async def live(self, scope: Scope, since: float) -> Sequence[Session]:
        """Returns the sessions within a scope that were requested after `since` and have not ended."""
        ...


class UsedTokens(Protocol):
    async def burn(self, token_id: str, expires_at: int) -> bool:
        """Marks a token as used. Returns True the first time, False ever after. `expires_at`: seconds since 1970."""
        ...


@dataclass(frozen=True, slots=True)
class Relay:
    """One relay shard: its name, the address browsers use (ws/wss), and its control address (http/https)."""

    name: str
    address: str
    control: str


class Relays(Protocol):
    def of(self, vm: VmId) -> Relay:
        """Returns the relay that owns this VM's console."""
        ...

    async def fence(self, vm: VmId, generation: int, by: str) -> bool:
        """Tells the relay that `by` displaced the older writer. Returns False if it cannot be reached; its heartbeat
        then tells it within seconds.
        """
        ...

    async def end(self, vm: VmId, session: str, code: str, by: str) -> bool: ...

    async def ask(self, vm: VmId, generation: int, by: str, seconds: float) -> bool:
        """Asks the writer of this generation to leave. Returns True if they agree, or do not answer within `seconds`.

        Raises Unavailable.
        """
        ...

    async def command(self, vm: VmId, act: Command, keys: str, by: str) -> Refusal | None:
        """Sends reset, NMI or SysRq (`keys`: its letters and digits) through the open serial port, and records it.

        Raises Unavailable.
        """
        ...

    async def recorded_last(self, vm: VmId) -> RecordedLast | None:
        """Returns the newest record that the relay has of the VM's console, if any. Raises Unavailable."""
        ...

    async def note(self, vm: VmId, act: Command, by: str) -> bool:
        """Records a command that Azure Resource Manager carries, if the console is open.

        Returns False if the relay cannot be reached.
        """
        ...


@dataclass(frozen=True, slots=True)
class Admission:
    """The function app's admission of an attach."""

    session: str
    idle_seconds: int
    session_seconds: int
    keeping: RecordingSettings = BY_RULE


@dataclass(frozen=True, slots=True)
class Beat:
    """The function app's answer to a heartbeat."""

    endings: Sequence[tuple[str, str, str]] = ()
    """Sessions that must end: their id, the refusal code, and the name of who ended them."""
    keep: Mapping[str, RecordingSettings] | None = None
    """Recording settings that differ from the default, by console. None if they are not known: then nothing changes."""
    capture: Sequence[VmId] | None = None
    """VMs of this relay that are recorded also without a viewer. None, as above."""
    covered: Collection[str] | None = None
    """The consoles that `keep` covers; other answers cover the others. None: all."""


class ControlPlane(Protocol):
    """The function app, as a relay calls it."""

    async def attach(self, grant: Grant) -> Admission | Refusal:
        """Marks the token as used and checks the generation. Raises Unavailable."""
        ...

    async def heartbeat(self, live: Sequence[Grant]) -> Beat:
        """Renews the lease of the relay for all its live sessions. Raises Unavailable."""
        ...

    async def record_end(self, vm: VmId) -> RecordEnd:
        """Returns the end of the VM's record in the archive, whichever relay recorded it. Raises Unavailable."""
        ...

    async def detach(self, grant: Grant, why: str, typed: int, printed: int) -> None:
        """Reports the end of a session, and frees its lock. `typed` and `printed`: bytes. Raises Unavailable."""
        ...


class Leases(Protocol):
    """The leases of relays, one row each. The lease of a relay is that of all its writers."""

    async def renew(self, relay: str, lease: Lease) -> None:
        """Raises Unavailable."""
        ...

    async def of(self, relay: str) -> Lease | None:
        """Returns the lease of a relay; None if it never sent a heartbeat. Raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice for a relay that a session has ended. `by`: the name of who ended it; `at`: seconds since 1970."""

    session: str
    code: Code
    by: str
    at: float


class Notices(Protocol):
    """Notices that relays get with their next heartbeat, in case a call did not reach them."""

    async def add(self, relay: str, notice: Notice) -> None:
        """Stores a notice; it replaces an earlier one about the session. Raises Unavailable."""
        ...

    async def of(self, relay: str) -> Sequence[Notice]:
        """Raises Unavailable."""
        ...

    async def drop(self, relay: str, sessions: Collection[str]) -> None:
        """Deletes notices. A missing one is no error. Raises Unavailable."""
        ...
