"""How long rows are kept: each at least for as long as somebody needs it."""

from shared.transcript.old_rows import DAY, HOUR, Ages, Rows, limits

NOW = 1_800_000_000.0
EIGHT_HOURS = 28_800
AGES = Ages(EIGHT_HOURS, 30, 400)


def test_every_kind_has_its_time_and_only_reads_may_be_kept_for_ever() -> None:
    assert set(limits(AGES, NOW)) == set(Rows)
    assert set(Rows) - set(limits(Ages(EIGHT_HOURS, 30, 0), NOW)) == {Rows.READS}


def test_nothing_goes_that_is_still_needed() -> None:
    found = limits(AGES, NOW)
    assert found[Rows.USED_TOKENS] == found[Rows.RATE_LIMITS] == found[Rows.NOTICES] == NOW - HOUR
    assert found[Rows.LIVE_SESSIONS] == NOW - EIGHT_HOURS - HOUR
    assert found[Rows.WAITING_APPROVALS] == NOW - DAY - HOUR
    assert found[Rows.SESSIONS] == NOW - EIGHT_HOURS - HOUR - 30 * DAY
    assert found[Rows.APPROVALS] == NOW - 2 * DAY - HOUR - 30 * DAY
    assert found[Rows.READS] == NOW - 400 * DAY


def test_what_nobody_looks_up_is_still_kept_while_it_lives() -> None:
    found = limits(Ages(EIGHT_HOURS, 0, 0), NOW)
    assert found[Rows.SESSIONS] < NOW - EIGHT_HOURS
    assert found[Rows.APPROVALS] < NOW - 2 * DAY
