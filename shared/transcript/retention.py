"""Which segments retention drops: whole oldest ones, never the newest, by age and by size."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.transcript.recordings import Indexed

_DAY_US = 24 * 3600 * 1_000_000


@dataclass(frozen=True, slots=True)
class Retention:
    """How much of each VM's transcript is kept; 0: without limit."""

    bytes: int = 0
    """As they lie in the segments."""
    days: int = 0
    """Since a segment's last record."""


@dataclass(frozen=True, slots=True)
class Due:
    """Segments before `kept` may go."""

    kept: Indexed
    why: str
    """`age` or `size`: the limit that reaches furthest."""


def due(segments: Sequence[Indexed], ring: Retention, now_us: int) -> Due | None:
    """`segments` are all that are there, rising.

    A newest one that is still empty does not count: until something is in it, whoever appends goes on from the one
    before.
    """
    segments = [each for each in segments if each.length]
    by_age, by_size = _by_age(segments, ring, now_us), _by_size(segments, ring)
    keep = max(by_age, by_size)
    return Due(segments[keep], "age" if by_age >= by_size else "size") if keep else None


def _by_age(segments: Sequence[Indexed], ring: Retention, now_us: int) -> int:
    """The index of the first that is kept."""
    limit = now_us - ring.days * _DAY_US
    keep = 0
    while ring.days and keep < len(segments) - 1 and segments[keep].last_us < limit:
        keep += 1
    return keep


def _by_size(segments: Sequence[Indexed], ring: Retention) -> int:
    size, keep = sum(each.length for each in segments), 0
    while ring.bytes and keep < len(segments) - 1 and size > ring.bytes:
        size -= segments[keep].length
        keep += 1
    return keep
