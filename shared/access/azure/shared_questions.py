"""How live sessions are asked about: for many at once, and never so often that opening a console has to wait.

Azure Resource Manager lets each identity read 250 times at once in a subscription, then 25 times a second
(learn.microsoft.com, azure-resource-manager/management/request-limits-and-throttling). Live sessions get a part of it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.access.azure.arm_clients import ArmAccess, as_the_service, asking_arm
from shared.base.ports import Clock, Dependency, Trouble, Unavailable

SHARED_SECONDS = 10.0
"""How old an answer may be that serves many. With `RECHECK_SECONDS`, a heartbeat and a look: below a minute."""
PEOPLE_PER_SECOND = 12.0
"""Whose roles are asked for in one subscription, when there are more than can be asked in each period."""
_PER_SECOND, _AT_ONCE = 20.0, 100.0
"""Questions about live sessions in one subscription."""
_LONGEST_PAUSE = 30.0


class Allowance:
    """Of questions, by subscription: a bucket that fills with time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}
        """By subscription: how many, when."""

    def take(self, subscription: str) -> None:
        """Raises Unavailable when there is none left now."""
        now = self._clock.now()
        left, at = self._left.get(subscription, (_AT_ONCE, now))
        at = at if at <= now + _LONGEST_PAUSE else now  # the clock was set back
        left = min(_AT_ONCE, left + max(0.0, now - at) * _PER_SECOND)
        if left < 1 or at > now:
            raise Unavailable(Dependency.ARM, "not asked now: its limit of questions is for who opens a console")
        self._left[subscription] = left - 1, now

    def pause(self, subscription: str, seconds: float) -> None:
        """Azure throttles: what is left of its limit is not for live sessions."""
        self._left[subscription] = 0.0, self._clock.now() + min(seconds, _LONGEST_PAUSE)


class SharedQuestions:
    """Asks as the service itself. `seconds`: how old a shared answer may be. `period`: between two looks at one."""

    def __init__(self, access: ArmAccess, period: float, clock: Clock) -> None:
        self.service, self.clock = access.service, clock
        self.seconds, self.period = min(SHARED_SECONDS, period / 4), period
        self.allowance = Allowance(clock)

    @asynccontextmanager
    async def about(self, subscription: str) -> AsyncIterator[None]:
        """Bounds one question. Raises Unavailable, and HttpResponseError where ARM says no to the service."""
        self.allowance.take(subscription)
        try:
            async with asking_arm(), as_the_service():
                yield
        except Unavailable as error:
            if error.trouble is Trouble.THROTTLED:
                self.allowance.pause(subscription, error.retry_after or 1)
            raise
