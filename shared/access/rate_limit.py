"""Limits requests to a steady rate with bursts. The state is one number.

This is the generic cell rate algorithm: the number is the time when the next request is due at the steady rate, and a
request may come early by as much as the burst allows. Times are seconds since 1970.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RateLimit:
    per_minute: int
    burst: int
    """Requests that may come at once after a pause."""


def take(due: float, pace: RateLimit, now: float) -> tuple[float, float]:
    """Returns the next due time and the seconds to wait; 0 lets the request pass. A request that must wait costs
    nothing: the due time stays.
    """
    each = 60 / pace.per_minute
    starts = max(due, now)
    wait = starts - (pace.burst - 1) * each - now
    return (due, wait) if wait > 0 else (starts + each, 0.0)
