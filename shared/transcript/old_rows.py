"""Rows that go by their age: of each kind, how long somebody may still ask for them. Pure; seconds since 1970."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.access.approval import GOOD_SECONDS, WAITS_SECONDS

HOUR = 3600.0
DAY = 24 * HOUR
SLACK = HOUR
"""Clocks differ; and what is on its way when a row's time ends is done long before this has passed."""


class Rows(StrEnum):
    """A kind of row, and which of its times its age is counted from."""

    USED_TOKENS = "used tokens"
    """The end of the token: until then it would be accepted, were it not known to be used."""
    RATE_LIMITS = "rate limits"
    """When the next request is due: after that the row says what no row says."""
    LIVE_SESSIONS = "live sessions"
    """The request: a session's row here goes when it ends, and outlives its longest life only after a crash."""
    WAITING_APPROVALS = "waiting approvals"
    """The request: it waits for WAITS_SECONDS at most."""
    SESSIONS = "sessions"
    """The request. A session that lives is younger than its longest life."""
    APPROVALS = "approvals"
    """The request. It waits for WAITS_SECONDS at most, and a yes is good for GOOD_SECONDS at most."""
    NOTICES = "notices"
    """When it was written. Relays read theirs every five seconds; this is for those that are gone for good."""
    READS = "reads"
    """The read."""


@dataclass(frozen=True, slots=True)
class Ages:
    session_seconds: int
    """The longest life of a session."""
    session_days: int
    """How long what is over of sessions and approvals can be looked up."""
    read_days: int
    """How long it is known who read a transcript; 0: for ever."""


def limits(ages: Ages, now: float) -> Mapping[Rows, float]:
    """Of each kind, the time before which rows go. Kinds that are kept for ever are not there."""
    longest, kept_seconds = ages.session_seconds + SLACK, ages.session_days * DAY
    times = {
        Rows.USED_TOKENS: now - SLACK,
        Rows.RATE_LIMITS: now - SLACK,
        Rows.NOTICES: now - SLACK,
        Rows.LIVE_SESSIONS: now - longest,
        Rows.WAITING_APPROVALS: now - WAITS_SECONDS - SLACK,
        Rows.SESSIONS: now - longest - kept_seconds,
        Rows.APPROVALS: now - WAITS_SECONDS - GOOD_SECONDS - SLACK - kept_seconds,
    }
    return times | ({Rows.READS: now - ages.read_days * DAY} if ages.read_days else {})
