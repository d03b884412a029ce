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

    first_kept: Indexed
    why: str
    """`age` or `size`: the limit that reaches furthest."""


def due(segments: Sequence[Indexed], retention: Retention, now_us: int) -> Due | None:
    """`segments` are all that are there, rising.

    A newest one that is still empty does not count: until something is in it, whoever appends goes on from the one
    before.
    """
    segments = [each for each in segments if each.length]
    by_age, by_size = _by_age(segments, retention, now_us), _by_size(segments, retention)
    first_kept = max(by_age, by_size)
    return Due(segments[first_kept], "age" if by_age >= by_size else "size") if first_kept else None


def _by_age(segments: Sequence[Indexed], retention: Retention, now_us: int) -> int:
    """The index of the first that is kept."""
    limit = now_us - retention.days * _DAY_US
    first_kept = 0
    while retention.days and first_kept < len(segments) - 1 and segments[first_kept].last_us < limit:
        first_kept += 1
    return first_kept


def _by_size(segments: Sequence[Indexed], retention: Retention) -> int:
    size, first_kept = sum(each.length for each in segments), 0
    while retention.bytes and first_kept < len(segments) - 1 and size > retention.bytes:
        size -= segments[first_kept].length
        first_kept += 1
    return first_kept
