"""One epoch's records on their way: written to files here, read by the outbox, deleted once acknowledged.

Records wait in memory only as far as a window reaches; those behind it are read back from the files.
"""

import logging
import struct
from collections import deque
from collections.abc import Callable  # noqa: TC003 - the annotation of a public attribute
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from relay.recording.spool_file import FRAME_OVERHEAD, SpoolFile, framed, whole_frames
from relay.recording.spool_sync import SpoolSync
from shared.base.archive_progress import RecordedLast
from shared.base.record import Record, RecordKind, Source
from shared.base.refusals import Code

log = logging.getLogger(__name__)

FILE_BYTES = 1 << 20
WINDOW_BYTES = 1 << 20
MAX_BODY = 512 * 1024
"""An Event Hub's event is at most 1 MB."""
_TIME = struct.Struct(">Q")
_TIME_AT = 9
"""Where a record's time is (shared/base/record.py)."""


class Meter(Protocol):
    def spooled(self, change: int) -> None:
        """So many bytes more, or fewer, wait in the spool."""
        ...

    def gone(self, source: Source, file: Path) -> None:
        """The hub has all of an epoch: its last file is about to be deleted."""
        ...


@dataclass(slots=True)
class FoundEpoch:
    """What an earlier process left of an epoch."""

    first: int
    """Number of the first file."""
    sizes: list[int] = field(default_factory=list[int])
    """Good bytes of each file, from the first on."""
    records: int = 0
    bytes: int = 0
    last_seq: int = 0
    ended: bool = False


def file_path(folder: Path, number: int) -> Path:
    return folder / f"{number:06d}.spool"


class EpochLog:
    """A Recorder. `arrived` is called after each append."""

    def __init__(
        self, folder: Path, source: Source, meter: Meter, sync: SpoolSync, found: FoundEpoch | None = None
    ) -> None:
        self.source = source
        self.folder = folder
        self.ended = False
        self._last_seq, self._last_us = 0, 0
        self.arrived: Callable[[], None] = lambda: None
        self.follows: EpochLog | None = None
        """The console's epoch before this one, where it is not ended: it is, before this one has a record."""
        self._meter = meter
        self._sync = sync
        self._header = framed(source.encode())
        self._file: SpoolFile | None = None
        self._sizes: dict[int, int] = {}
        """Of the files that are full, by number."""
        self._number = 0
        self._window: deque[bytes] = deque()
        self._window_bytes = 0
        self._behind = 0
        """Records that are only in the files, after those of the window."""
        self._behind_from = (1, len(self._header))
        self._acknowledged = (1, len(self._header))
        self._left = found is not None
        """By an earlier process."""
        self._owed: list[Record] = []
        """What must still be said to end an epoch that broke off."""
        if found:
            self._take_up(found)

    def _take_up(self, found: FoundEpoch) -> None:
        numbers = range(found.first, found.first + len(found.sizes))
        self._sizes = dict(zip(numbers, found.sizes, strict=True))
        self._number = numbers[-1]
        self._file = SpoolFile(file_path(self.folder, self._number), self._sizes.pop(self._number))
        self._behind_from = self._acknowledged = (found.first, len(self._header))
        self._behind = found.records
        self.ended = found.ended
        self._last_seq = found.last_seq
        self._meter.spooled(found.bytes)

    @property
    def pending(self) -> int:
        """Records that are not acknowledged."""
        return len(self._window) + self._behind

    @property
    def recorded_last(self) -> RecordedLast:
        """Its newest record. Time 0: it was written by an earlier process."""
        return RecordedLast(self.source.epoch, self._last_seq, self._last_us / 1e6)

    def has_batch(self, size: int, records: int) -> bool:
        """Whether so many bytes or records wait."""
        return self._behind > 0 or self._window_bytes >= size or len(self._window) >= records

    def oldest_us(self) -> int | None:
        """Time of the oldest record that is not acknowledged, us since 1970."""
        if not self._window and self._behind:
            self._read_back()
        return int(_TIME.unpack_from(self._window[0], _TIME_AT)[0]) if self._window else None

    def append(self, record: Record) -> None:
        """In the file when it returns (survives a kill). Raises OSError when it cannot be written: it is not there.

        Raises ValueError for a body above MAX_BODY: no event could carry it.
        """
        if len(record.body) > MAX_BODY:
            raise ValueError(f"a record's body is at most {MAX_BODY} bytes")
        if self._sync.error:
            raise OSError(self._sync.error.errno, "the spool's disk failed to flush")
        encoded = record.encode()
        frame = framed(encoded)
        at = self._write(frame)
        if not self._behind and self._window_bytes + len(encoded) <= WINDOW_BYTES:
            self._window.append(encoded)
            self._window_bytes += len(encoded)
        else:
            if not self._behind:
                self._behind_from = at
            self._behind += 1
        self.ended = record.kind is RecordKind.END
        self._last_seq, self._last_us = record.seq, record.time_us
        self._meter.spooled(len(frame))
        self.arrived()

    def _write(self, frame: bytes) -> tuple[int, int]:
        """Where the frame lies now: number of the file, and the position in it."""
        file = self._file
        if file is None or file.size + len(frame) > FILE_BYTES:
            file = self._roll(frame)
        else:
            file.write(frame)
        if not file.dirty:
            self._sync.mark(file)
        return self._number, file.size - len(frame)

    def _roll(self, frame: bytes) -> SpoolFile:
        """Begins a new file by one write of header and frame: the last file of an epoch always has a record."""
        if self.follows is not None:
            self.follows.pay()
            self.follows = None
        self.folder.mkdir(mode=0o700, exist_ok=True)
        file = SpoolFile(file_path(self.folder, self._number + 1))
        try:
            file.write(self._header + frame)
        except OSError:
            file.path.unlink()
            self._sync.finish(file)
            raise
        if self._file:
            self._sync.finish(self._file)
            if self._acknowledged == (self._number, self._file.size):  # all of it: no acknowledgement will come by
                self._file.path.unlink()
                self._acknowledged = (self._number + 1, len(self._header))
            else:
                self._sizes[self._number] = self._file.size
        self._number += 1
        self._file = file
        return file

    def peek(self, most_bytes: int, most_records: int) -> list[bytes]:
        """The oldest records that are not acknowledged; at least one if there is one. Raises OSError."""
        if not self._window and self._behind:
            self._read_back()
        run: list[bytes] = []
        size = 0
        for encoded in self._window:
            size += len(encoded)
            if run and (size > most_bytes or len(run) >= most_records):
                break
            run.append(encoded)
        return run

    def _read_back(self) -> None:
        """Fills the empty window from the next file."""
        number, at = self._behind_from
        content = file_path(self.folder, number).read_bytes()
        for end, encoded in whole_frames(content, at):
            self._window.append(encoded)
            self._window_bytes += len(encoded)
            self._behind -= 1
            at = end
        if at < self._sizes.get(number, at) or not self._window:
            raise OSError(f"{file_path(self.folder, number)} was damaged after it was written")
        self._behind_from = (number + 1, len(self._header)) if number in self._sizes else (number, at)

    def acknowledge(self, count: int) -> None:
        """The hub has the `count` oldest records: they are forgotten, and files that hold no others are deleted."""
        number, at = self._acknowledged
        freed = 0
        for _ in range(count):
            size = len(self._window.popleft())
            self._window_bytes -= size
            freed += size + FRAME_OVERHEAD
            at += size + FRAME_OVERHEAD
            if at == self._sizes.get(number):
                del self._sizes[number]
                file_path(self.folder, number).unlink()
                number, at = number + 1, len(self._header)
        self._acknowledged = number, at
        if self.ended and not self.pending:
            self._delete()
        self._meter.spooled(-freed)
        self.settle()

    def end_as_lost(self, now_us: int) -> None:
        """Ends the epoch of a relay that is no more."""
        self._break_off("relay-lost", "relay-lost", now_us)

    def give_up(self, now_us: int) -> None:
        """Nothing more is recorded: the epoch says so, and ends, at once or as soon as it can be written."""
        self._break_off("record-failed", Code.AUDIT_UNAVAILABLE.value, now_us)

    def _break_off(self, event: str, reason: str, now_us: int) -> None:
        at = self._last_seq
        if at == 0:
            self._forget()
            return
        self._owed = [Record.event(at + 1, now_us, event), Record.end(at + 2, now_us, reason)]
        try:
            self.pay()
        except OSError as error:
            log.warning("epoch %s cannot be ended yet: %s", self.source.epoch, error.strerror)

    def _forget(self) -> None:
        """Of an epoch without a record nobody has to hear."""
        self.ended = True
        with suppress(OSError):
            self.folder.rmdir()
        self.arrived()

    def pay(self) -> None:
        """Says all that is still owed. Raises OSError."""
        while self._owed:
            self.append(self._owed[0])
            del self._owed[0]

    def settle(self) -> None:
        """The same, as far as the disk lets it."""
        with suppress(OSError):
            self.pay()

    def release(self) -> None:
        """Closes the file; what is in it stays for the next process."""
        if self._file:
            self._sync.finish(self._file)
            self._file = None

    def _delete(self) -> None:
        if not self._left:
            self._meter.gone(self.source, file_path(self.folder, self._number))
        file_path(self.folder, self._number).unlink()
        with suppress(OSError):  # on NFS it goes when the file is closed
            self.folder.rmdir()
        if self._file:
            self._sync.finish(self._file, emptied=self.folder)
            self._file = None
