"""Full-text search over everything that is kept of a console, in bounded pieces."""

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

from shared.transcript.flows.read_segments import Place, SegmentReader, header_of, lines, place_before, segment_of
from shared.transcript.playback import code_of, printed, time_us
from shared.transcript.search import Hit, Search
from shared.transcript.segment import PRINTED, Header

_SCANNED = 16 << 20
"""Bytes of segments that one piece reads."""


@dataclass(frozen=True, slots=True)
class SearchPage:
    hits: Sequence[Hit]
    next: int | None
    """The offset with which the search goes on; None: it is at the end."""


async def search_transcript(
    segments: SegmentReader, console: str, query: str, offset: int, *, limit: int, context: int, until: int
) -> SearchPage:
    """Lines that hold `query`, oldest first, from a line's offset on to those that begin at `until`.

    Raises DamagedSegment, Unavailable.
    """
    ordinals = [ordinal async for ordinal in segments.segments(console)]
    search, read = Search(query, context, offset), 0
    for ordinal in ordinals[await segment_of(segments, console, ordinals, offset) :]:
        header, place = await _begin(segments, console, ordinal, offset)
        if header is None or place is None:
            break
        skip = max(0, offset - place.offset)
        search.offset = max(offset, place.offset, search.offset)
        async with aclosing(lines(segments, console, ordinal, place.position)) as walked:
            async for _, line in walked:
                read += len(line)
                if code_of(line) != PRINTED:
                    continue
                body = printed(line)
                search.feed(body[skip:], time_us(line, header.started_us))
                skip = max(0, skip - len(body))
                if search.line_offset >= until:
                    return _last(search, limit, until)
                if len(search.hits) >= limit or read > _SCANNED:
                    hits, went_on = search.stop(limit)
                    if went_on > offset:  # else one line is longer than a piece: it must end first
                        return SearchPage(hits, went_on)
    return _last(search, limit, until)


def _last(search: Search, limit: int, until: int) -> SearchPage:
    hits = [hit for hit in search.finish() if hit.offset < until]
    return SearchPage(hits[:limit], hits[limit].offset if len(hits) > limit else None)


async def _begin(
    segments: SegmentReader, console: str, ordinal: int, offset: int
) -> tuple[Header | None, Place | None]:
    """The segment's header, and a line at or before this offset."""
    first_line = await header_of(segments, console, ordinal)
    return (first_line[0], await place_before(segments, console, ordinal, offset)) if first_line else (None, None)
