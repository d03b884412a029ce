"""One limit for a request, with other times for people, and for what tidies up."""

import asyncio

from shared.base import time_limit
from shared.base.time_limit import AFTERWARDS_SECONDS, REQUEST_SECONDS, TimeLimit


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_a_limit_begins_with_the_first_question_and_stays() -> None:
    limit = TimeLimit(5.0)
    await asyncio.sleep(0.05)
    ends = limit.ends()
    assert 4.0 < ends - now() <= 5.0
    await asyncio.sleep(0.05)
    assert limit.ends() == ends


async def test_what_belongs_to_no_request_has_its_own_time() -> None:
    assert time_limit.current.get() is None
    first = time_limit.ends(3.0)
    await asyncio.sleep(0.01)
    assert time_limit.ends(3.0) > first
    with time_limit.put_off(60.0):
        assert time_limit.ends(3.0) - now() <= 3.0


async def test_what_people_take_is_given_back_as_far_as_they_took_it() -> None:
    before = time_limit.current.set(TimeLimit(5.0))
    ends = time_limit.ends(0.0)
    with time_limit.put_off(60.0):
        assert time_limit.ends(0.0) == ends + 60.0
        began = now()
        await asyncio.sleep(0.05)
    taken = now() - began
    assert 0 < time_limit.ends(0.0) - ends <= taken + 0.01
    with time_limit.put_off(0.0):
        await asyncio.sleep(0.02)
    assert time_limit.ends(0.0) - ends <= taken + 0.01, "no longer than was said"
    time_limit.current.reset(before)


async def test_tidying_up_has_a_moment_of_its_own_and_both_stay_under_ten_seconds() -> None:
    before = time_limit.current.set(TimeLimit(0.0))
    ends = time_limit.ends(0.0)
    with time_limit.afterwards():
        assert 0 < time_limit.ends(0.0) - now() <= AFTERWARDS_SECONDS
    assert time_limit.ends(0.0) == ends
    time_limit.current.reset(before)
    assert REQUEST_SECONDS + AFTERWARDS_SECONDS < 10


async def test_several_who_wait_for_the_same_put_a_request_off_once() -> None:
    before = time_limit.current.set(TimeLimit(5.0))
    ends = time_limit.ends(0.0)
    began = now()

    async def waits(seconds: float) -> None:
        with time_limit.put_off(30.0):
            await asyncio.sleep(seconds)

    await asyncio.gather(*(waits(seconds) for seconds in (0.02, 0.05, 0.05)))
    assert 0 < time_limit.ends(0.0) - ends <= now() - began + 0.01
    time_limit.current.reset(before)
