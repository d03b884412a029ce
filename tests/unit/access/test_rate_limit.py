from hypothesis import given
from hypothesis import strategies as st

from shared.access.rate_limit import RateLimit, take

paces = st.builds(RateLimit, st.integers(1, 600), st.integers(1, 300))
gaps = st.lists(st.floats(0, 30), min_size=1, max_size=60)


@given(paces, gaps)
def test_no_stretch_of_time_sees_more_than_its_burst_and_its_rate(pace: RateLimit, gaps: list[float]) -> None:
    due, now, passed = 0.0, 1_000_000.0, []
    for gap in gaps:
        now += gap
        due, wait = take(due, pace, now)
        if not wait:
            passed.append(now)
    for first in range(len(passed)):
        for last in range(first, len(passed)):
            allowed = pace.burst + (passed[last] - passed[first]) * pace.per_minute / 60
            assert last - first + 1 <= allowed + 1e-6


@given(paces, st.integers(1, 100))
def test_who_waits_as_long_as_told_is_let_in(pace: RateLimit, requests: int) -> None:
    due, now = 0.0, 1_000_000.0
    for _ in range(requests):
        due, wait = take(due, pace, now)
        if wait:
            assert take(due, pace, now) == (due, wait), "who has to wait has taken nothing"
            due, wait = take(due, pace, now + wait + 1e-6)
            assert not wait


def test_a_burst_passes_at_once_and_then_the_rate_holds() -> None:
    pace, due = RateLimit(60, 3), 0.0
    waits = []
    for _ in range(5):
        due, wait = take(due, pace, 100.0)
        waits.append(wait)
    assert waits == [0, 0, 0, 1, 1]
