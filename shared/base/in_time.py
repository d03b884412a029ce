"""Bounds every question to something outside by what the request has left (shared/base/time_limit.py)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.base import time_limit
from shared.base.ports import Dependency, Trouble, Unavailable

OWN_SECONDS = 8.0
"""Of a question that belongs to no request."""


@asynccontextmanager
async def in_time(
    what: Dependency,
    own: float | None = None,
    *,
    which: str = "",
    least: float = 0.0,
    late: Trouble = Trouble.SLOW,
) -> AsyncIterator[float]:
    """Answers the seconds that are left, and begins nothing where that is not more than `least`. Raises Unavailable,
    as `late` where what is done inside was cut off. Nobody else's time may pass inside: it must not be held open over
    the `yield` of a generator.
    """
    ends, now = time_limit.ends(OWN_SECONDS if own is None else own), asyncio.get_running_loop().time()
    if ends - now <= least:
        raise Unavailable(what, "was not asked: there was no time left", Trouble.LATE, which=which)
    try:
        async with asyncio.timeout_at(ends):
            yield ends - now
    except TimeoutError as error:
        raise Unavailable(what, "was not done in time", late, which=which) from error


async def each_in_time[T](found: AsyncIterator[T], what: Dependency, own: float | None = None) -> AsyncIterator[T]:
    """The items of a list, each of which may cost a question. Raises Unavailable."""
    while True:
        async with in_time(what, own):
            try:
                item = await anext(found)
            except StopAsyncIteration:
                return
        yield item
