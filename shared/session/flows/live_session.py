"""What a relay says of its sessions, and what it is told."""

from dataclasses import dataclass

from shared.base.refusals import Code
from shared.base.vm import VmId
from shared.session.grant import Mode
from shared.session.ports import Session


@dataclass(frozen=True, slots=True)
class Live:
    """A session that a relay says is attached to it."""

    vm: VmId
    session: str
    generation: int
    mode: Mode
    again: float = 0.0
    """When Azure is to be asked about it again, as the relay was told last; seconds since 1970, 0 when it never was."""


@dataclass(frozen=True, slots=True)
class Others:
    """Sessions that a relay names by their ids alone: with another heartbeat it says more of them."""

    writers: frozenset[str] = frozenset()
    watchers: frozenset[str] = frozenset()


NO_OTHERS = Others()


@dataclass(frozen=True, slots=True)
class SessionEnding:
    session: str
    code: Code
    by: str
    """The name of who caused it; empty when nobody in particular did."""


def over(live: Live, session: Session | None) -> SessionEnding | None:
    """What the index says of it, when it has ended there or is unknown."""
    if session is None or session.state == "ended":
        return SessionEnding(live.session, Code.SESSION_ENDED, session.name if session else "")
    return None
