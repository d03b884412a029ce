"""Caches answers for some seconds. Equal questions at the same moment cost one call."""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from contextvars import copy_context
from dataclasses import dataclass

from shared.base import time_limit
from shared.base.ports import Clock

MOST = 4096
"""Answers kept; the least recently used goes first."""


@dataclass(slots=True)
class _Answer[T]:
    at: float
    value: T


class TtlCache[T]:
    """Caches answers by key. `seconds`: how long an answer serves; 0 caches nothing.

    An answer from the future, as after the clock was set back, counts as expired.
    """

    def __init__(self, seconds: float, clock: Clock) -> None:
        self._seconds, self._clock = seconds, clock
        self._answers: OrderedDict[Hashable, _Answer[T]] = OrderedDict()
        self._running: dict[tuple[Hashable, bool], asyncio.Task[T]] = {}
        """Calls in flight, by key and `fresh`: a fresh question must not share a call that began before it."""

    async def get(
        self, key: Hashable, ask: Callable[[], Awaitable[T]], *, fresh: bool = False, within: float = math.inf
    ) -> T:
        """Returns the answer for a key. Raises what `ask` raises; a failure is never cached.

        `fresh` ignores the cached answer and caches the new one. `within`: the oldest age that will do, seconds.
        """
        cached = None if fresh else self._answers.get(key)
        if cached and 0 <= self._clock.now() - cached.at < min(self._seconds, within):
            self._answers.move_to_end(key)
            return cached.value
        question = key, fresh
        return await asyncio.shield(self._running.get(question) or self._start(question, ask))

    def _start(self, question: tuple[Hashable, bool], ask: Callable[[], Awaitable[T]]) -> asyncio.Task[T]:
        """Starts the call in a task of its own: a caller that is cancelled or runs out of time does not end it."""
        context = copy_context()
        context.run(time_limit.current.set, None)
        task = self._running[question] = asyncio.create_task(self._ask(question, ask), context=context)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())  # whoever waits is told
        return task

    async def _ask(self, question: tuple[Hashable, bool], ask: Callable[[], Awaitable[T]]) -> T:
        at, this_task = self._clock.now(), asyncio.current_task()
        try:
            value = await ask()
            return self._store(question[0], at, value) if self._running.get(question) is this_task else value
        finally:
            if self._running.get(question) is this_task:
                del self._running[question]

    def forget(self, key: Hashable) -> None:
        """Drops the cached answer. The answer of a call in flight is not cached either."""
        self._answers.pop(key, None)
        for fresh in (False, True):
            self._running.pop((key, fresh), None)

    def _store(self, key: Hashable, at: float, value: T) -> T:
        """Caches an answer under the time of its question: a change may have come after Azure answered. An answer never
        replaces one whose question was asked later.
        """
        cached = self._answers.get(key)
        if self._seconds > 0 and not (cached and at < cached.at <= self._clock.now()):
            self._answers[key] = _Answer(at, value)
            self._answers.move_to_end(key)
            while len(self._answers) > MOST:
                self._answers.popitem(last=False)
        return value
