import asyncio
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from dev.functions_host.retries import delay, run_with_retries
from dev.functions_host.stopping import Stopping
from dev.functions_host.worker import Attempt, Function, FunctionFailed, WorkerFailed


def fixed(count: int, seconds: float = 0) -> Any:
    return SimpleNamespace(max_retry_count=count, delay_interval=timedelta(seconds=seconds))


def exponential(count: int, least: float, most: float) -> Any:
    return SimpleNamespace(
        max_retry_count=count,
        minimum_interval=timedelta(seconds=least),
        maximum_interval=timedelta(seconds=most),
    )


async def attempts(policy: Any, failures: int, stopping: asyncio.Event | None = None) -> list[tuple[int, int]]:
    """The attempts made at a function that fails that often."""
    made: list[tuple[int, int]] = []

    async def invoke(attempt: Attempt) -> None:
        made.append((attempt.number, attempt.limit))
        if len(made) <= failures:
            raise FunctionFailed("ValueError: no")

    await run_with_retries(Function("1", "flaky", (), policy), invoke, stopping or asyncio.Event())
    return made


async def test_a_function_without_a_policy_is_tried_once() -> None:
    assert await attempts(None, failures=9) == [(0, 0)]


async def test_a_policy_gives_up_after_its_retries() -> None:
    assert await attempts(fixed(2), failures=9) == [(0, 2), (1, 2), (2, 2)]


async def test_success_ends_the_retries() -> None:
    assert await attempts(fixed(5), failures=1) == [(0, 5), (1, 5)]


async def test_a_worker_that_is_lost_is_a_failure_like_any() -> None:
    made: list[int] = []

    async def invoke(attempt: Attempt) -> None:
        made.append(attempt.number)
        if attempt.number < 2:
            raise WorkerFailed("WorkerProcessExit: the worker ended")

    await run_with_retries(Function("1", "flaky", (), fixed(-1)), invoke, asyncio.Event())
    assert made == [0, 1, 2]


async def test_minus_one_never_gives_up() -> None:
    assert len(await attempts(fixed(-1), failures=50)) == 51


async def test_a_stopping_host_ends_a_retry_that_is_due() -> None:
    stopping = asyncio.Event()
    stopping.set()
    with pytest.raises(Stopping):
        await attempts(fixed(-1, seconds=3600), failures=1, stopping=stopping)


def test_fixed_delays_are_fixed() -> None:
    assert [delay(fixed(9, 1.5), number) for number in range(3)] == [1.5, 1.5, 1.5]


def test_exponential_delays_double_on_top_of_the_least_up_to_the_longest() -> None:
    policy = exponential(9, 1, 30)
    seen = (1, 2, 3.2, 4.9, 10.3)  # between the tries of the real host
    for number, (low, high) in enumerate([(1, 1), (1.8, 2.2), (2.6, 3.4), (4.2, 5.8), (7.4, 10.6)]):
        assert low <= seen[number] <= high
        assert all(low <= delay(policy, number) <= high for _ in range(50))
    assert [delay(policy, number) for number in (7, 5000)] == [30, 30]


def test_exponential_delays_differ_from_one_another() -> None:
    assert len({delay(exponential(9, 1, 30), 3) for _ in range(10)}) > 1
