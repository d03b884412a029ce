"""Says that this relay lives and who writes at it, by one call, and brings what the function app wants of the relay."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from relay.dependencies import RelayDependencies
from shared.base.ports import Unavailable
from shared.base.refusals import Code
from shared.session.grant import Grant
from shared.session.ports import Beat

IDLE_SECONDS = 60.0
"""Between heartbeats while nobody is attached: they only tell which consoles are to be recorded all the same."""

type EndedSession = tuple[str, Code, str]
"""session, code, by whom"""
type HeartbeatSettings = Callable[[Sequence[EndedSession], Beat], None]
"""What is to be done with an answer."""
type HeartbeatRequest = Callable[[], HeartbeatSettings]
"""Called when a heartbeat leaves: what is done with the answer depends on how things were then."""


class Heartbeat:
    """A function app that does not answer ends no session: it is asked again."""

    def __init__(self, dependencies: RelayDependencies, live: Mapping[str, Grant], ask: HeartbeatRequest) -> None:
        self._dependencies, self._live, self._ask = dependencies, live, ask
        self.answered_at: float | None = None
        """Seconds since 1970; None before the first answer."""
        self.failures = 0
        """In a row."""
        self._asked_at = float("-inf")
        self._owed = True
        """What was told last names sessions that are over, maybe those of a relay that was here before."""

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._dependencies.heartbeat_seconds)
            await self.beat()

    async def beat(self) -> None:
        """One call; when nobody is attached, one to say so, and then rarely one, so that an idle function app may
        sleep, and none where no console is recorded without a viewer.
        """
        now = self._dependencies.clock.now()
        resting = not self._dependencies.capture_most or now - self._asked_at < IDLE_SECONDS
        if not self._live and not self._owed and resting:
            return
        self._asked_at = now
        live, told = tuple(self._live.values()), self._ask()
        try:
            beat = await self._dependencies.control_plane.heartbeat(live)
        except Unavailable as error:
            self.failures += 1
            self._dependencies.log("heartbeat-unanswered", what=error.what, failures=self.failures)
            return
        self.answered_at, self.failures, self._owed = self._dependencies.clock.now(), 0, bool(live)
        endings = [(session, _code(code), by) for session, code, by in beat.endings]
        told(endings, beat)


def _code(name: str) -> Code:
    try:
        return Code(name)
    except ValueError:  # a newer function app's
        return Code.SESSION_ENDED
