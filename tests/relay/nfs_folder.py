"""A folder as Linux shows it over NFS: a file that is deleted while it is open lies there until it is closed.

Source: nfs(5) and Linux's fs/nfs/unlink.c ("sillyrename"): the client renames it to `.nfs` and a number, and deletes
that at the last close; so its folder is not empty until then. A client that is killed leaves it behind.
"""

import os
from pathlib import Path
from typing import Any

import pytest


class NfsFolder:
    """os.unlink, os.close and os.open, of this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._unlink, self._close, self._open = os.unlink, os.close, os.open
        self._names: dict[int, str] = {}
        """What lies where, of open files, by descriptor."""
        self.made = 0
        for name in ("unlink", "close", "open"):
            monkeypatch.setattr(os, name, getattr(self, name))

    def killed(self) -> None:
        """The process that had files open is no more, and what they were renamed to stays."""
        self._names.clear()

    def open(self, path: Any, *rest: Any, **named: Any) -> int:
        fd = self._open(path, *rest, **named)
        self._names[fd] = os.path.abspath(path)  # noqa: PTH100 - os.open's own words
        return fd

    def unlink(self, path: Any, **named: Any) -> None:
        held = [fd for fd, name in self._names.items() if name == os.path.abspath(path)]  # noqa: PTH100 - as above
        if not held:
            self._unlink(path, **named)
            return
        self.made += 1
        hidden = Path(path).parent / f".nfs{self.made:08x}"
        Path(path).rename(hidden)
        for fd in held:
            self._names[fd] = str(hidden)

    def close(self, fd: int) -> None:
        self._close(fd)
        name = self._names.pop(fd, None)
        if name and Path(name).name.startswith(".nfs") and name not in self._names.values():
            self._unlink(name)
