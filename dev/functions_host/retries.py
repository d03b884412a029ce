"""Retry policies: fixed_delay and exponential_backoff, as the host applies them to event and timer triggers.

Azure/azure-webjobs-sdk: RandomizedExponentialBackoffStrategy; seen on the real host (4.1037) with 1 s to 30 s: tries at
0, 1, 3, 6.2, 11.1 and 21.4 s.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

from dev.functions_host.stopping import pause
from dev.functions_host.worker import Attempt, Function, FunctionFailed, log_failure

type Invoke = Callable[[Attempt], Awaitable[Any]]
FOR_EVER = -1
SPREAD = 0.2
"""Of what is doubled, either way, at random."""


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
    """Seconds after the failed attempt `number`, from 0: the least, and on top of it what is doubled each time."""
    fixed = getattr(policy, "delay_interval", None)
    if fixed is not None:
        return float(fixed.total_seconds())
    least = policy.minimum_interval.total_seconds()
    # The exponent is capped: after a day of -1 a float could not hold the power.
    doubled = least * 2 ** min(number - 1, 32) if number else 0.0
    grown = doubled * random.uniform(1 - SPREAD, 1 + SPREAD)  # noqa: S311 - a pause is no secret
    return float(min(least + grown, policy.maximum_interval.total_seconds()))
