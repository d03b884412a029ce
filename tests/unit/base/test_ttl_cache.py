import asyncio
from collections.abc import Awaitable, Callable

import pytest

from shared.base import ttl_cache
from shared.base.ttl_cache import TtlCache
from tests.fakes import FakeClock


def answering(*values: str) -> Callable[[], Awaitable[str]]:
    """Answers these, one after the other; asked once more it fails the test."""
    left = list(values)

    async def ask() -> str:
        return left.pop(0)

    return ask


async def test_an_answer_holds_for_its_seconds_and_not_one_more() -> None:
    clock, ask = FakeClock(), answering("old", "new")
    answers: TtlCache[str] = TtlCache(15, clock)
    assert await answers.get("key", ask) == "old"
    clock.time += 14.9
    assert await answers.get("key", ask) == "old"
    clock.time += 0.1
    assert await answers.get("key", ask) == "new"


async def test_whoever_needs_a_younger_answer_gets_one_that_all_get_then() -> None:
    clock, ask = FakeClock(), answering("old", "new")
    answers: TtlCache[str] = TtlCache(60, clock)
    assert await answers.get("key", ask) == "old"
    clock.time += 10
    assert await answers.get("key", ask, within=11) == "old"
    assert await answers.get("key", ask, within=10) == "new"
    assert await answers.get("key", ask) == "new"


async def test_zero_seconds_keep_nothing() -> None:
    answers, ask = TtlCache[str](0, FakeClock()), answering("one", "two")
    assert [await answers.get("key", ask), await answers.get("key", ask)] == ["one", "two"]


async def test_an_answer_to_an_older_question_takes_no_younger_ones_place() -> None:
    clock, late = FakeClock(), asyncio.Event()
    answers: TtlCache[str] = TtlCache(15, clock)

    async def slow() -> str:
        await late.wait()
        return "before the change"

    waiting = asyncio.create_task(answers.get("key", slow))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    clock.time += 1
    assert await answers.get("key", answering("after it"), fresh=True) == "after it"
    late.set()
    assert await waiting == "before the change"
    assert await answers.get("key", answering()) == "after it"


async def test_one_asker_who_goes_away_takes_nothing_from_the_others() -> None:
    answers, ready = TtlCache[str](15, FakeClock()), asyncio.Event()

    async def slow() -> str:
        await ready.wait()
        return "answer"

    first, second = (asyncio.create_task(answers.get("key", slow)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    ready.set()
    assert await second == "answer"


async def test_a_failure_reaches_everybody_who_asked_and_is_not_kept() -> None:
    answers: TtlCache[str] = TtlCache(15, FakeClock())

    async def failing() -> str:
        raise OSError("away")

    told = await asyncio.gather(*(answers.get("key", failing) for _ in range(2)), return_exceptions=True)
    assert [type(each) for each in told] == [OSError, OSError]
    assert await answers.get("key", answering("back")) == "back"


async def test_only_so_many_are_kept_and_the_least_recently_used_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ttl_cache, "MOST", 2)
    answers: TtlCache[str] = TtlCache(15, FakeClock())
    for key in ("a", "b", "a", "c"):
        await answers.get(key, answering(key))
    assert await answers.get("a", answering()) == "a"
    assert await answers.get("b", answering("asked anew")) == "asked anew"


async def test_an_answer_from_before_the_clock_was_set_back_is_asked_for_anew_and_kept() -> None:
    clock, ask = FakeClock(), answering("allowed", "revoked")
    answers: TtlCache[str] = TtlCache(15, clock)
    assert await answers.get("key", ask) == "allowed"
    clock.time -= 3600
    assert await answers.get("key", ask) == "revoked"
    assert await answers.get("key", ask) == "revoked"
