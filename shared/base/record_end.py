"""Where a console's record ends: the last printed bytes, as a relay remembers them and as the archive tells them."""

from dataclasses import dataclass

TAIL_BYTES = 16 * 1024
"""What is remembered of a console; it holds up to twice as much."""


class RecordedTail:
    """The last bytes recorded of one console, without a gap, as the VM printed them: for memory alone."""

    __slots__ = ("_bytes", "cut", "epoch", "masked")

    def __init__(self, known: bytes = b"", *, cut: bool = False, epoch: str = "") -> None:
        self._bytes = bytearray(known)
        self.epoch = epoch
        """That the last of them was recorded in; empty where there is none."""
        self.cut = cut
        """More is on record before it, without a gap: a replay may reach back further than this."""
        self.masked = False
        """Some of it is not on record as it was printed."""

    def __bytes__(self) -> bytes:
        return bytes(self._bytes[-TAIL_BYTES:])

    def add(self, data: bytes) -> None:
        self._bytes += data
        if len(self._bytes) > TAIL_BYTES:
            self.cut = True
            if len(self._bytes) > 2 * TAIL_BYTES:
                del self._bytes[:-TAIL_BYTES]

    def clear(self) -> None:
        """What comes next need not follow what came last."""
        self.replace(b"", cut=False, epoch="")

    def replace(self, known: bytes, *, cut: bool, epoch: str) -> None:
        """Somebody else has recorded since, and this is how the record ends."""
        self._bytes, self.cut, self.epoch, self.masked = bytearray(known), cut, epoch, False


@dataclass(frozen=True, slots=True)
class RecordEnd:
    """The last printed bytes, without a gap. Nothing is known where `epoch` is empty."""

    epoch: str = ""
    """That the last one belongs to."""
    printed: bytes = b""
    cut: bool = False
    """As Tail.cut."""

    def is_newer(self, tail: RecordedTail) -> bool:
        """Whether it says more of the record's end than what a relay remembers.

        Of one and the same epoch the relay that records it knows more, unless it has forgotten what was before.
        """
        if self.epoch != tail.epoch:
            return self.epoch > tail.epoch  # names of epochs sort by the time of their opening
        known = bytes(tail)
        return len(self.printed) > len(known) and self.printed.endswith(known)
