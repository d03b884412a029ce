"""Retry policies: fixed_delay and exponential_backoff, as the host applies them to event and timer triggers."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from dev.functions_host.stopping import pause
from dev.functions_host.worker import Attempt, Function, FunctionFailed, log_failure

type Invoke = Callable[[Attempt], Awaitable[Any]]
FOR_EVER = -1


async def run_with_retries(function: Function, invoke: Invoke, stopping: asyncio.Event) -> None:
    """Runs `invoke` under the function's policy. Returns when it succeeded, or when the policy gives up, as Azure does.

    Raises:
        Stopping: the host stops before the retries ended.

    """
    limit = function.retry.max_retry_count if function.retry else 0
    number = 0
    while True:
        try:
            await invoke(Attempt(number, limit))
        except FunctionFailed as error:
            log_failure(function, error, f" (attempt {number + 1})")
        else:
            return
        if limit != FOR_EVER and number >= limit:
            return
        await pause(delay(function.retry, number), stopping)
        number += 1


def delay(policy: Any, number: int) -> float:
    """Seconds after the failed attempt `number`, counted from 0."""
    fixed = getattr(policy, "delay_interval", None)
    if fixed is not None:
        return float(fixed.total_seconds())
    # The exponent is capped: after a day of -1 a float could not hold the power.
    grown = policy.minimum_interval.total_seconds() * 2 ** min(number, 32)
    return float(min(grown, policy.maximum_interval.total_seconds()))
