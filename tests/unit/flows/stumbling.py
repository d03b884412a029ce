"""Transcripts that fail when told to, and let others go first at every step."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from enum import Enum
from random import Random

from shared.ports import Blob, Unavailable
from tests.contract.memory_transcripts import MemoryTranscripts


class Step(Enum):
    WELL = "well"
    NOT_DONE = "not done"
    DONE_BUT_UNANSWERED = "done but unanswered"


class StumblingTranscripts(MemoryTranscripts):
    """`steps` say how each next write goes; afterwards all go well. `order` shuffles those who act at once."""

    def __init__(self, order: Random | None = None) -> None:
        super().__init__()
        self.steps: Iterator[Step] = iter(())
        self._order = order or Random(0)  # noqa: S311 - shuffles, keeps no secret

    async def newest(self, console: str) -> Blob | None:
        await self._let_others()
        return await super().newest(console)

    async def create(self, console: str, ordinal: int) -> None:
        step = await self._step()
        await super().create(console, ordinal)
        _answer(step)

    async def append(self, console: str, ordinal: int, position: int, data: bytes) -> None:
        step = await self._step()
        await super().append(console, ordinal, position, data)
        _answer(step)

    async def set_aside(self, name: str, data: bytes) -> None:
        step = await self._step()
        await super().set_aside(name, data)
        _answer(step)

    async def read(self, console: str, ordinal: int, start: int = 0) -> AsyncIterator[bytes]:
        await self._let_others()
        async for piece in super().read(console, ordinal, start):
            yield piece

    async def _step(self) -> Step:
        await self._let_others()
        step = next(self.steps, Step.WELL)
        if step is Step.NOT_DONE:
            raise Unavailable("transcripts", "as told")
        return step

    async def _let_others(self) -> None:
        for _ in range(self._order.randrange(3)):
            await asyncio.sleep(0)


def _answer(step: Step) -> None:
    if step is Step.DONE_BUT_UNANSWERED:
        raise Unavailable("transcripts", "the answer is lost")
