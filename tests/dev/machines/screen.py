"""What a machine printed, for tests to wait on."""

import asyncio

from tests.patience import PATIENCE


class Screen:
    """An observer that keeps everything; `wait_for` returns when the text has come after what was waited for before."""

    def __init__(self) -> None:
        self.seen = bytearray()
        self.endings: list[str] = []
        self._position = 0
        self._news = asyncio.Event()

    def printed(self, data: bytes) -> None:
        self.seen += data
        self._news.set()

    def ended(self, reason: str) -> None:
        self.endings.append(reason)
        self._news.set()

    async def wait_for(self, text: bytes, limit: float = PATIENCE) -> None:
        async with asyncio.timeout(limit):
            while (found := self.seen.find(text, self._position)) < 0:
                self._news.clear()
                await self._news.wait()
        self._position = found + len(text)

    async def wait_for_end(self, limit: float = PATIENCE) -> str:
        async with asyncio.timeout(limit):
            while not self.endings:
                self._news.clear()
                await self._news.wait()
        return self.endings.pop(0)
