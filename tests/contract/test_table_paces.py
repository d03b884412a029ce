"""Paces: the fake and the real table through the same tests, and two processes at one row."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.access.ports import RateLimits
from shared.access.rate_limit import RateLimit
from shared.access.tables.rate_limits import CONTENDED_SECONDS, TableRateLimits
from shared.base.tables import table_service
from tests.fakes import FakeClock, FakePaces

NOBODY: Any = None
"""No credential: the connection string has its own."""
PACE = RateLimit(60, 3)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def key() -> str:
    return f"caller {uuid.uuid4()} / with | any # letters ?"


@pytest.fixture(params=["fake", "table"])
async def paces(request: pytest.FixtureRequest, clock: FakeClock) -> AsyncIterator[RateLimits]:
    if request.param == "fake":
        yield FakePaces(clock)
        return
    async with table_service(request.getfixturevalue("storage"), NOBODY) as service:
        yield TableRateLimits(service, clock)


async def test_a_burst_passes_and_then_everybody_waits_their_turn(
    paces: RateLimits, clock: FakeClock, key: str
) -> None:
    assert [await paces.take(key, PACE) for _ in range(5)] == [0, 0, 0, 1, 1]
    clock.time += 1
    assert [await paces.take(key, PACE) for _ in range(2)] == [0, 1]


async def test_each_key_has_its_own_pace(paces: RateLimits, key: str) -> None:
    for _ in range(4):
        await paces.take(key, PACE)
    assert await paces.take(f"{key} other", PACE) == 0


async def test_all_processes_count_together(storage: str, clock: FakeClock, key: str) -> None:
    async with table_service(storage, NOBODY) as first, table_service(storage, NOBODY) as second:
        both = TableRateLimits(first, clock), TableRateLimits(second, clock)
        assert [await both[number % 2].take(key, PACE) for number in range(5)] == [0, 0, 0, 1, 1]


async def test_however_many_ask_at_once_no_more_than_the_burst_pass(storage: str, clock: FakeClock, key: str) -> None:
    async with table_service(storage, NOBODY) as first, table_service(storage, NOBODY) as second:
        both = TableRateLimits(first, clock), TableRateLimits(second, clock)
        waits = await asyncio.gather(*(both[number % 2].take(key, PACE) for number in range(24)))
    assert 1 <= waits.count(0) <= PACE.burst
    assert all(wait in (0, 1, CONTENDED_SECONDS) for wait in waits)


async def test_one_process_may_ask_many_times_at_once(storage: str, clock: FakeClock, key: str) -> None:
    async with table_service(storage, NOBODY) as service:
        paces = TableRateLimits(service, clock)
        waits = await asyncio.gather(*(paces.take(key, RateLimit(600, 40)) for _ in range(40)))
    assert waits == [0] * 40
