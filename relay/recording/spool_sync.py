"""Flushes the spool's files to the disk in groups, in a thread of its own: a kill loses nothing, a power cut little."""

import os
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock, Thread

from relay.recording.spool_file import SpoolFile

_SECONDS = 0.1


class SpoolSync:
    """Flushes files in a thread. `error` is the first failed flush; it stays, since nobody knows what the disk lost."""

    def __init__(self, seconds: float = _SECONDS) -> None:
        self.error: OSError | None = None
        self._seconds = seconds
        self._lock = Lock()
        self._dirty: list[SpoolFile] = []
        self._finished: list[tuple[SpoolFile, Path | None]] = []
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="spool-sync", daemon=True)
        self._thread.start()

    def mark(self, file: SpoolFile) -> None:
        """Notes that the file was written to. Call it only if the file is not marked already."""
        with self._lock:
            file.dirty = True
            self._dirty.append(file)

    def finish(self, file: SpoolFile, emptied: Path | None = None) -> None:
        """Flushes the file once more and closes it. `emptied` is a folder to delete afterwards, if it is there: on NFS
        a file that is deleted while open stays in its folder, under another name, until it is closed.
        """
        with self._lock:
            self._finished.append((file, emptied))

    def stop(self) -> None:
        """Flushes all files, closes the finished ones, and ends the thread."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._seconds):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        with self._lock:
            dirty, self._dirty = self._dirty, []
            finished, self._finished = self._finished, []
            for file in dirty:
                file.dirty = False
        for file in dirty:
            try:
                _flush_file(file)
            except OSError as error:
                self.error = self.error or error
        for file, emptied in finished:
            os.close(file.fd)
            if emptied:
                with suppress(OSError):
                    emptied.rmdir()


def _flush_file(file: SpoolFile) -> None:
    os.fsync(file.fd)
    if file.created:
        file.created = False
        with suppress(FileNotFoundError):  # delivered and deleted meanwhile
            _flush_folders(file)


def _flush_folders(file: SpoolFile) -> None:
    """A new file is there after a power cut only if its folder, and the folder's folder, are flushed too."""
    for folder in (file.path.parent, file.path.parent.parent):
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
