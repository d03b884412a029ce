"""What must not be kept of what a VM prints: patterns, found whatever pieces the bytes come in.

A pattern finds what it would find in the whole stream: stretch after stretch, from the left, the longest. A byte that
may still turn out to belong to one is held back; after HELD_SECONDS it is shown, and kept masked, for who knows what
follows. A stretch that goes on beyond LONGEST, or one whose search takes too long, is masked to the end of its line.
So nothing that a pattern finds is ever kept, and now and then something that it does not find is masked.

The `regex` library does what `re` cannot: it tells the beginning of a match, finds the longest, and gives up in time.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

import regex

LONGEST = 4096
"""Bytes of a stretch, and of what is held back."""
HELD_SECONDS = 0.25
PATTERN_CHARACTERS = 256
SEARCH_SECONDS = 0.05
"""What the search of one piece may take; it takes microseconds."""
_PIECE = 4096
_BEFORE = 256
"""Bytes kept before what is searched, for a pattern that looks back."""
_DIGEST_BYTES = 16
UNSURE = -1
"""In place of a pattern's number: masked because it could not be told in time."""

_STRANGE = regex.compile(
    r"""(?x) (?<!\\)(?:\\\\)*+ (?:
        \( \? (?! : | [ims]++[:)] | <= | <! )   # looks ahead, names, recurses, turns round, depends
      | \( \*                                   # backtracking verbs
      | \\ [AZzGKL]                             # the ends of a text that has none
      | \{ (?: \d+ \s* < | [\d+\s]* [eids] \s* [<},+:] )  # fits what is only like it
    )"""
)


class BadPattern(ValueError):
    """A pattern that is not taken; the text says why."""


def check_pattern(text: str) -> None:
    """Raises BadPattern."""
    if not text or len(text) > PATTERN_CHARACTERS:
        raise BadPattern(f"it has 1 to {PATTERN_CHARACTERS} characters")
    if not text.isascii() or not text.isprintable():
        raise BadPattern(r"it is matched with bytes: write others than ASCII's printable ones as \xNN")
    if _STRANGE.search(text):
        raise BadPattern("it takes plain groups, (?i), (?m), (?s), (?<=...) and (?<!...), and not the ends of the text")
    try:
        finds_nothing = _Finder(text).whole.search(b"", timeout=SEARCH_SECONDS) is not None
    except regex.error as error:
        raise BadPattern(f"it cannot be read: {error}") from error
    if finds_nothing:
        raise BadPattern("it must not fit the empty text")


@dataclass(frozen=True, slots=True)
class Span:
    """A masked stretch, or a part of one that was cut. `offset` is in the `kept` that it came with."""

    offset: int
    length: int
    pattern: int
    """By its place in the list; UNSURE where it could not be told."""
    digest: str
    """HMAC-SHA256 of the stretch's own bytes, the first 16 bytes as hex: who has the key can try a guess."""


@dataclass(frozen=True, slots=True)
class Masked:
    shown: bytes
    """For the screen: what the VM printed."""
    kept: bytes
    """For the record: as long, with a `*` for each masked byte."""
    spans: tuple[Span, ...] = ()


class _Finder:
    """One pattern: whole stretches that it fits, and the beginnings of such at the end of what is there."""

    __slots__ = ("begun", "searched", "whole")

    def __init__(self, text: str) -> None:
        pattern = b"(?:%b)" % text.encode("ascii")
        self.whole = regex.compile(pattern, regex.MULTILINE | regex.POSIX)
        # It wants one byte more, of a kind that there is not: so it never fits, and may at best begin to.
        self.begun = regex.compile(pattern + rb"[^\x00-\xff]", regex.MULTILINE)
        self.searched = 0
        """Place in the stream from which the next stretch is looked for."""


@dataclass(frozen=True, slots=True, order=True)
class _Stretch:
    """Places in the stream."""

    start: int
    end: int
    pattern: int


class Masker:
    """Of one stream of printed bytes, from the first on. `patterns` are those that check_pattern takes."""

    __slots__ = ("_base", "_finders", "_found", "_given", "_key", "_since", "_text", "_to_line_end")

    def __init__(self, patterns: Sequence[str], key: bytes) -> None:
        self._finders = tuple(_Finder(text) for text in patterns)
        self._key = key
        self._text = b""
        """What is searched, and a little before it."""
        self._base = 0
        """Place of its first byte in the stream."""
        self._given = 0
        """Up to here the stream was given out."""
        self._found: list[_Stretch] = []
        """Stretches of which not every byte was given out."""
        self._since = 0.0
        self._to_line_end = False

    @property
    def due(self) -> float | None:
        """When `flush` is to be called, if nothing is fed before; None while nothing is held back."""
        return self._since + HELD_SECONDS if self._given < self._end else None

    def feed(self, data: bytes, now: float) -> Masked:
        """Takes up what was printed; gives what is settled by it, in order. `now` in seconds."""
        if self._given == self._end:
            self._since = now
        overdue = now >= self._since + HELD_SECONDS
        parts = [self._take(data[at : at + _PIECE]) for at in range(0, len(data), _PIECE)]
        if overdue:
            parts.append(self.flush())
        return _joined(parts)

    def flush(self) -> Masked:
        """Gives all that is held back, masked; what follows may still belong to it."""
        self._found += [_Stretch(self._given, self._end, self._suspect())] if self._given < self._end else []
        return self._give(self._end)

    @property
    def _end(self) -> int:
        return self._base + len(self._text)

    def _take(self, data: bytes) -> Masked:
        start = self._end
        self._text += data
        if self._to_line_end:
            ends = [place for place in (data.find(b"\r"), data.find(b"\n")) if place >= 0]
            self._to_line_end = not ends
            self._found.append(_Stretch(start, start + min(ends, default=len(data)), UNSURE))
        try:
            settled = min(self._search(number) for number in range(len(self._finders)))
        except TimeoutError:
            settled = self._give_up()
        return self._give(max(settled, self._given))

    def _search(self, number: int) -> int:
        """Up to which place it is settled what this pattern finds. Raises TimeoutError."""
        finder, base = self._finders[number], self._base
        begun = -1
        while True:
            at = finder.searched - base
            if begun < at:
                begins = finder.begun.search(self._text, at, partial=True, timeout=SEARCH_SECONDS)
                begun = begins.start() if begins else len(self._text)
            fits = finder.whole.search(self._text, at, timeout=SEARCH_SECONDS)
            if fits is None or fits.start() >= begun:
                break
            self._found.append(_Stretch(base + fits.start(), base + fits.end(), number))
            finder.searched = base + fits.end()
        finder.searched = base + begun
        if len(self._text) - begun < LONGEST:
            return finder.searched
        self._found.append(_Stretch(finder.searched, self._end, number))
        finder.searched, self._to_line_end = self._end, True
        return self._end

    def _give_up(self) -> int:
        self._found.append(_Stretch(self._given, self._end, UNSURE))
        for finder in self._finders:
            finder.searched = self._end
        self._to_line_end = True
        return self._end

    def _suspect(self) -> int:
        """The pattern of which the most is there."""
        return min(range(len(self._finders)), key=lambda number: self._finders[number].searched)

    def _give(self, end: int) -> Masked:
        """What lies between what was given and `end`."""
        start, self._given = self._given, end
        shown = self._text[start - self._base : end - self._base]
        kept, spans = bytearray(shown), []
        for stretch in _apart(self._found, start, end):
            here = slice(stretch.start - start, stretch.end - start)
            kept[here] = b"*" * (stretch.end - stretch.start)
            spans.append(Span(here.start, here.stop - here.start, stretch.pattern, self._digest(shown[here])))
        self._found = [stretch for stretch in self._found if stretch.end > end]
        needed = max(self._base, min([end, *(finder.searched for finder in self._finders)]) - _BEFORE)
        self._text, self._base = self._text[needed - self._base :], needed
        return Masked(shown, bytes(kept), tuple(spans))

    def _digest(self, secret: bytes) -> str:
        return hmac.digest(self._key, secret, hashlib.sha256)[:_DIGEST_BYTES].hex()


def _apart(stretches: Sequence[_Stretch], start: int, end: int) -> list[_Stretch]:
    """Those between `start` and `end`, cut there; what overlaps or touches is one."""
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
    shown, kept = b"".join(part.shown for part in parts), b"".join(part.kept for part in parts)
    return Masked(shown, kept, tuple(spans))


def concealed(patterns: Sequence[str], text: bytes) -> bytes:
    """A text that is there as a whole, with a `*` for each byte that a pattern finds."""
    if not patterns:
        return text
    masker = Masker(patterns, b"")
    # A line's end behind it settles what it may have begun.
    return (masker.feed(text + b"\n", 0).kept + masker.flush().kept)[: len(text)]
