"""One part of a verification: a bounded number of segments and statements, side by side."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace

from shared.transcript.flows.archive import Archive
from shared.transcript.flows.read_segments import header_of, lines, place_before
from shared.transcript.playback import code_of
from shared.transcript.ports import StatementPlace
from shared.transcript.recordings import Indexed, Recording, Scan
from shared.transcript.segment import CHECKPOINT, LONGEST_APPEND, DamagedSegment, read_checkpoint, read_line
from shared.transcript.signed_statements import Checkpoint, Statement
from shared.transcript.signed_verification import PartCursor, SignedSide, Taken
from shared.transcript.verification import Fault, Finding, Report, Verification

PART_BYTES = 16 << 20
"""Of segments that one part walks; it ends behind the next checkpoint."""
PART_SEGMENTS = 100
PART_STATEMENTS = 4000
"""That one part reads; each is a signature to check."""
_PAGE_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Part:
    """What was found, and where the next part begins; None: this was the last."""

    report: Report
    next: PartCursor | None


def _never() -> bool:
    return False


@dataclass(slots=True)
class Budget:
    """What one part may do."""

    bytes: int = PART_BYTES
    segments: int = PART_SEGMENTS
    statements: int = PART_STATEMENTS
    late: Callable[[], bool] = _never
    """Whether the time is up. A part that begins late does one step all the same."""
    begun: bool = False

    @property
    def hurry(self) -> bool:
        return self.begun and self.late()

    @property
    def spent(self) -> bool:
        return min(self.bytes, self.segments, self.statements) <= 0 or self.hurry


@dataclass(slots=True)
class PartWork:
    """On one part."""

    archive: Archive
    console: str
    walk: Verification
    side: SignedSide
    at: PartCursor
    there: dict[int, int]
    """Segments: their ordinals and lengths."""
    broken: int = 0
    rows: dict[int, Indexed] = field(default_factory=dict[int, Indexed])
    """Of the index, as far as a part may come."""
    scanned: Indexed | None = None
    """What an index should know of the segment that was walked last, if it was walked from its beginning."""
    wrong: list[Indexed] = field(default_factory=list[Indexed])
    all_said: bool = False
    """No statement follows."""
    looked_again: bool = False
    """Which segments there are was seen once more, after the walk had come to the end of those seen first."""

    async def go(self, budget: Budget, last_us: int | None) -> Part:
        """Statements first, as far as they are about what was walked: what is signed of a place that many parts ago
        went by costs a look of its own.
        """
        left = self._left()
        rows = await self.archive.index.rows(self.console, self.at.segment - 1, self.at.segment + PART_SEGMENTS)
        self.rows = {row.ordinal: row for row in rows}
        while True:
            if left and await begins_after(self.archive, self.console, left[0], last_us) and not self.at.position:
                left = []
            await self._read_statements(budget, more=bool(left))
            if budget.spent or (not left and self.all_said):
                return await self._part(more=bool(left))
            if not left:
                left = await self._look_again()
            elif await self._walk(left[0], budget):
                left.pop(0)

    def _left(self) -> list[int]:
        return [ordinal for ordinal in sorted(self.there) if ordinal >= self.at.segment]

    async def _look_again(self) -> list[int]:
        """A statement tells of more than was walked: it may have been appended, and signed, since."""
        self.there = {each.ordinal: each.length async for each in self.archive.transcripts.list_segments(self.console)}
        self.looked_again = True
        return self._left()

    async def _part(self, *, more: bool) -> Part:
        last = self.all_said and not more
        report = self.walk.report(to_the_end=last)
        found = [*report.findings, *self.side.end(self.broken, last=last)]
        if all(each.fault is Fault.DROPPED for each in found):
            found += await self._mended()
        cursor = None if last else replace(self.at, begun=self.side.begun, offset=report.end, hash=report.hash)
        return Part(replace(report, findings=tuple(found), signed=self.side.newest), cursor)

    async def _mended(self) -> list[Finding]:
        """Only the index of segments that are whole: what a damaged one told before may be all that is left."""
        for row in self.wrong:
            await self.archive.index.put(self.console, row)
        words = "the index told something else of this segment"
        return [Finding(Fault.INDEX, row.ordinal, 0, row.start, words) for row in self.wrong]

    # ---- statements

    async def _read_statements(self, budget: Budget, *, more: bool) -> None:
        """Up to the first that is about what is not walked yet."""
        while not (self.all_said or budget.spent):
            page = await self.archive.ledger.read(
                self.console, StatementPlace(self.at.month, self.at.start), _PAGE_BYTES
            )
            for each in page.said:
                if budget.spent or await self._take(each.statement, budget, more=more):
                    self._stand(each.place)
                    return
            self._stand(page.next)
            self.all_said = not page.more

    def _stand(self, place: StatementPlace) -> None:
        self.at = replace(self.at, month=place.month, start=place.start)

    async def _take(self, statement: Statement | None, budget: Budget, *, more: bool) -> bool:
        """Whether it is one for later."""
        more = more or (self.walk.to_the_end and not self.looked_again)
        taken = Taken.DONE if statement is None else self.side.take(statement, more=more)
        if taken is Taken.AHEAD:
            return True
        self.broken += statement is None
        budget.begun = True
        budget.statements -= 1
        if taken is Taken.BEHIND and isinstance(statement, Checkpoint):
            await self._confirm(statement, budget)
        return False

    async def _confirm(self, signed: Checkpoint, budget: Budget) -> None:
        """Checks that the segment of a statement holds what was signed; an earlier part walked it. Retention may have
        dropped it since.
        """
        if signed.segment < min(self.there, default=0):
            return
        confirmed = False
        with suppress(DamagedSegment):
            start = max(0, signed.offset - 1)
            place = await place_before(self.archive.transcripts, self.console, signed.segment, start)
            if place and signed.segment in self.there:
                confirmed = await self._holds(signed, place.position, budget) or await self._begins(signed)
        (self.side.add_confirmed if confirmed else self.side.add_altered)(signed)

    async def _holds(self, signed: Checkpoint, position: int, budget: Budget) -> bool:
        """Raises DamagedSegment."""
        async with aclosing(lines(self.archive.transcripts, self.console, signed.segment, position)) as found:
            last = position
            async for at, line in found:
                budget.bytes -= len(line)
                if at - last > LONGEST_APPEND:
                    break
                if code_of(line) != CHECKPOINT:
                    continue
                last = at
                checkpoint = read_checkpoint(read_line(line)[2])
                if checkpoint["hash"] == signed.hash:
                    return True
                if checkpoint["offset"] > signed.offset:
                    break
        return False

    async def _begins(self, signed: Checkpoint) -> bool:
        """What is signed just after a segment was closed names the one that begins there. Raises DamagedSegment."""
        found = await header_of(self.archive.transcripts, self.console, signed.segment)
        return found is not None and (found[0].offset, found[0].previous) == (signed.offset, signed.hash)

    # ---- segments

    async def _walk(self, ordinal: int, budget: Budget) -> bool:
        """Feeds a segment, or what is left of it; False: a later part goes on with it. Off the event loop: hashing and
        parsing are work.
        """
        resumed = self.at.position if ordinal == self.at.segment else 0
        if not resumed:
            self.walk.segment(ordinal)
        before = self.scanned or self.rows.get(ordinal - 1) or Indexed(ordinal - 1)
        scan, position, rest = Scan(before.next_segment(ordinal)), resumed, b""
        async for piece in self.archive.transcripts.read(self.console, ordinal, resumed):
            whole, end, rest = (rest + piece).rpartition(b"\n")
            if not end and len(rest) <= LONGEST_APPEND:
                continue
            if not end:
                whole, rest = rest, b""  # no line of a segment is so long
            left = 0 if budget.hurry else budget.bytes
            size, stopped = await asyncio.to_thread(_feed, self.walk, scan, position, whole.split(b"\n"), left)
            budget.bytes, budget.begun, position = budget.bytes - size, True, position + size
            if stopped:
                self.at = replace(self.at, segment=ordinal, position=position, line=self.walk.line)
                return False
            if self.walk.given_up:
                self._stand_behind(ordinal, position, grows=False)
                self.scanned, budget.segments = None, budget.segments - 1
                return True
        self.walk.feed([rest] if rest else [])
        grows = ordinal == max(self.there)
        if position > resumed or not grows:
            budget.segments, budget.begun = budget.segments - 1, True
        self._stand_behind(ordinal, position, grows=grows and not rest and self.walk.at_checkpoint)
        self.scanned = None if resumed else scan.known()
        self._compare(ordinal)
        return True

    def _stand_behind(self, ordinal: int, position: int, *, grows: bool) -> None:
        """The last segment there is may grow: whoever goes on looks there first."""
        if grows:
            self.at = replace(self.at, segment=ordinal, position=position, line=self.walk.line)
        else:
            self.at = replace(self.at, segment=ordinal + 1, position=0, line=0)

    def _compare(self, ordinal: int) -> None:
        """Compares a segment with its index. One that several parts share is left out: no part has seen all of it."""
        row, scanned = self.rows.get(ordinal), self.scanned
        if row and scanned and _differs(row, scanned):
            self.wrong.append(replace(scanned, signed=row.signed, announced=row.announced))


def _feed(walk: Verification, scan: Scan, position: int, found: Sequence[bytes], left: int) -> tuple[int, bool]:
    """Bytes that were fed, and whether it stopped: behind the first checkpoint when no byte was left."""
    size = 0
    for line in found:
        walk.feed([line + b"\n"])
        scan.line(position + size, line)
        size += len(line) + 1
        if size >= left and walk.at_checkpoint:
            return size, True
    return size, False


async def begins_after(archive: Archive, console: str, ordinal: int, time_us: int | None) -> bool:
    if time_us is None:
        return False
    try:
        found = await header_of(archive.transcripts, console, ordinal)
    except DamagedSegment:
        return False
    return found is not None and found[0].started_us > time_us


def _differs(row: Indexed, scanned: Indexed) -> bool:
    """A row that has not seen all of a segment, or all of the one before, says nothing yet."""
    indexed = replace(row, signed=0, announced=False)
    return row.length == scanned.length and indexed != replace(scanned, pieces=_fitting(scanned.pieces, indexed.pieces))


def _fitting(pieces: Sequence[Recording], indexed: Sequence[Recording]) -> tuple[Recording, ...]:
    """Those that a row has room for: the last ones."""
    return tuple(pieces[len(pieces) - len(indexed) :] if len(indexed) <= len(pieces) else pieces)
