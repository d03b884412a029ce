"""How a console's record ends in the archive, for the relay that goes on with it, whoever recorded it.

The last lines tell it, if something was printed there. A console that was opened often since its VM printed last has
many lines, and maybe segments, of which none is printed: then the place of the last printed bytes is looked for.
"""

from contextlib import aclosing

from shared.base.record_end import TAIL_BYTES, RecordEnd
from shared.transcript.flows.find_end import find_end
from shared.transcript.flows.read_segments import SegmentReader, lines, place_before, segment_of
from shared.transcript.playback import code_of, printed
from shared.transcript.record_end import record_end
from shared.transcript.segment import CHECKPOINT, PRINTED, DamagedSegment, read_checkpoint, read_line

_MOST = 2 << 20
"""Bytes of segments that are read for the earlier ones: more than TAIL_BYTES take that are printed one by one."""


async def find_record_end(console: str, transcripts: SegmentReader) -> RecordEnd:
    """Nothing where nothing is kept, and where the end is damaged. Raises Unavailable."""
    newest = await transcripts.newest(console)
    if newest is None:
        return RecordEnd()
    last = newest.tail.split(b"\n")[:-1]
    if len(newest.tail) < newest.length:
        del last[:1]  # it begins in the middle
    try:
        count = sum(len(printed(line)) for line in last if _is(PRINTED, line))
        before = (await _end(console, transcripts, last)) - count
        if before > 0 and count < TAIL_BYTES:
            last = await _earlier(console, transcripts, before) + last
        return record_end(last)
    except DamagedSegment:
        return RecordEnd()


async def _end(console: str, transcripts: SegmentReader, last: list[bytes]) -> int:
    """Printed bytes so far."""
    if last and _is(CHECKPOINT, last[-1]):
        return int(read_checkpoint(read_line(last[-1])[2])["offset"])
    return (await find_end(console, transcripts)).offset


async def _earlier(console: str, transcripts: SegmentReader, before: int) -> list[bytes]:
    """The lines with the last bytes that were printed before this offset; none where they are too far apart."""
    offset, last_lines, size = max(0, before - TAIL_BYTES), list[bytes](), 0
    ordinals = [ordinal async for ordinal in transcripts.segments(console)]
    for ordinal in ordinals[await segment_of(transcripts, console, ordinals, offset) :]:
        place = await place_before(transcripts, console, ordinal, offset)
        if place is None:
            break
        at = place.offset
        async with aclosing(lines(transcripts, console, ordinal, place.position)) as walked:
            async for _, line in walked:
                last_lines.append(line)
                size += len(line)
                at += len(printed(line)) if _is(PRINTED, line) else 0
                if at >= before and _is(CHECKPOINT, line):  # which names the epoch that has printed it
                    return last_lines
                if at > before:  # the last lines begin inside an append
                    return last_lines[:-1]
                if size > _MOST:
                    return []
    return []


def _is(code: str, line: bytes) -> bool:
    return not line.startswith(b"{") and code_of(line) == code
