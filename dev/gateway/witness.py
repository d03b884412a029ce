"""The independent witness of what a machine printed: a file that is written before anything is forwarded."""

from pathlib import Path


class Witness:
    """Exactly the bytes of one run of the stack, in order; nobody has to read them for them to be there."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._file = path.open("wb", buffering=0)
        self.size = 0
        """Bytes printed so far."""

    def append(self, data: bytes) -> None:
        """Raises OSError when the disk takes no more: without a witness nothing may be forwarded."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]
        self.size += len(data)

    def close(self) -> None:
        self._file.close()
