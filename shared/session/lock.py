"""One writer per console, fenced by a generation.

Every successful `acquire` raises the generation. An older writer can so be recognised for ever, also after a crash of
either side. Functions take the lock's state and return the next state and their result; the state is stored elsewhere.
Times are seconds since 1970, passed in by the caller.

A writer holds the console as long as their relay renews its lease and names them. The lock itself is not renewed: a
heartbeat of a relay is one row in a table, however many writers it has, and a lock that does not answer for half a
minute ends no session. A claim against a holder reads the lease of the holder's relay first.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

PENDING_SECONDS = 60.0
"""How long a new writer counts as alive before their relay names them: the token's 30 s, the longest attach (20 s), and
the next heartbeat (5 s), rounded up.
"""
LEASE_SECONDS = 45.0
"""How long a relay counts as alive after a heartbeat: 30 s without an answer when the only host instance is killed, a
call that hangs until its timeout (10 s), and the pause before the next (5 s).
"""


class Takeover(StrEnum):
    FORCE = "force"
    ASK = "ask"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Holder:
    """The session that has the console, and the relay that serves it."""

    session: str
    subject: str
    name: str
    since: float
    relay: str


@dataclass(frozen=True, slots=True)
class Lease:
    """The last heartbeat of a relay: its time, and the sessions of its writers."""

    at: float
    sessions: frozenset[str]


@dataclass(frozen=True, slots=True)
class Lock:
    generation: int = 0
    holder: Holder | None = None
    pending_until: float = 0.0
    """Until this time the holder counts as alive, whatever the lease of their relay says."""

    def holds(self, session: str, generation: int) -> bool:
        return self.holder is not None and self.holder.session == session and self.generation == generation

    def relay_to_ask(self, now: float) -> str | None:
        """Returns the relay whose lease decides if the holder is alive; None if no lease is needed to decide."""
        return None if self.holder is None or now < self.pending_until else self.holder.relay

    def live_holder(self, lease: Lease | None, now: float) -> Holder | None:
        """Returns the holder if they are alive. `lease` is that of `relay_to_ask`; None if there is none."""
        if self.holder is None or self.relay_to_ask(now) is None:
            return self.holder
        alive = lease is not None and now < lease.at + LEASE_SECONDS
        return self.holder if lease and alive and self.holder.session in lease.sessions else None


@dataclass(frozen=True, slots=True)
class Claim:
    """A request to become the writer. `vacated` is the generation whose holder agreed to leave, or is not alive."""

    holder: Holder
    takeover: Takeover
    vacated: int | None = None


@dataclass(frozen=True, slots=True)
class Acquired:
    """The claim succeeded. `before` is the lock as it was; its holder is displaced if they are still alive."""

    generation: int
    before: Lock


@dataclass(frozen=True, slots=True)
class Held:
    """The claim failed: the console stays with its holder. Under `ask`, this holder is asked to leave."""

    holder: Holder
    generation: int
    pending_until: float

    @property
    def lock(self) -> Lock:
        return Lock(self.generation, self.holder, self.pending_until)


def acquire(lock: Lock, claim: Claim, now: float) -> tuple[Lock, Acquired | Held]:
    """Grants a claim and raises the generation, or leaves the lock as it is.

    A claim always displaces an earlier session of the same person.
    """
    holder = lock.holder
    if holder and holder.subject != claim.holder.subject and not _may_displace(lock, claim):
        return lock, Held(holder, lock.generation, lock.pending_until)
    acquired = Lock(lock.generation + 1, claim.holder, now + PENDING_SECONDS)
    return acquired, Acquired(acquired.generation, lock)


def _may_displace(lock: Lock, claim: Claim) -> bool:
    return claim.takeover is Takeover.FORCE or claim.vacated == lock.generation


def release(lock: Lock, session: str, generation: int | None = None) -> tuple[Lock, bool]:
    """Frees the console. A release that comes late, after a takeover, changes nothing.

    Without a generation it frees whichever the session has: for a claim whose outcome was never received.
    """
    if not lock.holds(session, lock.generation if generation is None else generation):
        return lock, False
    return replace(lock, holder=None, pending_until=0.0), True
