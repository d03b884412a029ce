"""The spool: every record is on the local disk from before anybody sees it until the hub has it.

    spool        the folder: one owner, its bound, what earlier processes left
    epoch_log    one console's epoch: {epoch}/{n:06d}.spool, its window in memory, deletion
    spool_file   one file: whole frames or nothing;  spool_sync: flushing in groups

The relay uses it so:

    spool = Spool(folder, limit, on_full=..., on_room=...)     # SpoolInUse: another relay has this folder
    for epoch in spool.recover(now_us): outbox.carry(epoch)
    recorder = spool.open(source); outbox.carry(recorder); recorder.append(record)
"""

import errno
import fcntl
import logging
import os
import stat
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from relay.recording.epoch_log import EpochLog, RecoveredEpoch, file_path
from relay.recording.spool_file import whole_frames
from relay.recording.spool_sync import SpoolSync
from relay.recording.tails import FOLDER as TAILS
from shared.base.record import RecordKind, Source, decode_source

log = logging.getLogger(__name__)

_RECORD_HEAD = struct.Struct(">BQ")
"""Kind and sequence number (shared/base/record.py)."""
_HEADER_AND_RECORD = 2
"""Frames of the smallest file that is kept: a header and a record."""


_NOT_OURS = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class SpoolInUse(Exception):
    """Another relay records into this folder. Two relays would damage each other's files."""


def _nothing() -> None:
    pass


def _forget(console: str, file: Path) -> None:
    del console, file


class Spool:
    """All epochs in one folder. `on_full` is called once when the bound is reached, `on_room` below 3/4 of it.

    `on_gone` is called with the last file of each epoch, before it is deleted, or when it is found at start.
    """

    def __init__(
        self,
        folder: Path,
        limit_bytes: int,
        *,
        on_full: Callable[[], None] = _nothing,
        on_room: Callable[[], None] = _nothing,
        on_gone: Callable[[str, Path], None] = _forget,
    ) -> None:
        """Raises SpoolInUse, OSError."""
        self.spooled_bytes = 0
        self.is_full = False
        self._folder = folder
        self._limit = limit_bytes
        self._room = limit_bytes * 3 // 4
        self._on_full = on_full
        self._on_room = on_room
        self._on_gone = on_gone
        with _explained(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = _locked(folder / "lock")
        self._sync = SpoolSync()

    def open(self, source: Source) -> EpochLog:
        """Returns the recorder of a new epoch. Its first append makes the folder and the file."""
        return EpochLog(self._folder / source.epoch, source, self, self._sync)

    def recover(self, now_us: int) -> list[EpochLog]:
        """Returns the epochs that earlier processes left, oldest first. Open ones are ended as lost. Raises OSError."""
        with _explained(self._folder):
            return self._recover(now_us)

    def _recover(self, now_us: int) -> list[EpochLog]:
        epochs = []
        for folder in sorted(path for path in self._folder.iterdir() if path.is_dir() and path.name != TAILS):
            source, recovered = _scan(folder)
            if source is None:
                log.warning("spool %s: nothing whole in it, deleted", folder.name)
                _delete(folder)
                continue
            self.gone(source, file_path(folder, recovered.first + len(recovered.sizes) - 1))
            epoch = EpochLog(folder, source, self, self._sync, recovered)
            if not recovered.ended:
                epoch.end_as_lost(now_us)
            epochs.append(epoch)
        return epochs

    @property
    def error(self) -> OSError | None:
        """The failure after which the spool's disk is not trusted any more; None while there was none."""
        return self._sync.error

    def spooled(self, change: int) -> None:
        self.spooled_bytes += change
        if self.is_full:
            if self.spooled_bytes < self._room:
                self.is_full = False
                self._on_room()
        elif self.spooled_bytes >= self._limit:
            self.is_full = True
            self._on_full()

    def gone(self, source: Source, file: Path) -> None:
        self._on_gone(source.console, file)

    def close(self) -> None:
        """Flushes everything and unlocks the folder for another relay. Release the epochs first."""
        self._sync.stop()
        os.close(self._lock)


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Adds to a permission error who owns the folder and which user this relay is."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NOT_OURS:
            raise
        text = f"{error.filename or folder}: {error.strerror}; this relay runs as user {os.geteuid()}, {_owner(folder)}"
        raise OSError(error.errno, f"{text}: SPOOL_DIR must be a folder that this user may write to") from error


def _owner(folder: Path) -> str:
    """Describes the owner of the folder, or of the nearest folder above it that can be read."""
    for path in (folder, *folder.parents):
        with suppress(OSError):
            status = path.stat()
            return f"{path} belongs to {status.st_uid}:{status.st_gid}, mode {stat.S_IMODE(status.st_mode):04o}"
    return "and nothing above it can be looked at"


def _locked(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise SpoolInUse(f"another relay uses the spool in {path.parent}; give each relay its own SPOOL_DIR") from None
    return descriptor


def _delete(folder: Path) -> None:
    """Deletes a folder, with the files that a killed relay's NFS client left: deleted while they were open."""
    for path in folder.glob(".nfs*"):
        path.unlink()
    try:
        folder.rmdir()
    except OSError as error:
        log.warning("spool %s: it cannot be deleted: %s", folder.name, error.strerror)


def _scan(folder: Path) -> tuple[Source | None, RecoveredEpoch]:
    """Reads every file once; deletes those without a whole record. Source None: there is none left."""
    source, recovered = None, RecoveredEpoch(first=1)
    for path in sorted(folder.glob("*.spool")):
        content = path.read_bytes()
        frames = list(whole_frames(content))
        if len(frames) < _HEADER_AND_RECORD:
            log.warning("spool %s/%s: no whole record in it, deleted", folder.name, path.name)
            path.unlink()
            continue
        if source is None:
            source = decode_source(frames[0][1])[0]
            recovered.first = int(path.stem)
        path.rename(file_path(folder, recovered.first + len(recovered.sizes)))  # numbers have no holes
        _count(recovered, frames)
        if torn := len(content) - recovered.sizes[-1]:
            log.warning("spool %s/%s: a torn tail of %d bytes dropped", folder.name, path.name, torn)
    return source, recovered


def _count(recovered: RecoveredEpoch, frames: list[tuple[int, bytes]]) -> None:
    """Adds one file's frames, of which the first is the header."""
    size, last = frames[-1]
    kind, recovered.last_seq = _RECORD_HEAD.unpack_from(last)
    recovered.ended = kind == RecordKind.END
    recovered.sizes.append(size)
    recovered.records += len(frames) - 1
    recovered.bytes += size - frames[0][0]
