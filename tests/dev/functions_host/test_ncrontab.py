from datetime import UTC, datetime

import pytest

from dev.functions_host.ncrontab import parse

AT = datetime(2024, 2, 28, 23, 59, 30, 500, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("* * * * * *", datetime(2024, 2, 28, 23, 59, 31, tzinfo=UTC)),
        ("0 */5 * * * *", datetime(2024, 2, 29, tzinfo=UTC)),
        ("0 30 9 * * 1-5", datetime(2024, 2, 29, 9, 30, tzinfo=UTC)),
        ("0 0 0 1 1 *", datetime(2025, 1, 1, tzinfo=UTC)),
        ("0 0 0 29 2 *", datetime(2024, 2, 29, tzinfo=UTC)),
        ("5,10 0 12 * MAR sun", datetime(2024, 3, 3, 12, 0, 5, tzinfo=UTC)),
        ("30/15 59 23 * * *", datetime(2024, 2, 28, 23, 59, 45, tzinfo=UTC)),
    ],
)
def test_the_next_run_is_the_first_time_that_fits(expression: str, expected: datetime) -> None:
    assert parse(expression).next_after(AT) == expected


@pytest.mark.parametrize("expression", ["* * * * *", "60 * * * * *", "* * * * * x", "0-0/0 * * * * *"])
def test_what_is_no_schedule_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse(expression)


def test_a_date_that_never_comes_is_said_so() -> None:
    with pytest.raises(ValueError, match="no date"):
        parse("0 0 0 31 2 *").next_after(AT)
