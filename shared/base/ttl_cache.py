"""Answers that are kept for some seconds; equal questions asked at the same moment are one."""

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
    """`seconds` of 0 keep nothing. What is asked `fresh` is asked anew, and its answer is kept. An answer that must be
    younger than `seconds` is asked for `within` as many as it may be old. One from a time to come, as after a clock was
    set back, is as old as any.
    """

    def __init__(self, seconds: float, clock: Clock) -> None:
        self._seconds, self._clock = seconds, clock
        self._answers: OrderedDict[Hashable, _Answer[T]] = OrderedDict()
        self._asking: dict[tuple[Hashable, bool], asyncio.Task[T]] = {}
        """Questions under way, those that no kept answer will do for apart."""

    async def get(
        self, key: Hashable, ask: Callable[[], Awaitable[T]], *, fresh: bool = False, within: float = math.inf
    ) -> T:
        """Raises what `ask` raises; a failure is never kept."""
        kept = None if fresh else self._answers.get(key)
        if kept and 0 <= self._clock.now() - kept.at < min(self._seconds, within):
            self._answers.move_to_end(key)
            return kept.value
        asking = key, fresh
        return await asyncio.shield(self._asking.get(asking) or self._start(asking, ask))

    def _start(self, asking: tuple[Hashable, bool], ask: Callable[[], Awaitable[T]]) -> asyncio.Task[T]:
        """A task of its own: that one asker goes away, or has no time left, is nothing to the others."""
        context = copy_context()
        context.run(time_limit.current.set, None)
        task = self._asking[asking] = asyncio.create_task(self._ask(asking, ask), context=context)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())  # whoever waits is told
        return task

    async def _ask(self, asking: tuple[Hashable, bool], ask: Callable[[], Awaitable[T]]) -> T:
        at, me = self._clock.now(), asyncio.current_task()
        try:
            value = await ask()
            return self._keep(asking[0], at, value) if self._asking.get(asking) is me else value
        finally:
            if self._asking.get(asking) is me:
                del self._asking[asking]

    def forget(self, key: Hashable) -> None:
        """What is kept holds no more, nor what is being answered now: whoever asks next asks anew."""
        self._answers.pop(key, None)
        for fresh in (False, True):
            self._asking.pop((key, fresh), None)

    def _keep(self, key: Hashable, at: float, value: T) -> T:
        """As old as its question: Azure may have answered before a change that came while the answer travelled. One
        that was asked for earlier takes nobody's place.
        """
        kept = self._answers.get(key)
        if self._seconds > 0 and not (kept and at < kept.at <= self._clock.now()):
            self._answers[key] = _Answer(at, value)
            self._answers.move_to_end(key)
            while len(self._answers) > MOST:
                self._answers.popitem(last=False)
        return value
