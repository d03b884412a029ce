"""One writer per console, fenced by a generation.

Every successful `acquire` raises the generation, so whoever held an older one can be told apart for ever, also
after a crash of either side. Functions take the lock's state and answer the next state beside their result;
nothing here knows where the state is kept. Times are seconds since 1970, handed in by the caller.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

PENDING_SECONDS = 45.0
"""How long a granted console is kept for a writer who has not attached: the token's 30 s and a dial's time."""
LEASE_SECONDS = 15.0
"""How long a heartbeat keeps the lock: what a crash costs the next writer who asks with `never`."""


class Takeover(StrEnum):
    FORCE = "force"
    ASK = "ask"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has the console."""

    session: str
    subject: str
    name: str
    since: float


@dataclass(frozen=True, slots=True)
class Lock:
    generation: int = 0
    holder: Holder | None = None
    lease_until: float = 0.0

    def live_holder(self, now: float) -> Holder | None:
        return self.holder if self.holder and now < self.lease_until else None


@dataclass(frozen=True, slots=True)
class Claim:
    """A wish to become the writer. `consent` is the generation whose holder agreed to leave, where one was asked."""

    holder: Holder
    takeover: Takeover
    consent: int | None = None


@dataclass(frozen=True, slots=True)
class Acquired:
    generation: int
    displaced: Holder | None


@dataclass(frozen=True, slots=True)
class Held:
    """The console stays with its holder; under `ask`, that holder is the one to be asked."""

    holder: Holder
    generation: int


def acquire(lock: Lock, claim: Claim, now: float) -> tuple[Lock, Acquired | Held]:
    """Raises the generation and names whom it displaced, or leaves the lock untouched. One's own sessions give way."""
    held = lock.live_holder(now)
    foreign = held is not None and held.subject != claim.holder.subject
    if held and foreign and not _may_displace(lock, claim):
        return lock, Held(held, lock.generation)
    taken = Lock(lock.generation + 1, claim.holder, now + PENDING_SECONDS)
    return taken, Acquired(taken.generation, held)


def _may_displace(lock: Lock, claim: Claim) -> bool:
    agreed = claim.takeover is Takeover.ASK and claim.consent == lock.generation
    return agreed or claim.takeover is Takeover.FORCE


def renew(lock: Lock, session: str, generation: int, now: float) -> tuple[Lock, bool]:
    """Keeps the lease of the session that holds this generation; False tells the relay to end it."""
    if not _holds(lock, session, generation):
        return lock, False
    return replace(lock, lease_until=now + LEASE_SECONDS), True


def release(lock: Lock, session: str, generation: int) -> tuple[Lock, bool]:
    """Frees the console; a release that comes late, after a takeover, changes nothing."""
    if not _holds(lock, session, generation):
        return lock, False
    return replace(lock, holder=None, lease_until=0.0), True


def _holds(lock: Lock, session: str, generation: int) -> bool:
    return lock.holder is not None and lock.holder.session == session and lock.generation == generation
