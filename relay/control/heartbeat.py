"""Reports this relay and its sessions to the function app, and applies the wishes in the answer."""

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
"""Applies an answer."""
type HeartbeatRequest = Callable[[], HeartbeatSettings]
"""Called when a heartbeat leaves. It notes the state of that moment and returns what applies the answer."""


class Heartbeat:
    """Calls the function app at intervals. A call without an answer ends no session."""

    def __init__(self, dependencies: RelayDependencies, live: Mapping[str, Grant], prepare: HeartbeatRequest) -> None:
        self._dependencies, self._live, self._prepare = dependencies, live, prepare
        self.answered_at: float | None = None
        """Seconds since 1970; None before the first answer."""
        self.failures = 0
        """Calls in a row without an answer."""
        self._last_call_at = float("-inf")
        self._must_report = True
        """The last report names sessions that are over, perhaps those of an earlier process. One more call is due."""

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._dependencies.heartbeat_seconds)
            await self.beat()

    async def beat(self) -> None:
        """Makes one call, if one is due.

        When nobody is attached any more, one call says so. After that a call is made every IDLE_SECONDS, so that an
        idle function app may sleep; none at all if no console is recorded without a viewer.
        """
        now = self._dependencies.clock.now()
        resting = not self._dependencies.capture_most or now - self._last_call_at < IDLE_SECONDS
        if not self._live and not self._must_report and resting:
            return
        self._last_call_at = now
        live, apply_answer = tuple(self._live.values()), self._prepare()
        try:
            beat = await self._dependencies.control_plane.heartbeat(live)
        except Unavailable as error:
            self.failures += 1
            self._dependencies.log("heartbeat-unanswered", what=error.what, failures=self.failures)
            return
        self.answered_at, self.failures, self._must_report = self._dependencies.clock.now(), 0, bool(live)
        endings = [(session, _code(code), by) for session, code, by in beat.endings]
        apply_answer(endings, beat)


def _code(name: str) -> Code:
    try:
        return Code(name)
    except ValueError:  # a newer function app's
        return Code.SESSION_ENDED
