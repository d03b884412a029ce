"""Limits the calls to Azure for live sessions: one call serves many sessions, and opening a console never has to wait.

Azure Resource Manager allows each identity a burst of 250 reads in a subscription, then 25 a second
(learn.microsoft.com, azure-resource-manager/management/request-limits-and-throttling). Live sessions get a part of it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.access.azure.arm_clients import ArmAccess, as_the_service, asking_arm
from shared.base.ports import Clock, Dependency, Trouble, Unavailable

SHARED_SECONDS = 10.0
"""Age of an answer that may serve many. Together with `RECHECK_SECONDS`, a heartbeat and a recheck: below a minute."""
PEOPLE_PER_SECOND = 12.0
"""People in one subscription whose roles are read per second, if there are too many for each period."""
_PER_SECOND, _AT_ONCE = 20.0, 100.0
"""Calls for live sessions in one subscription."""
_LONGEST_PAUSE = 30.0


class Allowance:
    """A limit of calls by subscription: a token bucket that refills with time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}
        """By subscription: the calls left, and at what time."""

    def take(self, subscription: str) -> None:
        """Counts one call. Raises Unavailable if none is left now."""
        now = self._clock.now()
        left, at = self._left.get(subscription, (_AT_ONCE, now))
        at = at if at <= now + _LONGEST_PAUSE else now  # the clock was set back
        left = min(_AT_ONCE, left + max(0.0, now - at) * _PER_SECOND)
        if left < 1 or at > now:
            raise Unavailable(Dependency.ARM, "not asked now: its limit of questions is for who opens a console")
        self._left[subscription] = left - 1, now

    def pause(self, subscription: str, seconds: float) -> None:
        """Stops calls for some seconds, because Azure throttles: its limit is left to the opening of consoles."""
        self._left[subscription] = 0.0, self._clock.now() + min(seconds, _LONGEST_PAUSE)


class SharedQuestions:
    """Calls with the service's own identity. `seconds`: the age of a shared answer, at most. `period`: seconds between
    two rechecks of a session.
    """

    def __init__(self, access: ArmAccess, period: float, clock: Clock) -> None:
        self.service, self.clock = access.service, clock
        self.seconds, self.period = min(SHARED_SECONDS, period / 4), period
        self.allowance = Allowance(clock)

    @asynccontextmanager
    async def about(self, subscription: str) -> AsyncIterator[None]:
        """Counts and bounds one call. Raises Unavailable, and HttpResponseError if ARM refuses the service."""
        self.allowance.take(subscription)
        try:
            async with asking_arm(), as_the_service():
                yield
        except Unavailable as error:
            if error.trouble is Trouble.THROTTLED:
                self.allowance.pause(subscription, error.retry_after or 1)
            raise
