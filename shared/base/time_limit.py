"""How long a request may wait in all for what it depends on, however many questions it asks one after another: Azure,
tables, blobs, the lock, the key vault, the relay.

Every request has one limit (a context variable), which begins with its first question. Work that belongs to no
request, and questions that serve several, have none: then each question has a time of its own.
"""

import asyncio
import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

REQUEST_SECONDS = 8.0
"""With what is tidied up after a failure (`afterwards`) no request waits for ten."""
AFTERWARDS_SECONDS = 1.0


class TimeLimit:
    def __init__(self, seconds: float = REQUEST_SECONDS) -> None:
        self._seconds = seconds
        self._ends: float | None = None
        self._paused, self._began, self._most = 0, 0.0, 0.0
        """By how many at the same time, since when, and for how long at most."""

    def ends(self) -> float:
        """So many seconds after this was asked first; by the running loop's clock."""
        if self._ends is None:
            self._ends = _now() + self._seconds
        return self._ends

    def pause(self, most: float) -> None:
        """Until `go_on`; who comes while others pause it pauses it with them."""
        self._paused += 1
        if self._paused == 1:
            self._began, self._most, self._ends = _now(), most, self.ends() + most

    def go_on(self) -> None:
        self._paused -= 1
        if not self._paused:
            self._ends = self.ends() + min(_now() - self._began, self._most) - self._most


current: ContextVar[TimeLimit | None] = ContextVar("time limit", default=None)
"""None where the work belongs to no request."""


def ends(own: float) -> float:
    """When what is asked now must be done; where it belongs to no request, after `own` seconds. By the loop's clock."""
    limit = current.get()
    return limit.ends() if limit else _now() + own


def left() -> float:
    """Seconds that the request has; without end where there is none."""
    limit = current.get()
    return limit.ends() - _now() if limit else math.inf


@contextmanager
def put_off(most: float) -> Iterator[None]:
    """What is waited for inside is no dependency, but a person, what the client asked to wait for, or this process
    itself: it costs the request nothing of its time, for at most so many seconds.
    """
    limit = current.get()
    if limit is None:
        yield
        return
    limit.pause(most)
    try:
        yield
    finally:
        limit.go_on()


@contextmanager
def afterwards() -> Iterator[None]:
    """For what tidies up after a failure, which may have come because no time was left."""
    before = current.set(TimeLimit(AFTERWARDS_SECONDS))
    try:
        yield
    finally:
        current.reset(before)


def _now() -> float:
    return asyncio.get_running_loop().time()
