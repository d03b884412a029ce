"""A console's transcript held to its hashes and to what was signed about it, in parts of bounded size: bytes of
segments, statements, and time.
"""

from contextlib import aclosing, suppress
from dataclasses import replace

from shared.transcript.flows.archive import Archive
from shared.transcript.flows.read_segments import header_of, lines
from shared.transcript.flows.verify_part import Budget, Part, PartWork, begins_after
from shared.transcript.segment import FIRST, DamagedSegment, TranscriptEnd, read_end
from shared.transcript.signed_verification import Begun, PartCursor, SignedSide
from shared.transcript.verification import Verification

_TAIL_BYTES = 64 * 1024


async def verify_part(
    archive: Archive, console: str, cursor: PartCursor, last_us: int | None = None, budget: Budget | None = None
) -> Part:
    """From a place on; `last_us`: segments that begin later are left out. Raises Unavailable."""
    there = {each.ordinal: each.length async for each in archive.transcripts.list_segments(console)}
    work = await _begin(archive, console, cursor, there, to_the_end=last_us is None)
    return await work.go(budget or Budget(), last_us)


async def _begin(
    archive: Archive, console: str, cursor: PartCursor, there: dict[int, int], *, to_the_end: bool
) -> PartWork:
    """Where a verification begins, or where all that the cursor stands before is gone by now, it is seen what there is:
    what was dropped meanwhile is not missing.
    """
    first = min(there, default=cursor.segment)
    begun, after = cursor.begun, None if cursor.begun is None else cursor.after
    if begun is None or first > cursor.segment:
        cursor = replace(cursor, segment=max(cursor.segment, first), position=0, line=0)
        after = await _before(archive, console, there, cursor.segment)
        gone = cursor.segment if 0 < cursor.segment == first and after else 0
        begun = Begun((after or FIRST).offset, gone)
        previous: bytes | None = (after or FIRST).hash
    else:
        previous = await _previous(archive, console, begun, there)
    walk = Verification(after=after, to_the_end=to_the_end, console=console)
    if cursor.position:
        walk.resume(cursor.segment, cursor.line)
    return PartWork(archive, console, walk, SignedSide(walk, console, begun, previous), cursor, there)


async def _previous(archive: Archive, console: str, begun: Begun, there: dict[int, int]) -> bytes | None:
    """The running hash before the first segment that was there; None where nobody needs it, or it cannot be read."""
    with suppress(DamagedSegment):
        if begun.segment in there and not begun.proof:
            found = await header_of(archive.transcripts, console, begun.segment)
            return found[0].previous if found else None
    return None


async def _before(archive: Archive, console: str, there: dict[int, int], ordinal: int) -> TranscriptEnd | None:
    """Where the segment before ends, if it is there; if that cannot be read, where this one says that it begins. None:
    at the beginning of all, and where neither can be read.
    """
    if ordinal - 1 in there:
        with suppress(DamagedSegment):
            return replace(await _tail(archive, console, ordinal - 1, there[ordinal - 1]), ordinal=ordinal)
    if ordinal and ordinal in there:
        with suppress(DamagedSegment):
            if found := await header_of(archive.transcripts, console, ordinal):
                return TranscriptEnd(ordinal, offset=found[0].offset, hash=found[0].previous)
    return None


async def _tail(archive: Archive, console: str, ordinal: int, length: int) -> TranscriptEnd:
    """Raises DamagedSegment."""
    head, tail = b"", b""
    async with aclosing(lines(archive.transcripts, console, ordinal)) as found:
        async for _, line in found:
            head = line
            break
    async for piece in archive.transcripts.read(console, ordinal, max(0, length - _TAIL_BYTES)):
        tail = (tail + piece)[-2 * _TAIL_BYTES :]
    return read_end(ordinal, length, 0, head, tail)


async def segment_at(archive: Archive, console: str, time_us: int) -> int:
    """The segment that was written to at this time: the last that began before; else the first there is."""
    found = 0
    ordinals = [each.ordinal async for each in archive.transcripts.list_segments(console)]
    low, high = 0, len(ordinals)
    while low < high:
        middle = (low + high) // 2
        if await begins_after(archive, console, ordinals[middle], time_us):
            high = middle
        else:
            found, low = ordinals[middle], middle + 1
    return found
