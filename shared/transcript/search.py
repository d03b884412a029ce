"""Search in what was printed, line by line, as it can be read: case and escape sequences do not matter."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from shared.transcript.plain_text import plain

LINE_BYTES = 8192
"""A line that is longer is searched in pieces of this size."""
SHOWN = 400
"""Characters of a line that are shown."""


@dataclass(frozen=True, slots=True)
class Hit:
    offset: int
    """Printed bytes before the line."""
    time_us: int
    line: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(slots=True)
class Search:
    """Fed with printed bytes in order; `hits` are those whose lines of context are there, or never will be."""

    query: str
    context: int
    offset: int
    """Printed bytes before what is fed next."""
    hits: list[Hit] = field(default_factory=list)
    _rest: bytes = b""
    _began_us: int = 0
    _before: deque[str] = field(default_factory=deque)
    _open: list[Hit] = field(default_factory=list)

    @property
    def line_offset(self) -> int:
        """Where the line begins that is not whole yet."""
        return self.offset - len(self._rest)

    def feed(self, body: bytes, time_us: int) -> None:
        data, at = self._rest + body, 0
        line_offset = self.line_offset
        if not self._rest:
            self._began_us = time_us
        while (end := _line_end(data, at)) is not None:
            self._line(line_offset + at, data[at:end])
            at, self._began_us = end, time_us
        self._rest = data[at:]
        self.offset += len(body)

    def finish(self) -> Sequence[Hit]:
        """With the last line, even if it is not whole."""
        if self._rest:
            self._line(self.line_offset, self._rest)
            self._rest = b""
        self.hits += self._open
        self._open = []
        return self.hits

    def stop(self, limit: int) -> tuple[Sequence[Hit], int]:
        """At most so many hits, and the offset with which another search goes on: a hit that still lacks some lines of
        its context is left to that one.
        """
        left = [*self.hits[limit:], *self._open]
        return self.hits[:limit], left[0].offset if left else self.line_offset

    def _line(self, offset: int, line: bytes) -> None:
        text = plain(line).removesuffix("\n")
        self._open = [replace(hit, after=(*hit.after, _shown(text, 0))) for hit in self._open]
        while self._open and len(self._open[0].after) >= self.context:
            self.hits.append(self._open.pop(0))
        at = text.casefold().find(self.query.casefold())
        if at >= 0:
            hit = Hit(offset, self._began_us, _shown(text, at), tuple(self._before))
            (self._open if self.context else self.hits).append(hit)
        self._before.append(_shown(text, 0))
        while len(self._before) > self.context:
            self._before.popleft()


def _line_end(data: bytes, at: int) -> int | None:
    """Behind the line that begins at `at`; None while it is not whole."""
    end = data.find(b"\n", at, at + LINE_BYTES) + 1
    return end or (at + LINE_BYTES if len(data) - at >= LINE_BYTES else None)


def _shown(text: str, at: int) -> str:
    """Of a long line the part around what was found."""
    start = max(0, min(at - SHOWN // 4, len(text) - SHOWN))
    return text[start : start + SHOWN]
