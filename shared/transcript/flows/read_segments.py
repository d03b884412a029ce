"""The lines of a transcript in order, from any place in it, without reading what lies before."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from shared.transcript.playback import code_of, printed, time_us
from shared.transcript.ports import Blob
from shared.transcript.segment import (
    CHECKPOINT,
    LONGEST_APPEND,
    PRINTED,
    DamagedSegment,
    Header,
    read_checkpoint,
    read_header,
    read_line,
)

_NEAR = 256 * 1024
"""Bytes that are rather read than jumped over."""
_FAR = 32 << 20
"""The first jump where nothing says how far it is."""


class SegmentReader(Protocol):
    """ports.Transcripts for those who read: any byte of a segment can be the first."""

    async def newest(self, console: str) -> Blob | None: ...

    def segments(self, console: str) -> AsyncIterator[int]: ...

    def read(self, console: str, ordinal: int, start: int = 0) -> AsyncIterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class Place:
    """A line's beginning: its byte in the segment, and how many bytes were printed before it."""

    position: int
    offset: int


async def lines(
    segments: SegmentReader, console: str, ordinal: int, start: int = 0
) -> AsyncGenerator[tuple[int, bytes]]:
    """Each whole line with the byte where it begins; `start` must be a line's beginning. Without line ends."""
    rest = b""
    at = start
    async for piece in segments.read(console, ordinal, start):
        *whole, rest = (rest + piece).split(b"\n")
        if len(rest) > LONGEST_APPEND:
            raise DamagedSegment("a line is longer than any append")
        for line in whole:
            yield at, line
            at += len(line) + 1


async def header_of(segments: SegmentReader, console: str, ordinal: int) -> tuple[Header, int] | None:
    """The header, and where the first line after it begins; None while the segment is empty. Raises DamagedSegment."""
    async with aclosing(lines(segments, console, ordinal)) as found:
        async for _, line in found:
            return read_header(line), len(line) + 1
    return None


async def segment_of(segments: SegmentReader, console: str, ordinals: list[int], offset: int) -> int:
    """Index of the segment that holds this printed byte; the first, if it was in one that is gone."""
    low, high = 0, max(0, len(ordinals) - 1)
    while low < high:
        middle = (low + high + 1) // 2
        found = await header_of(segments, console, ordinals[middle])
        if found and found[0].offset <= offset:
            low = middle
        else:
            high = middle - 1
    return low


async def place_before(segments: SegmentReader, console: str, ordinal: int, offset: int) -> Place | None:
    """A line shortly before the one that holds this printed byte; None while the segment is empty.

    A printed byte takes at least one byte of the segment, so that a jump as wide as the bytes that are missing
    never goes too far; only the checkpoint found behind it may be, and then the jump is halved.
    """
    found = await header_of(segments, console, ordinal)
    if found is None:
        return None
    header, first = found
    place, jump = Place(first, header.offset), offset - header.offset
    while jump > _NEAR:
        ahead = await _checkpoint_after(segments, console, ordinal, place.position + jump)
        if ahead and ahead.behind.offset <= offset:
            place, jump = ahead.behind, offset - ahead.behind.offset
        else:
            jump //= 2
    return place


async def place_at(segments: SegmentReader, console: str, moment_us: int) -> tuple[int, Place] | None:
    """The segment and the first line in it that happened at this time or later; None: nothing did.

    Clocks of relays may go back: then it is one such line, not always the first.
    """
    ordinals = [ordinal async for ordinal in segments.segments(console)]
    for ordinal in ordinals[await _segment_at(segments, console, ordinals, moment_us) :]:
        if found := await _place_in(segments, console, ordinal, moment_us):
            return ordinal, found
    return None


async def _segment_at(segments: SegmentReader, console: str, ordinals: list[int], moment_us: int) -> int:
    """Index of the last segment that began before this time; the first, if none did."""
    low, high = 0, max(0, len(ordinals) - 1)
    while low < high:
        middle = (low + high + 1) // 2
        found = await header_of(segments, console, ordinals[middle])
        if found and found[0].started_us < moment_us:
            low = middle
        else:
            high = middle - 1
    return low


async def _place_in(segments: SegmentReader, console: str, ordinal: int, moment_us: int) -> Place | None:
    found = await header_of(segments, console, ordinal)
    if found is None:
        return None
    header, first = found
    place, jump = Place(first, header.offset), _FAR
    while jump > _NEAR:
        ahead = await _checkpoint_after(segments, console, ordinal, place.position + jump)
        if ahead and time_us(ahead.line, header.started_us) < moment_us:
            place = ahead.behind
        else:
            jump //= 2
    offset = place.offset
    async with aclosing(lines(segments, console, ordinal, place.position)) as walked:
        async for position, line in walked:
            if code_of(line) != CHECKPOINT and time_us(line, header.started_us) >= moment_us:
                return Place(position, offset)
            offset += len(printed(line)) if code_of(line) == PRINTED else 0
    return None


@dataclass(frozen=True, slots=True)
class _Checkpoint:
    line: bytes
    behind: Place


async def _checkpoint_after(segments: SegmentReader, console: str, ordinal: int, position: int) -> _Checkpoint | None:
    """The first checkpoint that begins after this byte. Raises DamagedSegment where none comes for too long."""
    cut = True
    async with aclosing(lines(segments, console, ordinal, position)) as found:
        async for at, line in found:
            if not cut and code_of(line) == CHECKPOINT:
                return _Checkpoint(line, Place(at + len(line) + 1, read_checkpoint(read_line(line)[2])["offset"]))
            cut = False
            if at - position > LONGEST_APPEND:
                raise DamagedSegment("no checkpoint follows for longer than any append")
    return None
