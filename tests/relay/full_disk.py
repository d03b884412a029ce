"""A disk that takes no more."""

import os

import pytest


class FullDisk:
    """os.write that has room for so many bytes more."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
        self.room = room
        self._write = os.write
        monkeypatch.setattr(os, "write", self)

    def __call__(self, fd: int, data: bytes) -> int:
        if not self.room:
            raise OSError(28, "No space left on device")
        done = self._write(fd, data[: self.room])
        self.room -= done
        return done
