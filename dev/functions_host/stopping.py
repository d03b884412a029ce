"""Waiting and trying again, until the host stops."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

FIRST_WAIT, LONGEST_WAIT = 0.2, 5.0
"""Seconds before something that is away is tried again: doubled each time, up to the longest."""


class Stopping(Exception):
    """The host stops: what was under way has no outcome, so whatever led here must come again."""


async def pause(seconds: float, stopping: asyncio.Event) -> None:
    """Waits.

    Raises:
        Stopping: the host stops first.

    """
    try:
        await asyncio.wait_for(stopping.wait(), seconds)
    except TimeoutError:
        return
    raise Stopping


async def until_stopping[T](
    work: Coroutine[Any, Any, T], stopping: asyncio.Event, busy: asyncio.Lock | None = None
) -> T:
    """Does `work`, and cancels it when the host stops; what runs under `busy` may finish first.

    Raises:
        Stopping: the host stops.

    """
    task, stop = asyncio.create_task(work), asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        async with busy or asyncio.Lock():
            raise Stopping
    finally:
        task.cancel()
        stop.cancel()
        await asyncio.gather(task, stop, return_exceptions=True)


async def persist[T](what: str, act: Callable[[], Awaitable[T]], stopping: asyncio.Event, log: logging.Logger) -> T:
    """Does `act` until it succeeds, with a growing pause and a line in the log after each failure.

    Raises:
        Stopping: the host stops.

    """
    wait, clock = FIRST_WAIT, asyncio.get_running_loop().time
    while True:
        began = clock()
        try:
            return await act()
        except Stopping:
            raise
        except Exception as error:  # noqa: BLE001 - SDKs let their transports' errors through; none may end this
            if clock() - began > LONGEST_WAIT:
                wait = FIRST_WAIT
            log.warning("%s: %s: %s; again in %.1f s", what, type(error).__name__, _first_line(error), wait)
        await pause(wait, stopping)
        wait = min(wait * 2, LONGEST_WAIT)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].strip()
