"""Limits how long a request waits for its dependencies in total: Azure, tables, blobs, the lock, the key vault, the
relay.

Every request has one limit (a context variable), which starts with its first call. Work that belongs to no request,
and calls that serve several requests, have none: then each call has a time of its own.
"""

import asyncio
import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

REQUEST_SECONDS = 8.0
"""Together with the clean-up after a failure (`afterwards`), no request waits for 10 s."""
AFTERWARDS_SECONDS = 1.0


class TimeLimit:
    def __init__(self, seconds: float = REQUEST_SECONDS) -> None:
        self._seconds = seconds
        self._ends: float | None = None
        self._paused, self._began, self._most = 0, 0.0, 0.0
        """How many pause it now, since when, and for how many seconds at most."""

    def ends(self) -> float:
        """Returns the end, by the running loop's clock. The first call of this method starts the limit."""
        if self._ends is None:
            self._ends = _now() + self._seconds
        return self._ends

    def pause(self, most: float) -> None:
        """Pauses the limit until `go_on`, for at most `most` seconds. Pauses that overlap count as one."""
        self._paused += 1
        if self._paused == 1:
            self._began, self._most, self._ends = _now(), most, self.ends() + most

    def go_on(self) -> None:
        self._paused -= 1
        if not self._paused:
            self._ends = self.ends() + min(_now() - self._began, self._most) - self._most


current: ContextVar[TimeLimit | None] = ContextVar("time limit", default=None)
"""None if the work belongs to no request."""


def ends(own: float) -> float:
    """Returns when a call must end, by the loop's clock: after `own` seconds if it belongs to no request."""
    limit = current.get()
    return limit.ends() if limit else _now() + own


def left() -> float:
    """Returns the seconds that the request has left; infinity outside a request."""
    limit = current.get()
    return limit.ends() - _now() if limit else math.inf


@contextmanager
def put_off(most: float) -> Iterator[None]:
    """Pauses the request's limit for at most `most` seconds. Use it for waits that are not for a dependency: for a
    person, for a time that the client asked for, or for this process itself.
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
    """Gives the clean-up after a failure its own limit: the failure may have come because no time was left."""
    before = current.set(TimeLimit(AFTERWARDS_SECONDS))
    try:
        yield
    finally:
        current.reset(before)


def _now() -> float:
    return asyncio.get_running_loop().time()
