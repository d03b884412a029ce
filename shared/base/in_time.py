"""Bounds each call to a dependency by the time that the request has left (shared/base/time_limit.py)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.base import time_limit
from shared.base.ports import Dependency, Trouble, Unavailable

OWN_SECONDS = 8.0
"""Seconds for a call that belongs to no request."""


@asynccontextmanager
async def in_time(
    what: Dependency,
    own: float | None = None,
    *,
    which: str = "",
    least: float = 0.0,
    late: Trouble = Trouble.SLOW,
) -> AsyncIterator[float]:
    """Bounds the work inside, and yields the seconds that it has. `own`: seconds for work that belongs to no request.

    Raises Unavailable if not more than `least` seconds are left (nothing was begun), and with the trouble `late` if the
    work was cut off. Do not hold it open over the `yield` of a generator: the consumer's time would count.
    """
    ends, now = time_limit.ends(OWN_SECONDS if own is None else own), asyncio.get_running_loop().time()
    if ends - now <= least:
        raise Unavailable(what, "was not asked: there was no time left", Trouble.LATE, which=which)
    try:
        async with asyncio.timeout_at(ends):
            yield ends - now
    except TimeoutError as error:
        raise Unavailable(what, "was not done in time", late, which=which) from error


async def each_in_time[T](items: AsyncIterator[T], what: Dependency, own: float | None = None) -> AsyncIterator[T]:
    """Yields the items of a list, and bounds the wait for each. Raises Unavailable."""
    while True:
        async with in_time(what, own):
            try:
                item = await anext(items)
            except StopAsyncIteration:
                return
        yield item
