"""The last printed bytes of one epoch, for viewers that attach or come back."""


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
        """The offset of the next byte that the VM prints."""

    def add(self, data: bytes) -> None:
        stored = self._bytes
        stored += data
        self.offset += len(data)
        if len(stored) > 2 * self._capacity:
            del stored[: len(stored) - self._capacity]

    def clear(self) -> None:
        """A new epoch: offsets start at zero again."""
        self._bytes = bytearray()
        self.offset = 0

    def everything(self) -> tuple[int, bytes]:
        """Returns the newest bytes, at most `capacity`, with the offset of the first."""
        data = bytes(self._bytes[-self._capacity :])
        return self.offset - len(data), data

    def since(self, offset: int) -> bytes | None:
        """Returns the bytes from this offset on; None if they are gone, or were never printed."""
        behind = self.offset - offset
        if not 0 <= behind <= len(self._bytes):
            return None
        return bytes(self._bytes[len(self._bytes) - behind :])
