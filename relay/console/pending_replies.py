"""Those who wait for an answer that comes, if at all, as one of a console's actions."""

import asyncio
from collections.abc import Callable


class PendingReplies[T]:
    """By the name of what is asked. An answer that nobody waits for is lost, and so is a second one."""

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Future[T]] = {}

    def __bool__(self) -> bool:
        """Whether anybody waits."""
        return bool(self._waiting)

    async def after(self, name: str, asking: Callable[[], None]) -> T:
        """The answer to what `asking` asks."""
        waiting: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting[name] = waiting
        try:
            asking()
            return await waiting
        finally:
            del self._waiting[name]

    def give(self, name: str, answer: T) -> bool:
        """Whether somebody waited for it."""
        waiting = self._waiting.get(name)
        if waiting is None or waiting.done():
            return False
        waiting.set_result(answer)
        return True
