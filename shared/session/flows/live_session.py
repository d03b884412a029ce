"""The sessions that a relay reports with a heartbeat, and the ends that it is told."""

from dataclasses import dataclass

from shared.base.refusals import Code
from shared.base.vm import VmId
from shared.session.grant import Mode
from shared.session.ports import Session


@dataclass(frozen=True, slots=True)
class Live:
    """A session that a relay reports as attached to it."""

    vm: VmId
    session: str
    generation: int
    mode: Mode
    again: float = 0.0
    """Time of the next recheck that the relay was told; seconds since 1970, 0 if it was told none."""


@dataclass(frozen=True, slots=True)
class Others:
    """Sessions that a heartbeat names only by their ids; another heartbeat describes them in full."""

    writers: frozenset[str] = frozenset()
    watchers: frozenset[str] = frozenset()


NO_OTHERS = Others()


@dataclass(frozen=True, slots=True)
class SessionEnding:
    session: str
    code: Code
    by: str
    """The name of the person who caused it; empty if nobody did."""


def over(live: Live, session: Session | None) -> SessionEnding | None:
    """Returns the end of a session that the index has as ended or does not know; else None."""
    if session is None or session.state == "ended":
        return SessionEnding(live.session, Code.SESSION_ENDED, session.name if session else "")
    return None
