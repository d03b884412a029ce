"""Requests that wait for an answer, which comes as one of a console's actions, if it comes at all."""

import asyncio
from collections.abc import Callable


class PendingReplies[T]:
    """Waiting requests by name. An answer that nobody waits for is dropped, and so is a second answer."""

    def __init__(self) -> None:
        self._futures: dict[str, asyncio.Future[T]] = {}

    def __bool__(self) -> bool:
        """True if a request waits."""
        return bool(self._futures)

    async def wait_for(self, name: str, send: Callable[[], None]) -> T:
        """Calls `send`, and returns the answer to the request `name`."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._futures[name] = future
        try:
            send()
            return await future
        finally:
            del self._futures[name]

    def resolve(self, name: str, answer: T) -> bool:
        """Gives the answer to the request `name`. Returns False if nobody waits for it."""
        future = self._futures.get(name)
        if future is None or future.done():
            return False
        future.set_result(answer)
        return True
