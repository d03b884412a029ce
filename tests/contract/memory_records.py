"""A RecordSink in memory that can fail, lose answers, and block."""

import asyncio
from collections import deque
from collections.abc import Sequence
from enum import Enum

from shared.base.ports import Dependency, Unavailable
from shared.base.record import Batch, Source, encode_batch


class Fate(Enum):
    STORED = "stored"
    REFUSED = "refused"
    ANSWER_LOST = "answer lost"


class MemoryRecords:
    """`fates` say how the next sends go; consoles in `blocked` get no answer until they are taken out."""

    def __init__(self) -> None:
        self.stored: list[Batch] = []
        self.fates: deque[Fate] = deque()
        self.blocked: dict[str, asyncio.Event] = {}
        self.in_flight: dict[str, int] = {}

    async def send(self, source: Source, records: Sequence[bytes]) -> None:
        assert not self.in_flight.get(source.console), "one send in flight per console"
        self.in_flight[source.console] = 1
        try:
            await self._send(source, records)
        finally:
            self.in_flight[source.console] = 0

    async def _send(self, source: Source, records: Sequence[bytes]) -> None:
        if blocked := self.blocked.get(source.console):
            await blocked.wait()
        await asyncio.sleep(0)
        fate = self.fates.popleft() if self.fates else Fate.STORED
        if fate is not Fate.REFUSED:
            self.stored.append(Batch.decode(encode_batch(source, records)))
        if fate is not Fate.STORED:
            raise Unavailable(Dependency.EVENT_HUB, fate.value)

    def sequence(self, epoch: str) -> list[int]:
        """Sequence numbers of an epoch as an archiver keeps them: without repeats, in order of arrival."""
        kept: list[int] = []
        for batch in self.stored:
            if batch.source.epoch == epoch:
                kept += [record.seq for record in batch.records if not kept or record.seq > kept[-1]]
        return kept
