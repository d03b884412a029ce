"""Where a console's transcript ends, as it lies in storage."""

from collections.abc import AsyncIterator
from typing import Protocol

from shared.transcript.ports import Blob
from shared.transcript.segment import FIRST, TranscriptEnd, read_end

_TAIL_BYTES = 64 * 1024
"""Longer than any checkpoint."""


class SegmentList(Protocol):
    """Of ports.Transcripts, what it takes to read."""

    async def newest(self, console: str) -> Blob | None: ...

    def read(self, console: str, ordinal: int) -> AsyncIterator[bytes]: ...


async def find_end(console: str, transcripts: SegmentList) -> TranscriptEnd:
    """FIRST when nothing is kept. Raises DamagedSegment, Unavailable."""
    newest = await transcripts.newest(console)
    if newest is None:
        return FIRST
    if newest.length:
        return read_end(newest.ordinal, newest.length, newest.blocks, newest.head, newest.tail)
    # Empty: its creator ended before the first append. The one before it is closed.
    return await end_before(console, newest.ordinal, transcripts) if newest.ordinal else FIRST


async def end_before(console: str, ordinal: int, transcripts: SegmentList) -> TranscriptEnd:
    """Where the segment before this one ends. Raises DamagedSegment, Unavailable."""
    head, tail, length = b"", b"", 0
    async for piece in transcripts.read(console, ordinal - 1):
        head = head or piece
        tail = (tail + piece)[-_TAIL_BYTES:]
        length += len(piece)
    return read_end(ordinal - 1, length, 0, head, tail)
