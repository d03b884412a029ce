"""Masks secrets in a VM's output: finds patterns whatever pieces the bytes come in.

A pattern finds what it would find in the whole stream: stretch after stretch, from the left, the longest. A byte that
may still turn out to belong to one is held back; after HELD_SECONDS it is shown, and kept masked, for who knows what
follows. A stretch that goes on beyond LONGEST, or one whose search takes too long, is masked to the end of its line.
So nothing that a pattern finds is ever kept, and now and then something that it does not find is masked.

Each pattern has a place up to which the stream is searched (`_Searched`): all that it finds before is known, and what
it may yet find begins there or later. What was given out ends at or behind the first of these places, unless it was
flushed. `_text` begins LOOKS_BEHIND bytes before whichever is first, so that a look-behind sees what it would see.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from shared.access.mask_pattern import LOOKS_BEHIND, Finder

LONGEST = 4096
"""Bytes of a stretch, and of what is held back."""
HELD_SECONDS = 0.25
SEARCH_SECONDS = 0.05
"""The longest time for one search. Usually it takes microseconds."""
_PIECE = 4096
_DIGEST_BYTES = 16
UNSURE = -1
"""In place of a pattern's number: masked because it could not be told in time."""


@dataclass(frozen=True, slots=True)
class Span:
    """A masked stretch, or a part of one that was cut. `offset` counts in the `recordable` that it came with."""

    offset: int
    length: int
    pattern: int
    """By its place in the list; UNSURE where it could not be told."""
    digest: str
    """HMAC-SHA256 of the stretch's own bytes, the first 16 bytes as hex: who has the key can try a guess."""


@dataclass(frozen=True, slots=True)
class Masked:
    shown: bytes
    """The printed bytes, for viewers."""
    recordable: bytes
    """The same length, for the record, with a `*` for each masked byte."""
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class _Stretch:
    """A stretch of the stream that a pattern found."""

    start: int
    end: int
    pattern: int


class _Searched:
    """How far one pattern has searched the stream."""

    __slots__ = ("finder", "to")

    def __init__(self, pattern: str, start: int) -> None:
        self.finder = Finder(pattern)
        self.to = start


@dataclass(frozen=True, slots=True)
class UnmaskedTail:
    """The end of the stream before a Masker begins: a secret may have begun there."""

    text: bytes = b""
    base: int = 0
    """Place of its first byte in the stream."""
    to_line_end: bool = False


_BEGINNING = UnmaskedTail()


class Masker:
    """Of one stream of printed bytes. `patterns` are those that check_pattern takes; `tail` is what was given out."""

    __slots__ = ("_base", "_key", "_released", "_searched", "_since", "_stretches", "_text", "_to_line_end")

    def __init__(self, patterns: Sequence[str], key: bytes, tail: UnmaskedTail = _BEGINNING) -> None:
        self._key = key
        self._text = tail.text
        """The bytes that are searched, and LOOKS_BEHIND bytes before them."""
        self._base = tail.base
        """Place of its first byte in the stream."""
        self._released = self._end
        """The stream was given out up to this position."""
        self._stretches: list[_Stretch] = []
        """Stretches of which not every byte was given out."""
        self._since = 0.0
        self._to_line_end = tail.to_line_end
        self._searched = tuple(_Searched(text, self._base) for text in patterns)
        self._take(b"")

    @property
    def due(self) -> float | None:
        """The time at which to call `flush` if nothing is fed before; None while nothing is held back."""
        return self._since + HELD_SECONDS if self._released < self._end else None

    @property
    def tail(self) -> UnmaskedTail:
        """The end of the stream, for the next Masker. Read it after `flush`."""
        return UnmaskedTail(self._text, self._base, self._to_line_end)

    def feed(self, data: bytes, now: float) -> Masked:
        """Takes printed bytes and returns those that are settled, in order. `now` is in seconds."""
        if self._released == self._end:
            self._since = now
        overdue = now >= self._since + HELD_SECONDS
        parts = [self._take(data[at : at + _PIECE]) for at in range(0, len(data), _PIECE)]
        if overdue:
            parts.append(self.flush())
        return _joined(parts)

    def flush(self) -> Masked:
        """Returns all that is held back, masked. Bytes that follow may still belong to it."""
        self._stretches += [_Stretch(self._released, self._end, self._suspect())] if self._released < self._end else []
        return self._release(self._end)

    @property
    def _end(self) -> int:
        return self._base + len(self._text)

    def _take(self, data: bytes) -> Masked:
        start = self._end
        self._text += data
        if self._to_line_end:
            ends = [position for position in (data.find(b"\r"), data.find(b"\n")) if position >= 0]
            self._to_line_end = not ends
            self._stretches.append(_Stretch(start, start + min(ends, default=len(data)), UNSURE))
        try:
            settled = min(self._search(number) for number in range(len(self._searched)))
        except TimeoutError:
            settled = self._give_up()
        return self._release(max(settled, self._released))

    def _search(self, number: int) -> int:
        """Returns the position up to which this pattern's finds are settled. Raises TimeoutError."""
        searched, base = self._searched[number], self._base
        begun = -1
        while True:
            at = searched.to - base
            if begun < at:
                begun = searched.finder.begun(self._text, at, SEARCH_SECONDS)
            fits = searched.finder.fits(self._text, at, SEARCH_SECONDS)
            if fits is None or fits[0] >= begun:
                break
            self._stretches.append(_Stretch(base + fits[0], base + fits[1], number))
            searched.to = base + fits[1]
        searched.to = base + begun
        if len(self._text) - begun < LONGEST:
            return searched.to
        self._stretches.append(_Stretch(searched.to, self._end, number))
        searched.to, self._to_line_end = self._end, True
        return self._end

    def _give_up(self) -> int:
        self._stretches.append(_Stretch(self._released, self._end, UNSURE))
        for searched in self._searched:
            searched.to = self._end
        self._to_line_end = True
        return self._end

    def _suspect(self) -> int:
        """Returns the number of the pattern of which the most is there."""
        return min(range(len(self._searched)), key=lambda number: self._searched[number].to)

    def _release(self, end: int) -> Masked:
        """Returns the stream between the released part and `end`."""
        start, self._released = self._released, end
        shown = self._text[start - self._base : end - self._base]
        recordable, spans = bytearray(shown), []
        for stretch in _apart(self._stretches, start, end):
            here = slice(stretch.start - start, stretch.end - start)
            recordable[here] = b"*" * (stretch.end - stretch.start)
            spans.append(Span(here.start, here.stop - here.start, stretch.pattern, self._digest(shown[here])))
        self._stretches = [stretch for stretch in self._stretches if stretch.end > end]
        needed = max(self._base, min([end, *(searched.to for searched in self._searched)]) - LOOKS_BEHIND)
        self._text, self._base = self._text[needed - self._base :], needed
        return Masked(shown, bytes(recordable), tuple(spans))

    def _digest(self, secret: bytes) -> str:
        return hmac.digest(self._key, secret, hashlib.sha256)[:_DIGEST_BYTES].hex()


def _apart(stretches: Sequence[_Stretch], start: int, end: int) -> list[_Stretch]:
    """Returns the stretches between `start` and `end`, cut there. Those that overlap or touch become one."""
    apart: list[_Stretch] = []
    for stretch in sorted(stretches):
        begins, ends = max(stretch.start, start), min(stretch.end, end)
        if begins >= ends:
            continue
        if apart and begins <= apart[-1].end:
            last = apart.pop()
            apart.append(_Stretch(last.start, max(last.end, ends), last.pattern))
        else:
            apart.append(_Stretch(begins, ends, stretch.pattern))
    return apart


def _joined(parts: Sequence[Masked]) -> Masked:
    spans, at = [], 0
    for part in parts:
        spans += [Span(span.offset + at, span.length, span.pattern, span.digest) for span in part.spans]
        at += len(part.shown)
    shown, recordable = b"".join(part.shown for part in parts), b"".join(part.recordable for part in parts)
    return Masked(shown, recordable, tuple(spans))
