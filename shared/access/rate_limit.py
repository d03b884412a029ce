"""How often somebody may ask: a steady rate with room for a burst, kept as one number.

The generic cell rate algorithm: the number is when the next request would be due at the steady rate; a request may
come early by as much as the burst allows. Times are seconds since 1970.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RateLimit:
    per_minute: int
    burst: int
    """How many may come at once after a pause."""


def take(due: float, pace: RateLimit, now: float) -> tuple[float, float]:
    """The next due time, and the seconds to wait; 0 lets the request pass. Who has to wait has taken nothing."""
    each = 60 / pace.per_minute
    starts = max(due, now)
    wait = starts - (pace.burst - 1) * each - now
    return (due, wait) if wait > 0 else (starts + each, 0.0)
