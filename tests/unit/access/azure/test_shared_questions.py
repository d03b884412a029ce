"""How many questions about live sessions are asked, whatever the clock does."""

import pytest

from shared.access.azure.shared_questions import Allowance
from shared.base.ports import Unavailable
from tests.fakes import FakeClock


def test_a_clock_that_is_set_back_stops_no_questions_for_long() -> None:
    clock = FakeClock()
    allowance = Allowance(clock)
    allowance.take("s")
    clock.time -= 3600
    allowance.take("s")


def test_a_pause_holds_for_its_seconds() -> None:
    clock = FakeClock()
    allowance = Allowance(clock)
    allowance.pause("s", 5)
    with pytest.raises(Unavailable, match="not asked now"):
        allowance.take("s")
    clock.time += 6
    allowance.take("s")
