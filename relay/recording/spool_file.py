"""One file of the spool: frames that are whole or not there.

frame   u32 length | u32 crc32 | content     (big-endian; the first frame's content is the encoded Source)
"""

import errno
import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from zlib import crc32

_FRAME = struct.Struct(">II")
FRAME_OVERHEAD = _FRAME.size
_MODE = 0o600


def framed(content: bytes) -> bytes:
    return _FRAME.pack(len(content), crc32(content)) + content


def whole_frames(data: bytes, at: int = 0) -> Iterator[tuple[int, bytes]]:
    """Yields the end and the content of each frame, up to the first that is damaged or cut.

    An empty frame is no frame: a disk that lost power may leave zeros, whose checksum would be right.
    """
    while at + FRAME_OVERHEAD <= len(data):
        length, checksum = _FRAME.unpack_from(data, at)
        content = data[at + FRAME_OVERHEAD : at + FRAME_OVERHEAD + length]
        if not length or len(content) < length or crc32(content) != checksum:
            return
        at += FRAME_OVERHEAD + length
        yield at, content


class SpoolFile:
    """A file that is appended to. `size`: bytes of whole frames; `dirty`: written to since it was last flushed."""

    def __init__(self, path: Path, size: int | None = None) -> None:
        """Creates the file, or opens one that holds `size` good bytes and drops what follows. Raises OSError."""
        new = os.O_CREAT | os.O_EXCL if size is None else 0
        self.path = path
        self.size = size or 0
        self.dirty = False
        self.created = size is None
        self.fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | new, _MODE)
        self._torn = size is not None

    def write(self, data: bytes) -> None:
        """Writes all of `data` or nothing, by one system call. Raises OSError."""
        if self._torn:
            self._mend()
        self._torn = True
        try:
            whole = os.write(self.fd, data) == len(data)
        except OSError:
            self._try_to_mend()
            raise
        if not whole:
            self._try_to_mend()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
        self._torn = False
        self.size += len(data)

    def _try_to_mend(self) -> None:
        with suppress(OSError):  # else the next write begins with it
            self._mend()

    def _mend(self) -> None:
        """Drops a torn frame: what follows one could not be read."""
        os.ftruncate(self.fd, self.size)
        self._torn = False
