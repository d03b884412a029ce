"""Keeps the leases of all live sessions by one call; ends those that the function app wants ended."""

import asyncio
from collections.abc import Callable, Mapping

from relay.world import World
from shared.domain.grant import Grant
from shared.domain.refusals import Code
from shared.ports import Unavailable

type EndSession = Callable[[str, Code, str], None]
"""session, code, by whom"""


class Heartbeat:
    """A function app that does not answer ends no session: it is asked again."""

    def __init__(self, world: World, live: Mapping[str, Grant], end: EndSession) -> None:
        self._world, self._live, self._end = world, live, end
        self.answered_at: float | None = None
        """Seconds since 1970; None before the first answer."""
        self.failures = 0
        """In a row."""

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._world.heartbeat_seconds)
            await self.beat()

    async def beat(self) -> None:
        """One call; none when nobody is attached, so that an idle function app may sleep."""
        if not self._live:
            return
        try:
            endings = await self._world.control_plane.heartbeat(tuple(self._live.values()))
        except Unavailable as error:
            self.failures += 1
            self._world.log("heartbeat-unanswered", what=error.what, failures=self.failures)
            return
        self.answered_at, self.failures = self._world.clock.now(), 0
        for session, code, by in endings:
            self._end(session, _code(code), by)


def _code(name: str) -> Code:
    try:
        return Code(name)
    except ValueError:  # a newer function app's
        return Code.SESSION_ENDED
