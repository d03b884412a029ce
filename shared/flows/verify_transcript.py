"""A console's transcript held to its hashes and to what was signed about it, in parts of bounded size."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from shared.domain.recordings import Indexed, Recording, Scan
from shared.domain.segment import DamagedSegment, Tail
from shared.domain.verify import Fault, Finding, Report, Verification
from shared.flows.archive import Archive
from shared.flows.find_tail import tail_before
from shared.flows.walk_segments import header_of

_PART = 64 << 20
"""Bytes of segments that one part reads, and what is left of the last segment."""


@dataclass(frozen=True, slots=True)
class Part:
    """What was found, and the segment with which the next part begins; None: this was the last."""

    report: Report
    next: int | None


async def verify_part(
    archive: Archive, console: str, first: int, last_us: int | None = None, part: int = _PART
) -> Part:
    """From segment `first` on; `last_us`: segments that begin later are left out. Raises Unavailable."""
    ordinals = [each.ordinal async for each in archive.transcripts.lying(console)]
    chosen = [ordinal for ordinal in ordinals if ordinal >= first]
    statements = await archive.ledger.read(console)
    walk = Verification(
        statements=statements.said, after=await _before(archive, console, ordinals, first),
        to_the_end=last_us is None,
    )  # fmt: skip
    size, went_on = 0, None
    rows = {row.ordinal: row for row in await archive.index.rows(console)}
    known = rows.get(first - 1, Indexed(first - 1))
    wrong: list[Indexed] = []
    for ordinal in chosen:
        if size >= part or await _begins_after(archive, console, ordinal, last_us):
            went_on = ordinal if size >= part else None
            break
        known = await _feed(archive, console, walk, known.next_segment(ordinal))
        size += known.length
        if (row := rows.get(ordinal)) and _differs(row, known):
            wrong.append(replace(known, signed=row.signed, announced=row.announced))
    report = walk.report() if went_on is None else walk.report(to_the_end=False)
    others = await _mended(archive, console, wrong) if report.complete else []
    if statements.broken:
        words = f"{statements.broken} lines among the signed statements are not signed by this service"
        others.append(Finding(Fault.ALTERED, 0, 0, 0, words))
    return Part(replace(report, findings=(*report.findings, *others)), went_on)


async def _mended(archive: Archive, console: str, rows: Sequence[Indexed]) -> list[Finding]:
    """Only the index of segments that are whole: what a damaged one told before may be all that is left."""
    for row in rows:
        await archive.index.put(console, row)
    words = "the index told something else of this segment"
    return [Finding(Fault.INDEX, row.ordinal, 0, row.start, words) for row in rows]


async def segment_at(archive: Archive, console: str, time_us: int) -> int:
    """The segment that was written to at this time: the last that began before; else the first there is."""
    found = 0
    ordinals = [each.ordinal async for each in archive.transcripts.lying(console)]
    low, high = 0, len(ordinals)
    while low < high:
        middle = (low + high) // 2
        if await _begins_after(archive, console, ordinals[middle], time_us):
            high = middle
        else:
            found, low = ordinals[middle], middle + 1
    return found


async def _before(archive: Archive, console: str, ordinals: Sequence[int], first: int) -> Tail | None:
    """Where the segment before `first` ends, if it is there; if that cannot be read, where `first` says it begins."""
    if first - 1 not in ordinals:
        return None
    with suppress(DamagedSegment):
        return replace(await tail_before(console, first, archive.transcripts), ordinal=first)
    with suppress(DamagedSegment):
        if found := await header_of(archive.transcripts, console, first):
            return Tail(first, offset=found[0].offset, hash=found[0].previous)
    return None


async def _begins_after(archive: Archive, console: str, ordinal: int, time_us: int | None) -> bool:
    if time_us is None:
        return False
    try:
        found = await header_of(archive.transcripts, console, ordinal)
    except DamagedSegment:
        return False
    return found is not None and found[0].started_us > time_us


async def _feed(archive: Archive, console: str, walk: Verification, known: Indexed) -> Indexed:
    """Feeds a segment; answers what an index should know of it. Off the event loop: hashing and parsing are work."""
    walk.segment(known.ordinal)
    scan, position, rest = Scan(known), 0, b""
    async for piece in archive.transcripts.read(console, known.ordinal):
        whole, end, rest = (rest + piece).rpartition(b"\n")
        if end:
            lines = whole.split(b"\n")
            await asyncio.to_thread(_take, walk, scan, position, lines)
            position += len(whole) + 1
    walk.feed([rest] if rest else [])
    return scan.known()


def _take(walk: Verification, scan: Scan, position: int, lines: Sequence[bytes]) -> None:
    for line in lines:
        walk.feed([line + b"\n"])
        scan.line(position, line)
        position += len(line) + 1


def _differs(row: Indexed, known: Indexed) -> bool:
    """A row that has not seen all of a segment, or all of the one before, says nothing yet."""
    told = replace(row, signed=0, announced=False)
    return row.length == known.length and told != replace(known, pieces=_fitting(known.pieces, told.pieces))


def _fitting(pieces: Sequence[Recording], told: Sequence[Recording]) -> tuple[Recording, ...]:
    """Those that a row has room for: the last ones."""
    return tuple(pieces[len(pieces) - len(told) :] if len(told) <= len(pieces) else pieces)
