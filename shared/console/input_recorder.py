"""What may be kept of what is typed, where a policy wants more than its count.

A terminal tells nobody whether it echoes; but what is echoed comes back at once, as the very next bytes. So a line is
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
    """A line that somebody typed, as it may be kept; control keys as ^C, an arrow as ^[[A."""

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
    waiting: bytearray = field(default_factory=bytearray)
    """Printable bytes that have not come back."""
    places: deque[int] = field(default_factory=deque)
    """Where in `text` these are."""
    unechoed: bool = False
    ended: bool = False

    def key(self, byte: int, *, printable: bool, echoes: bool) -> None:
        written = bytes([byte]) if printable else b"^%c" % (byte ^ 0x40)
        if printable and echoes and not self.unechoed:
            self.waiting.append(byte)
            self.places.append(len(self.text))
        self.text += written
        self.secret += b"*" if printable and echoes else written

    def echoed(self, kept: bytes) -> None:
        """The first that were waited for came back; `kept` is what the record has of them."""
        del self.waiting[: len(kept)]
        for byte in kept:
            self.text[self.places.popleft()] = byte

    def misses(self) -> None:
        """What is waited for does not come back."""
        self.unechoed = True
        self.waiting.clear()
        self.places.clear()


class InputRecorder:
    """One console's."""

    __slots__ = ("_escaped", "_lines", "typed_as")

    def __init__(self, typed_as: Typing) -> None:
        self.typed_as: Final = typed_as
        self._lines: deque[_InputLine] = deque()
        """Those that are not told yet; the last may still grow."""
        self._escaped = b""
        """What was typed of an escape sequence. A key sends it at once: what is typed later is no part of it."""

    def typed(self, session: str, data: bytes, now: float) -> list[TypedLine]:
        """Call it before the VM can answer."""
        said = [] if not self._lines or self._lines[-1].session == session else self.flush()
        self._escaped = b""
        for byte in data:
            line = self._line(session, now)
            line.since = now
            self._key(line, byte)
            line.ended = byte in _ENDS or len(line.text) >= LINE_BYTES
        return said + self._told()

    def printed(self, data: bytes, kept: bytes) -> list[TypedLine]:
        """`kept` is what the record has of it: as long."""
        at = 0
        while at < len(data) and (line := next((line for line in self._lines if line.waiting), None)):
            same = _common(line.waiting, data[at:])
            line.echoed(kept[at : at + same])
            at += same
            if line.waiting and at < len(data):
                line.misses()
                break
            if line.ended:
                at = len(data) - len(data[at:].lstrip(b"\r\n"))
        return self._told()

    def tick(self, now: float) -> list[TypedLine]:
        """What has waited too long for its echo has none."""
        for line in self._lines:
            if line.waiting and now - line.since >= ECHO_SECONDS:
                line.misses()
        return self._told()

    def flush(self) -> list[TypedLine]:
        """Nothing more comes: what was typed is told as it is."""
        for line in self._lines:
            line.ended = True
            if line.waiting:
                line.misses()
        return self._told()

    def _line(self, session: str, now: float) -> _InputLine:
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

    def _told(self) -> list[TypedLine]:
        said = []
        while self._lines and self._lines[0].ended and not self._lines[0].waiting:
            line = self._lines.popleft()
            if line.unechoed and self.typed_as is Typing.ECHOED:
                continue
            kept = bytes(line.secret if line.unechoed else line.text)
            said.append(TypedLine(line.session, kept.decode("utf-8", "backslashreplace")))
        return said


def _is_whole(escaped: bytes) -> bool:
    """ESC [ parameters and a last byte; ESC O and one byte; ESC and one byte."""
    if escaped[1:2] == b"[":
        return len(escaped) > 2 and 0x40 <= escaped[-1] <= 0x7E  # noqa: PLR2004 - ECMA-48's final bytes
    return len(escaped) > (2 if escaped[1:2] == b"O" else 1)


def _common(one: bytes | bytearray, other: bytes) -> int:
    """Length of the longest common beginning."""
    most = min(len(one), len(other))
    return next((at for at in range(most) if one[at] != other[at]), most)
