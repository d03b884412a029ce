"""What a host answers that has not loaded its app yet: it waits with the request, then says so.

Azure/azure-functions-host: HostAvailabilityCheckMiddleware, ScriptHostManagerExtensions.DelayUntilHostReady,
ScriptConstants.HostTimeoutSeconds. No function has seen a request that is answered so, and no header is added to it.
"""

import asyncio
from collections.abc import Awaitable, Callable

from dev.functions_host.http_answer import Answer
from dev.functions_host.http_server import Request

WAIT = 30.0
"""Seconds."""
NOT_RUNNING = "Function host is not running."


class Availability:
    """Stands before the site, which comes later. `wait`: seconds, other than Azure's in tests."""

    def __init__(self, wait: float = WAIT) -> None:
        self._wait = wait
        self._site: asyncio.Future[Callable[[Request], Awaitable[Answer]]] = asyncio.get_running_loop().create_future()

    def begin(self, site: Callable[[Request], Awaitable[Answer]]) -> None:
        """The app is loaded: the site answers from now on."""
        self._site.set_result(site)

    async def answer(self, request: Request) -> Answer:
        """The site's answer, or 503."""
        await asyncio.wait({self._site}, timeout=self._wait)
        if not self._site.done():
            return Answer(503, body=NOT_RUNNING.encode())
        return await self._site.result()(request)
