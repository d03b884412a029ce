"""One writer per console, fenced by a generation.

Every successful `acquire` raises the generation, so whoever held an older one can be told apart for ever, also
after a crash of either side. Functions take the lock's state and answer the next state beside their result;
nothing here knows where the state is kept. Times are seconds since 1970, handed in by the caller.

A writer holds the console as long as their relay lives and names them: the lock itself is told nothing of that. So a
heartbeat of a relay is one line in a table, however many writers it has, and a lock that does not answer for half a
minute ends no session. Whoever wants the console from a holder looks the relay up and claims what is vacated.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

PENDING_SECONDS = 60.0
"""How long a granted console is kept for a writer whose relay has not named them yet: the token's 30 s, an attach that
takes its longest (20 s), and the next heartbeat (5 s).
"""
LEASE_SECONDS = 45.0
"""How long a relay counts as alive after a heartbeat: the 30 s in which nothing answers when the only host instance is
killed, a call that hangs until its end (10 s), and the pause before the next (5 s).
"""


class Takeover(StrEnum):
    FORCE = "force"
    ASK = "ask"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has the console, and the relay that they were sent to."""

    session: str
    subject: str
    name: str
    since: float
    relay: str


@dataclass(frozen=True, slots=True)
class Lease:
    """What a relay said with its last heartbeat: when, and the sessions of its writers."""

    at: float
    sessions: frozenset[str]


@dataclass(frozen=True, slots=True)
class Lock:
    generation: int = 0
    holder: Holder | None = None
    pending_until: float = 0.0
    """Until then the holder counts as alive whatever their relay says."""

    def holds(self, session: str, generation: int) -> bool:
        return self.holder is not None and self.holder.session == session and self.generation == generation

    def relay_to_ask(self, now: float) -> str | None:
        """The holder's, where it says whether they are alive; None: nobody holds it, or they count as alive anyway."""
        return None if self.holder is None or now < self.pending_until else self.holder.relay

    def live_holder(self, lease: Lease | None, now: float) -> Holder | None:
        """`lease`: of the relay to ask; None where there is none, or it never said anything."""
        if self.holder is None or self.relay_to_ask(now) is None:
            return self.holder
        alive = lease is not None and now < lease.at + LEASE_SECONDS
        return self.holder if lease and alive and self.holder.session in lease.sessions else None


@dataclass(frozen=True, slots=True)
class Claim:
    """A wish to become the writer. `vacated` is the generation whose holder agreed to leave, or is not alive."""

    holder: Holder
    takeover: Takeover
    vacated: int | None = None


@dataclass(frozen=True, slots=True)
class Acquired:
    """`before`: the lock as it was. Its holder is displaced, where they are still alive."""

    generation: int
    before: Lock


@dataclass(frozen=True, slots=True)
class Held:
    """The console stays with its holder, if they are alive; under `ask`, that holder is the one to be asked."""

    holder: Holder
    generation: int
    pending_until: float

    @property
    def lock(self) -> Lock:
        return Lock(self.generation, self.holder, self.pending_until)


def acquire(lock: Lock, claim: Claim, now: float) -> tuple[Lock, Acquired | Held]:
    """Raises the generation, or leaves the lock untouched. A claim always displaces an earlier session
    of the same person.
    """
    holder = lock.holder
    if holder and holder.subject != claim.holder.subject and not _may_displace(lock, claim):
        return lock, Held(holder, lock.generation, lock.pending_until)
    acquired = Lock(lock.generation + 1, claim.holder, now + PENDING_SECONDS)
    return acquired, Acquired(acquired.generation, lock)


def _may_displace(lock: Lock, claim: Claim) -> bool:
    return claim.takeover is Takeover.FORCE or claim.vacated == lock.generation


def release(lock: Lock, session: str, generation: int | None = None) -> tuple[Lock, bool]:
    """Frees the console; a release that comes late, after a takeover, changes nothing.

    Without a generation: whichever the session has, for who asked and never learnt it.
    """
    if not lock.holds(session, lock.generation if generation is None else generation):
        return lock, False
    return replace(lock, holder=None, pending_until=0.0), True
