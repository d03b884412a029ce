"""Writes the "newc" cpio archive that Linux unpacks as its initramfs: no root, no cpio program, no loop mounts.

Format: the kernel's Documentation/driver-api/early-userspace/buffer-format.rst.
"""

import stat
from pathlib import PurePosixPath


class Archive:
    """An archive in memory. Parent folders are added as needed; owners are root unless told."""

    def __init__(self) -> None:
        self._out = bytearray()
        self._inode = 0
        self._folders: set[str] = set()

    def folder(self, path: str, mode: int = 0o755, owner: int = 0) -> None:
        if path in self._folders:
            return
        self._parents(path)
        self._folders.add(path)
        self._entry(path, stat.S_IFDIR | mode, owner=owner)

    def file(self, path: str, content: str | bytes, mode: int = 0o644) -> None:
        self._parents(path)
        self._entry(path, stat.S_IFREG | mode, content.encode() if isinstance(content, str) else content)

    def link(self, path: str, target: str) -> None:
        self._parents(path)
        self._entry(path, stat.S_IFLNK | 0o777, target.encode())

    def character_device(self, path: str, major: int, minor: int, mode: int = 0o600) -> None:
        self._parents(path)
        self._entry(path, stat.S_IFCHR | mode, device=(major, minor))

    def finish(self) -> bytes:
        """The whole archive, closed by its trailer."""
        self._entry("TRAILER!!!", 0)
        return bytes(self._out)

    def _parents(self, path: str) -> None:
        parent = str(PurePosixPath(path).parent)
        if parent != ".":
            self.folder(parent)

    def _entry(
        self, path: str, mode: int, content: bytes = b"", *, owner: int = 0, device: tuple[int, int] = (0, 0)
    ) -> None:
        self._inode += 1
        name = path.encode() + b"\0"
        links, mtime, checksum = 1, 0, 0
        fields = (self._inode, mode, owner, owner, links, mtime, len(content), 0, 0, *device, len(name), checksum)
        self._out += b"070701" + b"".join(b"%08X" % value for value in fields) + name
        self._pad()
        self._out += content
        self._pad()

    def _pad(self) -> None:
        """Header with name, and content, each end on a multiple of four bytes."""
        self._out += bytes(-len(self._out) % 4)
