"""How many HTTP requests there may be: at work, and with those that wait.

Azure/azure-functions-host, HttpThrottleMiddleware and HttpRequestQueue. Not shown: `dynamicThrottlesEnabled`, which
refuses by processor time and memory.
"""

import asyncio
from collections.abc import Awaitable, Callable

from dev.functions_host.http_answer import Answer

SCALE_OUT = ("X-FUNCTION-SCALEOUT", "1")


class HttpLimits:
    """Lets `concurrent` requests work at once and has `outstanding` in hand at most."""

    def __init__(self, concurrent: int, outstanding: int) -> None:
        self._room, self._outstanding = asyncio.Semaphore(concurrent), outstanding
        self._in_hand = 0

    async def answer(self, work: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer of `work`, when its turn comes; 429 without a Retry-After where too many wait."""
        if self._in_hand >= self._outstanding:
            return Answer(429, [SCALE_OUT])
        self._in_hand += 1
        try:
            async with self._room:
                return await work()
        finally:
            self._in_hand -= 1
