"""Waits while the relay before this one still drains, and then takes over its spool.

Platforms replace a relay by starting the new one first. Both have the same spool, which has one owner at a time; the
platform tells the old one to end as soon as the new one answers health checks.
"""

import asyncio
from types import TracebackType
from typing import Self

from aiohttp import web

LOOK_SECONDS = 0.5


class Standby:
    """Answers health checks on the control address until it is closed."""

    def __init__(self, name: str, host: str, port: int) -> None:
        self._name, self._host, self._port = name, host, port
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.end()

    async def wait_a_moment(self, stop: asyncio.Event) -> None:
        """Waits LOOK_SECONDS, or less if `stop` is set. Raises OSError if the address is taken."""
        if self._runner is None:
            app = web.Application()
            app.router.add_get("/healthz", self._health)
            self._runner = web.AppRunner(app, access_log=None, handle_signals=False)
            await self._runner.setup()
            await web.TCPSite(self._runner, self._host, self._port).start()
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await stop.wait()
        except TimeoutError:
            pass  # the usual end: look again

    async def end(self) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _health(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "waiting", "relay": self._name, "for": "the spool's folder"})
