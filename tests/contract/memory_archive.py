"""Index, ledger and holds in memory, held to the same contract as the real adapters."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.transcript.flows.archive import Archive
from shared.transcript.ports import Hold, Read, Said, StatementPlace, Statements
from shared.transcript.recordings import Indexed
from shared.transcript.retention import Retention
from shared.transcript.signed_statements import Statement
from tests.contract.memory_transcripts import MemoryTranscripts
from tests.fakes import FakeClock


@dataclass
class MemoryIndex:
    kept: dict[tuple[str, int], Indexed] = field(default_factory=dict)
    written: int = 0
    reached: str = ""

    async def place(self) -> str:
        return self.reached

    async def put_place(self, console: str) -> None:
        self.reached = console

    async def rows(self, console: str, first: int = 0, behind: int | None = None) -> Sequence[Indexed]:
        there = sorted(key for key in self.kept if key[0] == console and first <= key[1])
        return [self.kept[key] for key in there if behind is None or key[1] < behind]

    async def put(self, console: str, row: Indexed) -> None:
        self.kept[console, row.ordinal] = row
        self.written += 1

    async def forget(self, console: str, ordinal: int) -> None:
        self.kept.pop((console, ordinal), None)


@dataclass
class MemoryLedger:
    said: list[Any] = field(default_factory=list)
    """Statements; None: a line that nobody signed."""
    calls: int = 0

    async def add(self, statement: Statement) -> None:
        self.said.append(statement)

    async def read(self, console: str, place: StatementPlace, most: int) -> Statements:
        """A statement is half a kilobyte."""
        self.calls += 1
        mine = [each for each in self.said if each is None or each.console == console]
        found = mine[place.start :][: max(1, most // 500)]
        said = [Said(StatementPlace("2026-11", place.start + at), each) for at, each in enumerate(found)]
        behind = place.start + len(found)
        return Statements(said, StatementPlace("2026-11", behind), more=behind < len(mine))

    async def page(self, console: str, place: StatementPlace, most: int) -> tuple[Sequence[str], StatementPlace | None]:
        found = await self.read(console, place, most)
        return [repr(each.statement) for each in found.said], found.next if found.more else None

    async def public_keys(self) -> dict[str, Any]:
        return {"keys": []}


@dataclass
class MemoryHolds:
    placed: dict[str, Hold] = field(default_factory=dict)

    async def find(self, console: str) -> Hold | None:
        return self.placed.get(console)

    async def place(self, console: str, hold: Hold) -> None:
        self.placed[console] = hold

    async def lift(self, console: str) -> None:
        self.placed.pop(console, None)


@dataclass
class MemoryReads:
    kept: list[tuple[str, Read]] = field(default_factory=list)
    fail: Exception | None = None

    async def add(self, console: str, read: Read) -> None:
        if self.fail:
            raise self.fail
        self.kept.append((console, read))

    async def newest(self, console: str, most: int) -> Sequence[Read]:
        mine = [read for of, read in self.kept if of == console]
        return sorted(mine, key=lambda read: -read.at)[:most]


class MemoryArchive:
    """An archive whose parts a test can look into."""

    def __init__(self, ring: Retention | None = None, piece: int = 4 << 20) -> None:
        self.transcripts = MemoryTranscripts(piece)
        self.index = MemoryIndex()
        self.ledger = MemoryLedger()
        self.holds = MemoryHolds()
        self.reads = MemoryReads()
        self.clock = FakeClock()
        self.archive = Archive(
            transcripts=self.transcripts, index=self.index, ledger=self.ledger, holds=self.holds, reads=self.reads,
            clock=self.clock, ring=ring or Retention(),
        )  # fmt: skip
