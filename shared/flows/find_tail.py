"""Where a console's transcript ends, as it lies in storage."""

from collections.abc import AsyncIterator
from typing import Protocol

from shared.domain.segment import FIRST, Tail, read_tail
from shared.ports import Blob

_TAIL_BYTES = 64 * 1024
"""Longer than any checkpoint."""


class Segments(Protocol):
    """Of ports.Transcripts, what it takes to read."""

    async def newest(self, console: str) -> Blob | None: ...

    def read(self, console: str, ordinal: int) -> AsyncIterator[bytes]: ...


async def find_tail(console: str, transcripts: Segments) -> Tail:
    """FIRST when nothing is kept. Raises DamagedSegment, Unavailable."""
    newest = await transcripts.newest(console)
    if newest is None:
        return FIRST
    if newest.length:
        return read_tail(newest.ordinal, newest.length, newest.blocks, newest.head, newest.tail)
    # Empty: its creator ended before the first append. The one before it is closed.
    return await tail_before(console, newest.ordinal, transcripts) if newest.ordinal else FIRST


async def tail_before(console: str, ordinal: int, transcripts: Segments) -> Tail:
    """Where the segment before this one ends. Raises DamagedSegment, Unavailable."""
    head, tail, length = b"", b"", 0
    async for piece in transcripts.read(console, ordinal - 1):
        head = head or piece
        tail = (tail + piece)[-_TAIL_BYTES:]
        length += len(piece)
    return read_tail(ordinal - 1, length, 0, head, tail)
