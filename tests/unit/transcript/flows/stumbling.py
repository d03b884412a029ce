"""Storage that fails when told to, at any of its calls, and lets others go first at every step."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from enum import Enum
from random import Random

from shared.base.ports import Dependency, Unavailable
from shared.transcript.ports import Blob, Hold, SegmentInfo, StatementPlace, Statements
from shared.transcript.recordings import Indexed
from shared.transcript.signed_statements import Statement
from tests.contract.memory_archive import MemoryHolds, MemoryIndex, MemoryLedger
from tests.contract.memory_transcripts import MemoryTranscripts


class Step(Enum):
    WELL = "well"
    NOT_DONE = "not done"
    DONE_BUT_UNANSWERED = "done but unanswered"


class StumblingTranscripts(MemoryTranscripts):
    """`steps` say how each next call goes; afterwards all go well. `order` shuffles those who act at once."""

    def __init__(self, order: Random | None = None) -> None:
        super().__init__()
        self.steps: Iterator[Step] = iter(())
        self.away = False
        """Nothing answers, however often it is asked."""
        self.gone: dict[tuple[str, int], bytes] = {}
        """What was in segments that are dropped."""
        self._order = order or Random(0)  # noqa: S311 - shuffles, keeps no secret

    async def newest(self, console: str) -> Blob | None:
        step = await self.step()
        found = await super().newest(console)
        answer(step)
        return found

    async def create(self, console: str, ordinal: int) -> None:
        step = await self.step()
        await super().create(console, ordinal)
        answer(step)

    async def append(self, console: str, ordinal: int, position: int, data: bytes) -> None:
        step = await self.step()
        await super().append(console, ordinal, position, data)
        answer(step)

    async def set_aside(self, name: str, data: bytes) -> None:
        step = await self.step()
        await super().set_aside(name, data)
        answer(step)

    async def read(self, console: str, ordinal: int, start: int = 0) -> AsyncIterator[bytes]:
        answer(await self.step())
        async for piece in super().read(console, ordinal, start):
            yield piece

    async def list_segments(self, console: str = "") -> AsyncIterator[SegmentInfo]:
        answer(await self.step())
        async for each in super().list_segments(console):
            yield each

    async def drop(self, console: str, ordinal: int) -> bool:
        step = await self.step()
        before = bytes(self.blobs.get((console, ordinal), b""))
        dropped = await super().drop(console, ordinal)
        if dropped:
            self.gone.setdefault((console, ordinal), before)
        answer(step)
        return dropped

    async def step(self) -> Step:
        """Raises Unavailable when nothing is to be done."""
        for _ in range(self._order.randrange(3)):
            await asyncio.sleep(0)
        step = Step.NOT_DONE if self.away else next(self.steps, Step.WELL)
        if step is Step.NOT_DONE:
            raise Unavailable(Dependency.STORAGE_TABLES, "as told")
        return step


def answer(step: Step) -> None:
    if step is Step.DONE_BUT_UNANSWERED:
        raise Unavailable(Dependency.STORAGE_TABLES, "the answer is lost")


class StumblingIndex(MemoryIndex):
    """Its calls go as the steps of `storage` say; so do those of the two below."""

    def __init__(self, storage: StumblingTranscripts) -> None:
        super().__init__()
        self._storage = storage

    async def rows(self, console: str, first: int = 0, behind: int | None = None) -> Sequence[Indexed]:
        answer(await self._storage.step())
        return await super().rows(console, first, behind)

    async def put(self, console: str, row: Indexed) -> None:
        step = await self._storage.step()
        await super().put(console, row)
        answer(step)

    async def forget(self, console: str, ordinal: int) -> None:
        step = await self._storage.step()
        await super().forget(console, ordinal)
        answer(step)


class StumblingLedger(MemoryLedger):
    def __init__(self, storage: StumblingTranscripts) -> None:
        super().__init__()
        self._storage = storage

    async def add(self, statement: Statement) -> None:
        step = await self._storage.step()
        await super().add(statement)
        answer(step)

    async def read(self, console: str, place: StatementPlace, most: int) -> Statements:
        answer(await self._storage.step())
        return await super().read(console, place, most)


class StumblingHolds(MemoryHolds):
    def __init__(self, storage: StumblingTranscripts) -> None:
        super().__init__()
        self._storage = storage

    async def find(self, console: str) -> Hold | None:
        answer(await self._storage.step())
        return await super().find(console)
