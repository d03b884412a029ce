"""The index of a console's segments, brought up to what lies in storage: whatever of it is lost is made again."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Protocol

from shared.transcript.flows.read_segments import lines
from shared.transcript.ports import Blob, Index, SegmentInfo
from shared.transcript.recordings import Indexed, Recording, Scan, merged
from shared.transcript.segment import DamagedSegment

_PIECE = 16 << 20
"""Bytes of segments after which what is known is kept."""
REQUEST_BYTES = 16 << 20
"""Bytes of segments that one request reads at most: a second or two of work; upkeep has usually read them before."""


class SegmentSource(Protocol):
    """Of ports.Transcripts, what it takes to index."""

    async def newest(self, console: str) -> Blob | None: ...

    def segments(self, console: str) -> AsyncIterator[int]: ...

    def list_segments(self, console: str = "") -> AsyncIterator[SegmentInfo]: ...

    def read(self, console: str, ordinal: int, start: int = 0) -> AsyncIterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class Known:
    rows: Sequence[Indexed]
    """Of every segment, rising, as far as the budget went."""
    whole: bool
    """Nothing was left for another time."""

    @property
    def recordings(self) -> tuple[Recording, ...]:
        return merged(self.rows)


async def index_console(index: Index, segments: SegmentSource, console: str, budget: int) -> Known:
    """Reads what is new, at most `budget` bytes of segments and one line. Raises Unavailable."""
    return await index_segments(index, segments, [each async for each in segments.list_segments(console)], budget)


async def index_segments(index: Index, segments: SegmentSource, there: Sequence[SegmentInfo], budget: int) -> Known:
    """As above; `there` are all segments of one console."""
    if not there:
        return Known((), whole=True)
    console = there[0].console
    stored = {row.ordinal: row for row in await index.rows(console)}
    for ordinal in stored.keys() - {each.ordinal for each in there}:
        await index.forget(console, ordinal)
    rows: list[Indexed] = []
    for each in there:
        row = stored.get(each.ordinal) or (rows[-1].next_segment(each.ordinal) if rows else Indexed(each.ordinal))
        while row.length < each.length:
            if budget <= 0:
                return Known((*rows, row), whole=False)
            before = row.length
            row = await _read_on(segments, console, row, min(budget, _PIECE))
            if row.length == before:
                break  # no whole line where the listing saw bytes: a damage, which is for others to name
            budget -= row.length - before
            await index.put(console, row)
        rows.append(row)
    return Known(rows, whole=True)


async def _read_on(segments: SegmentSource, console: str, row: Indexed, most: int) -> Indexed:
    scan = Scan(row)
    with suppress(DamagedSegment):  # a line that goes on too long: for others to name, as above
        await _scan(scan, segments, console, row, most)
    return scan.known()


async def _scan(scan: Scan, segments: SegmentSource, console: str, row: Indexed, most: int) -> None:
    async with aclosing(lines(segments, console, row.ordinal, row.length)) as read_lines:
        async for at, line in read_lines:
            if at - row.length >= most:
                break
            scan.line(at, line)


class StillIndexing(Exception):
    """More of the transcript is new to the index than one request reads; each request reads some of it."""


async def recordings(index: Index, segments: SegmentSource, console: str) -> Sequence[Recording]:
    """All there are, oldest first. Raises StillIndexing, Unavailable."""
    known = await index_console(index, segments, console, REQUEST_BYTES)
    if not known.whole:
        raise StillIndexing
    return known.recordings
