"""Retention drops whole oldest segments, and never the newest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.transcript.recordings import Indexed
from shared.transcript.retention import Due, Retention, due

DAY = 24 * 3600 * 1_000_000
NOW = 100 * DAY


def segments(*ages_and_sizes: tuple[int, int]) -> list[Indexed]:
    """Oldest first: the age of each one's last record in days, and its length."""
    return [
        Indexed(ordinal, length=size, last_us=NOW - age * DAY) for ordinal, (age, size) in enumerate(ages_and_sizes, 3)
    ]


@pytest.mark.parametrize(
    ("ring", "kept", "why"),
    [
        (Retention(), None, ""),
        (Retention(days=30), None, ""),
        (Retention(days=29), 4, "age"),
        (Retention(days=5), 5, "age"),
        (Retention(days=1), 5, "age"),
        (Retention(bytes=60), None, ""),
        (Retention(bytes=59), 4, "size"),
        (Retention(bytes=1), 5, "size"),
        (Retention(bytes=1, days=29), 5, "size"),
        (Retention(bytes=59, days=5), 5, "age"),
    ],
)
def test_the_limit_that_reaches_furthest_decides(ring: Retention, kept: int | None, why: str) -> None:
    held = segments((30, 10), (10, 20), (4, 30))
    found = due(held, ring, NOW)
    assert found == (None if kept is None else Due(held[kept - 3], why))


@given(
    st.lists(st.tuples(st.integers(0, 99), st.integers(1, 50)), max_size=8), st.integers(0, 300), st.integers(0, 100)
)
def test_what_is_kept_is_within_the_limits_or_the_newest_alone(
    held: list[tuple[int, int]], size: int, days: int
) -> None:
    there = segments(*sorted(held, reverse=True))
    found = due(there, Retention(size, days), NOW)
    kept = [each for each in there if not found or each.ordinal >= found.first_kept.ordinal]
    assert not there or there[-1] in kept
    if len(kept) > 1:
        assert not size or sum(each.length for each in kept) <= size
        assert not days or kept[0].last_us >= NOW - days * DAY


def test_a_newest_one_that_is_still_empty_leaves_the_one_before_the_newest() -> None:
    assert due(segments((30, 10), (0, 0)), Retention(days=1), NOW) is None
    assert due(segments((30, 10), (20, 10), (0, 0)), Retention(days=1), NOW) == Due(
        segments((30, 10), (20, 10))[1], "age"
    )
    assert due(segments((0, 0)), Retention(1, 1), NOW) is None
