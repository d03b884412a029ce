"""Keeps the leases of live sessions by one call, and brings what the function app wants of the relay."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence

from relay.world import World
from shared.domain.grant import Grant
from shared.domain.refusals import Code
from shared.ports import Beat, Unavailable

IDLE_SECONDS = 60.0
"""Between heartbeats while nobody is attached: they only tell which consoles are to be recorded all the same."""

type Ending = tuple[str, Code, str]
"""session, code, by whom"""
type Told = Callable[[Sequence[Ending], Collection[str], Beat], None]
"""What is to be done with an answer; with it the consoles that were asked about."""


class Heartbeat:
    """A function app that does not answer ends no session: it is asked again."""

    def __init__(self, world: World, live: Mapping[str, Grant], told: Told) -> None:
        self._world, self._live, self._told = world, live, told
        self.answered_at: float | None = None
        """Seconds since 1970; None before the first answer."""
        self.failures = 0
        """In a row."""
        self._asked_at = float("-inf")

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._world.heartbeat_seconds)
            await self.beat()

    async def beat(self) -> None:
        """One call; rarely one when nobody is attached, so that an idle function app may sleep, and none where no
        console is recorded without a viewer.
        """
        now = self._world.clock.now()
        if not self._live and (not self._world.capture_most or now - self._asked_at < IDLE_SECONDS):
            return
        self._asked_at = now
        live = tuple(self._live.values())
        try:
            beat = await self._world.control_plane.heartbeat(live)
        except Unavailable as error:
            self.failures += 1
            self._world.log("heartbeat-unanswered", what=error.what, failures=self.failures)
            return
        self.answered_at, self.failures = self._world.clock.now(), 0
        endings = [(session, _code(code), by) for session, code, by in beat.endings]
        self._told(endings, {grant.vm.console for grant in live}, beat)


def _code(name: str) -> Code:
    try:
        return Code(name)
    except ValueError:  # a newer function app's
        return Code.SESSION_ENDED
