"""The records of one epoch: written to files here, read by the outbox, deleted once acknowledged.

The oldest records wait in memory, up to a window of WINDOW_BYTES. Later ones are read back from the files.
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
        """Adds `change` to the bytes that wait in the spool. It may be negative."""
        ...

    def gone(self, source: Source, file: Path) -> None:
        """Called when the hub has all of an epoch, before its last file is deleted."""
        ...


@dataclass(slots=True)
class RecoveredEpoch:
    """The part of an epoch that an earlier process left on the disk."""

    first: int
    """Number of the first file."""
    sizes: list[int] = field(default_factory=list[int])
    """Bytes of whole frames in each file, from the first on."""
    records: int = 0
    bytes: int = 0
    last_seq: int = 0
    ended: bool = False


def file_path(folder: Path, number: int) -> Path:
    return folder / f"{number:06d}.spool"


class EpochLog:
    """A Recorder. `arrived` is called after each append."""

    def __init__(
        self, folder: Path, source: Source, meter: Meter, sync: SpoolSync, recovered: RecoveredEpoch | None = None
    ) -> None:
        self.source = source
        self.folder = folder
        self.ended = False
        self._last_seq, self._last_us = 0, 0
        self.arrived: Callable[[], None] = lambda: None
        self.predecessor: EpochLog | None = None
        """The console's epoch before this one, if it has not ended. It ends before this one gets a record."""
        self._meter = meter
        self._sync = sync
        self._header = framed(source.encode())
        self._file: SpoolFile | None = None
        self._sizes: dict[int, int] = {}
        """The sizes of the full files, by number."""
        self._number = 0
        self._window: deque[bytes] = deque()
        self._window_bytes = 0
        self._unread = 0
        """The number of records that are only in the files. They come after those of the window."""
        self._unread_from = (1, len(self._header))
        self._acknowledged = (1, len(self._header))
        self._recovered = recovered is not None
        """The epoch was begun by an earlier process."""
        self._pending_end: list[Record] = []
        """The records that are still to be written to end an epoch that broke off."""
        if recovered:
            self._resume(recovered)

    def _resume(self, recovered: RecoveredEpoch) -> None:
        numbers = range(recovered.first, recovered.first + len(recovered.sizes))
        self._sizes = dict(zip(numbers, recovered.sizes, strict=True))
        self._number = numbers[-1]
        self._file = SpoolFile(file_path(self.folder, self._number), self._sizes.pop(self._number))
        self._unread_from = self._acknowledged = (recovered.first, len(self._header))
        self._unread = recovered.records
        self.ended = recovered.ended
        self._last_seq = recovered.last_seq
        self._meter.spooled(recovered.bytes)

    @property
    def pending(self) -> int:
        """Records that are not acknowledged."""
        return len(self._window) + self._unread

    @property
    def recorded_last(self) -> RecordedLast:
        """The newest record. Its time is 0 if an earlier process wrote it."""
        return RecordedLast(self.source.epoch, self._last_seq, self._last_us / 1e6)

    def has_batch(self, size: int, records: int) -> bool:
        """Returns True if at least `size` bytes or `records` records wait."""
        return self._unread > 0 or self._window_bytes >= size or len(self._window) >= records

    def oldest_us(self) -> int | None:
        """Time of the oldest record that is not acknowledged, us since 1970."""
        if not self._window and self._unread:
            self._read_back()
        return int(_TIME.unpack_from(self._window[0], _TIME_AT)[0]) if self._window else None

    def append(self, record: Record) -> None:
        """Writes a record, which survives a kill when this returns. Raises OSError if it is not written.

        Raises ValueError for a body above MAX_BODY: no event could carry it.
        """
        if len(record.body) > MAX_BODY:
            raise ValueError(f"a record's body is at most {MAX_BODY} bytes")
        if self._sync.error:
            raise OSError(self._sync.error.errno, "the spool's disk failed to flush")
        encoded = record.encode()
        frame = framed(encoded)
        at = self._write(frame)
        if not self._unread and self._window_bytes + len(encoded) <= WINDOW_BYTES:
            self._window.append(encoded)
            self._window_bytes += len(encoded)
        else:
            if not self._unread:
                self._unread_from = at
            self._unread += 1
        self.ended = record.kind is RecordKind.END
        self._last_seq, self._last_us = record.seq, record.time_us
        self._meter.spooled(len(frame))
        self.arrived()

    def _write(self, frame: bytes) -> tuple[int, int]:
        """Writes a frame. Returns the number of its file, and its position there."""
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
        # The earlier epoch gets its END before this one has a record. If the disk does not take it, this append
        # fails too.
        if self.predecessor is not None:
            self.predecessor.write_pending_end()
            self.predecessor = None
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
            # `acknowledge` deletes a full file when it passes its end. If the hub has all of this one already, no
            # later acknowledgement passes its end, so it is deleted here.
            if self._acknowledged == (self._number, self._file.size):
                self._file.path.unlink()
                self._acknowledged = (self._number + 1, len(self._header))
            else:
                self._sizes[self._number] = self._file.size
        self._number += 1
        self._file = file
        return file

    def peek(self, most_bytes: int, most_records: int) -> list[bytes]:
        """The oldest records that are not acknowledged; at least one if there is one. Raises OSError."""
        if not self._window and self._unread:
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
        number, at = self._unread_from
        content = file_path(self.folder, number).read_bytes()
        for end, encoded in whole_frames(content, at):
            self._window.append(encoded)
            self._window_bytes += len(encoded)
            self._unread -= 1
            at = end
        if at < self._sizes.get(number, at) or not self._window:
            raise OSError(f"{file_path(self.folder, number)} was damaged after it was written")
        self._unread_from = (number + 1, len(self._header)) if number in self._sizes else (number, at)

    def acknowledge(self, count: int) -> None:
        """Forgets the `count` oldest records, which the hub has, and deletes files that hold no others."""
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
        self.try_write_pending_end()

    def end_as_lost(self, now_us: int) -> None:
        """Ends the epoch of a relay that ended without saying so. `now_us` is us since 1970."""
        self._break_off("relay-lost", "relay-lost", now_us)

    def give_up(self, now_us: int) -> None:
        """Ends the epoch with an event that its recording failed, now or as soon as the disk takes it."""
        self._break_off("record-failed", Code.AUDIT_UNAVAILABLE.value, now_us)

    def _break_off(self, event: str, reason: str, now_us: int) -> None:
        at = self._last_seq
        if at == 0:
            self._forget()
            return
        self._pending_end = [Record.event(at + 1, now_us, event), Record.end(at + 2, now_us, reason)]
        try:
            self.write_pending_end()
        except OSError as error:
            log.warning("epoch %s cannot be ended yet: %s", self.source.epoch, error.strerror)

    def _forget(self) -> None:
        """Ends an epoch without a record, and deletes its folder. Nothing of it is sent."""
        self.ended = True
        with suppress(OSError):
            self.folder.rmdir()
        self.arrived()

    def write_pending_end(self) -> None:
        """Writes the records that end a broken epoch, if there are any. Raises OSError."""
        while self._pending_end:
            self.append(self._pending_end[0])
            del self._pending_end[0]

    def try_write_pending_end(self) -> None:
        """The same; what the disk does not take stays pending."""
        with suppress(OSError):
            self.write_pending_end()

    def release(self) -> None:
        """Closes the file. Its records stay for the next process."""
        if self._file:
            self._sync.finish(self._file)
            self._file = None

    def _delete(self) -> None:
        if not self._recovered:
            self._meter.gone(self.source, file_path(self.folder, self._number))
        file_path(self.folder, self._number).unlink()
        with suppress(OSError):  # on NFS it goes when the file is closed
            self.folder.rmdir()
        if self._file:
            self._sync.finish(self._file, emptied=self.folder)
            self._file = None
