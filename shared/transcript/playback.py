"""Segments read back: which line is what, where a page goes on, and one recording out of many segments."""

import re
from dataclasses import dataclass
from typing import Self

from shared.transcript import segment

_LINE = re.compile(rb'\[(-?[0-9.]+),"([a-z])",')
_CURSOR = re.compile(r"([0-9]{1,8})(?:\.([0-9]{1,12})\.([0-9]{1,18}))?")
_US = 1_000_000


class InvalidCursor(ValueError):
    """The text is not where a page goes on."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins: a segment's beginning, or, inside a recording that is read in pages, any line."""

    ordinal: int
    position: int = 0
    recording_us: int | None = None
    """When the recording began that this page goes on with; None: it begins here."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises InvalidCursor."""
        if not (matched := _CURSOR.fullmatch(text)):
            raise InvalidCursor("segment must be a segment's number, or what x-console-segment-next said")
        ordinal, position, recording = matched.groups()
        return cls(int(ordinal)) if position is None else cls(int(ordinal), int(position), int(recording) or None)

    def __str__(self) -> str:
        if not self.position and self.recording_us is None:
            return str(self.ordinal)
        return f"{self.ordinal}.{self.position}.{self.recording_us or 0}"


def code_of(line: bytes) -> str:
    """Raises DamagedSegment."""
    return _parts(line)[2].decode()


def time_us(line: bytes, started_us: int) -> int:
    """When it happened, us since 1970. Raises DamagedSegment."""
    try:
        return started_us + round(float(_parts(line)[1]) * _US)
    except (ValueError, OverflowError) as error:  # two points, or a number that no clock reaches
        raise segment.DamagedSegment("a line's time is none") from error


def retimed(line: bytes, after_us: int) -> bytes:
    """The same line at another time of its recording. Raises DamagedSegment."""
    return f"[{after_us / _US:.6f}".encode() + line[_parts(line).end(1) :]


def printed(line: bytes) -> bytes:
    """The bytes that a printed line holds. Raises DamagedSegment."""
    return segment.printed_bytes(segment.read_line(line)[2])


def _parts(line: bytes) -> re.Match[bytes]:
    if not (matched := _LINE.match(line)):
        raise segment.DamagedSegment("a line is not [time, code, text]")
    return matched
