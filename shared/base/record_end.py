"""The end of a console's record: the last printed bytes, as a relay remembers them and as the archive stores them."""

from dataclasses import dataclass

TAIL_BYTES = 16 * 1024
"""Bytes that a relay remembers of a console; the buffer grows to twice as many."""


class RecordedTail:
    """The last bytes recorded of one console, without a gap, as the VM printed them. They are never stored."""

    __slots__ = ("_bytes", "cut", "epoch", "masked")

    def __init__(self, printed: bytes = b"", *, cut: bool = False, epoch: str = "") -> None:
        self._bytes = bytearray(printed)
        self.epoch = epoch
        """The epoch of the last byte; empty if there is none."""
        self.cut = cut
        """The record holds more before these bytes, without a gap: a replay may reach back further than they do."""
        self.masked = False
        """The record masks some of these bytes."""

    def __bytes__(self) -> bytes:
        return bytes(self._bytes[-TAIL_BYTES:])

    def add(self, data: bytes) -> None:
        self._bytes += data
        if len(self._bytes) > TAIL_BYTES:
            self.cut = True
            if len(self._bytes) > 2 * TAIL_BYTES:
                del self._bytes[:-TAIL_BYTES]

    def clear(self) -> None:
        """Forgets all bytes, because the next ones may not follow them without a gap."""
        self.replace(b"", cut=False, epoch="")

    def replace(self, printed: bytes, *, cut: bool, epoch: str) -> None:
        """Takes over the end of the record after another relay has recorded."""
        self._bytes, self.cut, self.epoch, self.masked = bytearray(printed), cut, epoch, False


@dataclass(frozen=True, slots=True)
class RecordEnd:
    """The last printed bytes, without a gap. If `epoch` is empty, nothing is known."""

    epoch: str = ""
    """The epoch of the last byte."""
    printed: bytes = b""
    cut: bool = False
    """As RecordedTail.cut."""

    def is_newer(self, tail: RecordedTail) -> bool:
        """Returns True if this end reaches further than the bytes that a relay remembers.

        In one epoch the relay that records it knows more, unless it has forgotten the earlier bytes.
        """
        if self.epoch != tail.epoch:
            return self.epoch > tail.epoch  # names of epochs sort by the time of their opening
        remembered = bytes(tail)
        return len(self.printed) > len(remembered) and self.printed.endswith(remembered)
