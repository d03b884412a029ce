"""The last printed bytes of one epoch, for those who attach or come back."""


class Scrollback:
    """A byte ring that remembers at which offset of the epoch it begins. Takes no memory while nothing is printed.

    It holds between `capacity` and twice `capacity` bytes, because trimming seldom is cheaper than trimming always;
    what it answers is never more than `capacity`, unless a returning viewer still finds its place in the rest.
    """

    __slots__ = ("_bytes", "_capacity", "offset")

    def __init__(self, capacity: int) -> None:
        self._bytes = bytearray()
        self._capacity = capacity
        self.offset = 0
        """Of the next byte that the VM prints."""

    def add(self, data: bytes) -> None:
        kept = self._bytes
        kept += data
        self.offset += len(data)
        if len(kept) > 2 * self._capacity:
            del kept[: len(kept) - self._capacity]

    def clear(self) -> None:
        """A new epoch: offsets start at zero again."""
        self._bytes = bytearray()
        self.offset = 0

    def everything(self) -> tuple[int, bytes]:
        """The newest bytes, at most `capacity`, with the offset of the first."""
        kept = bytes(self._bytes[-self._capacity :])
        return self.offset - len(kept), kept

    def since(self, offset: int) -> bytes | None:
        """What was printed from this offset on; None when that place is gone, or was never reached."""
        behind = self.offset - offset
        if not 0 <= behind <= len(self._bytes):
            return None
        return bytes(self._bytes[len(self._bytes) - behind :])
