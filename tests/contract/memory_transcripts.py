"""The ring of append blobs in memory: what the flows' tests use, held to the same contract as the real adapter."""

from collections.abc import AsyncIterator
from itertools import chain, count

from shared.transcript.ports import AppendConflict, Blob, SegmentInfo

_HEAD, _TAIL = 4096, 64 * 1024


class MemoryTranscripts:
    def __init__(self, piece: int = 4 << 20) -> None:
        self.blobs: dict[tuple[str, int], bytearray] = {}
        self.blocks: dict[tuple[str, int], int] = {}
        self.aside: dict[str, bytes] = {}
        self._piece = piece
        self.immutable = False
        """The storage forbids to delete."""

    async def newest(self, console: str) -> Blob | None:
        ordinals = self._ordinals(console)
        if not ordinals:
            return None
        held = self.blobs[console, ordinals[-1]]
        blocks = self.blocks[console, ordinals[-1]]
        return Blob(ordinals[-1], len(held), blocks, bytes(held[:_HEAD]), bytes(held[-_TAIL:]))

    async def create(self, console: str, ordinal: int) -> None:
        self.blobs.setdefault((console, ordinal), bytearray())
        self.blocks.setdefault((console, ordinal), 0)

    async def append(self, console: str, ordinal: int, position: int, data: bytes) -> None:
        blob = self.blobs.get((console, ordinal))
        if blob is None or len(blob) != position:
            raise AppendConflict
        blob += data
        self.blocks[console, ordinal] += 1

    async def set_aside(self, name: str, data: bytes) -> None:
        for letter in chain((name,), (f"{name}.{number}" for number in count(1))):
            if self.aside.setdefault(letter, data) == data:
                return

    async def segments(self, console: str) -> AsyncIterator[int]:
        for ordinal in self._ordinals(console):
            yield ordinal

    async def read(self, console: str, ordinal: int, start: int = 0) -> AsyncIterator[bytes]:
        held = self.blobs.get((console, ordinal), bytearray())
        for at in range(start, len(held), self._piece):
            yield bytes(held[at : at + self._piece])

    async def list_segments(self, console: str = "") -> AsyncIterator[SegmentInfo]:
        for of, ordinal in sorted(self.blobs, key=lambda blob: f"{blob[0]}/{blob[1]:08d}"):
            if console in ("", of):
                yield SegmentInfo(of, ordinal, len(self.blobs[of, ordinal]))

    async def drop(self, console: str, ordinal: int) -> bool:
        if self.immutable:
            return False
        self.blobs.pop((console, ordinal), None)
        self.blocks.pop((console, ordinal), None)
        return True

    def _ordinals(self, console: str) -> list[int]:
        return sorted(ordinal for held, ordinal in self.blobs if held == console)
