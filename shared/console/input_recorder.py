"""Records typed input, where a policy wants more than its count.

Nothing tells whether a terminal echoes; but what is echoed comes back at once, as the very next bytes. So a line is
kept in words only if every printable byte of it came back just so; and of each, what is kept of its echo. A password
does not come back, nor does what is typed into a full-screen program or while the VM prints something else: such a
line is kept as asterisks, or not at all.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from shared.access.policy import Typing

ECHO_SECONDS = 1.0
"""An echo that takes longer is none."""
LINE_BYTES = 1024
"""A longer line is kept in parts."""
_ENDS = frozenset(b"\r\n\x03")
"""Enter, and Ctrl-C."""
_ESCAPE, _DELETE, _SPACE = 0x1B, 0x7F, 0x20


@dataclass(frozen=True, slots=True)
class TypedLine:
    """A line that somebody typed, as it may be recorded; control keys as ^C, an arrow as ^[[A."""

    session: str
    text: str


@dataclass(slots=True)
class _InputLine:
    session: str
    since: float
    """When its newest byte was typed; seconds."""
    text: bytearray = field(default_factory=bytearray)
    """With control keys written out."""
    secret: bytearray = field(default_factory=bytearray)
    """The same with an asterisk for each printable byte."""
    awaited: bytearray = field(default_factory=bytearray)
    """Printable bytes that have not come back."""
    positions: deque[int] = field(default_factory=deque)
    """Their positions in `text`."""
    unechoed: bool = False
    ended: bool = False

    def key(self, byte: int, *, printable: bool, echoes: bool) -> None:
        written = bytes([byte]) if printable else b"^%c" % (byte ^ 0x40)
        if printable and echoes and not self.unechoed:
            self.awaited.append(byte)
            self.positions.append(len(self.text))
        self.text += written
        self.secret += b"*" if printable and echoes else written

    def echoed(self, recordable: bytes) -> None:
        """Takes the echo of the first awaited bytes. `recordable` holds the same bytes, with secrets masked."""
        del self.awaited[: len(recordable)]
        for byte in recordable:
            self.text[self.positions.popleft()] = byte

    def mark_unechoed(self) -> None:
        """Notes that the awaited bytes do not come back."""
        self.unechoed = True
        self.awaited.clear()
        self.positions.clear()


class InputRecorder:
    """Follows the typed lines of one console."""

    __slots__ = ("_escaped", "_lines", "typed_as")

    def __init__(self, typed_as: Typing) -> None:
        self.typed_as: Final = typed_as
        self._lines: deque[_InputLine] = deque()
        """The lines that are not reported yet. The last may still grow."""
        self._escaped = b""
        """What was typed of an escape sequence. A key sends it at once: what is typed later is no part of it."""

    def typed(self, session: str, data: bytes, now: float) -> list[TypedLine]:
        """Takes typed bytes and returns finished lines. Call it before the VM can answer. `now` is in seconds."""
        lines = [] if not self._lines or self._lines[-1].session == session else self.flush()
        self._escaped = b""
        for byte in data:
            line = self._current_line(session, now)
            line.since = now
            self._key(line, byte)
            line.ended = byte in _ENDS or len(line.text) >= LINE_BYTES
        return lines + self._take_finished()

    def printed(self, data: bytes, recordable: bytes) -> list[TypedLine]:
        """Takes output and returns finished lines. `recordable` is as long as `data`, with secrets masked."""
        at = 0
        while at < len(data) and (line := next((line for line in self._lines if line.awaited), None)):
            same = _common(line.awaited, data[at:])
            line.echoed(recordable[at : at + same])
            at += same
            if line.awaited and at < len(data):
                line.mark_unechoed()
                break
            if line.ended:
                at = len(data) - len(data[at:].lstrip(b"\r\n"))
        return self._take_finished()

    def tick(self, now: float) -> list[TypedLine]:
        """Gives up on echoes that are late, and returns finished lines."""
        for line in self._lines:
            if line.awaited and now - line.since >= ECHO_SECONDS:
                line.mark_unechoed()
        return self._take_finished()

    def flush(self) -> list[TypedLine]:
        """Ends all lines as they are, and returns them."""
        for line in self._lines:
            line.ended = True
            if line.awaited:
                line.mark_unechoed()
        return self._take_finished()

    def _current_line(self, session: str, now: float) -> _InputLine:
        if not self._lines or self._lines[-1].ended:
            self._lines.append(_InputLine(session, now))
        return self._lines[-1]

    def _key(self, line: _InputLine, byte: int) -> None:
        """The bytes of an escape sequence (an arrow, a function key) are printable, and no echo is awaited of them."""
        within = bool(self._escaped)
        printable = byte >= _SPACE and byte != _DELETE
        line.key(byte, printable=printable, echoes=not within)
        if byte == _ESCAPE:
            self._escaped = b"\x1b"
        elif within:
            self._escaped += bytes([byte])
            if not printable or _is_whole(self._escaped):
                self._escaped = b""

    def _take_finished(self) -> list[TypedLine]:
        lines = []
        while self._lines and self._lines[0].ended and not self._lines[0].awaited:
            line = self._lines.popleft()
            if line.unechoed and self.typed_as is Typing.ECHOED:
                continue
            recordable = bytes(line.secret if line.unechoed else line.text)
            lines.append(TypedLine(line.session, recordable.decode("utf-8", "backslashreplace")))
        return lines


def _is_whole(escaped: bytes) -> bool:
    """ESC [ parameters and a last byte; ESC O and one byte; ESC and one byte."""
    if escaped[1:2] == b"[":
        return len(escaped) > 2 and 0x40 <= escaped[-1] <= 0x7E  # noqa: PLR2004 - ECMA-48's final bytes
    return len(escaped) > (2 if escaped[1:2] == b"O" else 1)


def _common(one: bytes | bytearray, other: bytes) -> int:
    """Returns the length of the longest common prefix."""
    most = min(len(one), len(other))
    return next((at for at in range(most) if one[at] != other[at]), most)
