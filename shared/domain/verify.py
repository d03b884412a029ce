"""Whether a transcript is complete, or what is wrong with it and where: for auditors, from the segments alone.

Each append is held to the running hash, to the count of printed bytes and to the segment before it. After a fault
the next checkpoint is believed again, so that every damage is named once. What was cut off at the very end leaves
no trace in what is left: a hash that was noted earlier (`anchors`) proves that the transcript still reaches there.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any

from shared.domain import segment
from shared.domain.segment import CHECKPOINT, EVENT, PRINTED, DamagedSegment, Header


class Fault(StrEnum):
    """What a finding is, and so who could explain it."""

    ALTERED = "altered"
    """Lines are not those that were written: storage, or whoever may write there."""
    MISSING = "missing"
    """Bytes or whole segments that were written are not there: storage, or whoever may delete there."""
    REPEATED = "repeated"
    """An append is there twice."""
    UNREADABLE = "unreadable"
    UNFINISHED = "unfinished"
    """Lines without the checkpoint that ends every append: the end was cut, or somebody wrote there."""
    HOLE = "hole"
    """Records that never reached the archive, as the archive itself wrote down: the relay or the event hub."""
    DROPPED = "dropped"
    """The oldest segments are not there, as the ring leaves it: its limits explain it. Not a fault by itself."""


@dataclass(frozen=True, slots=True)
class Finding:
    fault: Fault
    segment: int
    """The segment's number."""
    line: int
    """Counted from 1 in that segment; 0: the segment as a whole."""
    offset: int
    """Printed bytes before that place."""
    words: str


@dataclass(frozen=True, slots=True)
class Report:
    console: str
    """The console's key, as the first readable header says it; empty if none does."""
    segments: int
    first: int
    """Printed bytes before the first segment that is there."""
    end: int
    """Printed bytes up to the last checkpoint."""
    hash: bytes
    """The running hash there: noted today, it is an anchor tomorrow."""
    findings: tuple[Finding, ...]

    @property
    def complete(self) -> bool:
        return all(finding.fault is Fault.DROPPED for finding in self.findings)


def verify(segments: Iterable[tuple[int, Iterable[bytes]]], anchors: Sequence[bytes] = ()) -> Report:
    """Of one console: segments by their numbers, rising, each as its lines with their line ends."""
    walk = _Walk(anchors)
    for ordinal, lines in segments:
        walk.segment(ordinal, lines)
    return walk.report()


class _Walk:
    """Where the walk stands: what was found, and what the last checkpoint said."""

    def __init__(self, anchors: Sequence[bytes]) -> None:
        self._findings: list[Finding] = []
        self._unmet = list(anchors)
        self._seen: set[bytes] = set()
        self._console = ""
        self._count = 0
        self._first = 0
        self._offset = 0
        self._hash = segment.FIRST.hash
        self._due = 0
        self._ordinal = 0
        self._number = 0

    def segment(self, ordinal: int, lines: Iterable[bytes]) -> None:
        self._ordinal, self._number = ordinal, 0
        numbered = self._numbered(lines)
        if not (head := next(numbered, b"")):
            return  # made, and not yet written to: the next segment says whether there was more
        self._begin(head)
        self._count += 1
        self._due = ordinal + 1
        append = _Append(self._hash, head)
        for raw in numbered:
            try:
                self._line(append, raw)
            except DamagedSegment as error:
                self._find(Fault.UNREADABLE, str(error))
                append.add(raw)
            except RecursionError:
                self._find(Fault.UNREADABLE, "a line is nested too deep")
                append.add(raw)
            else:
                append = append if append.lines else _Append(self._hash)
        if append.lines:
            self._find(Fault.UNFINISHED, f"the last {append.lines} lines end with no checkpoint")

    def report(self) -> Report:
        for anchor in self._unmet:
            self._find(Fault.MISSING, f"the transcript does not reach the hash {anchor.hex()}")
        return Report(self._console, self._count, self._first, self._offset, self._hash, tuple(self._findings))

    def _numbered(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        for number, line in enumerate(lines, 1):
            self._number = number
            yield line

    def _find(self, fault: Fault, words: str) -> None:
        self._findings.append(Finding(fault, self._ordinal, self._number, self._offset, words))

    def _begin(self, head: bytes) -> None:
        """Holds a segment's header to the segment before it."""
        try:
            header = _header(head)
        except DamagedSegment as error:
            self._find(Fault.UNREADABLE, str(error))
            return
        if header.ordinal != self._ordinal:
            self._find(Fault.ALTERED, f"the header is that of segment {header.ordinal}")
        if self._console and header.console != self._console:
            self._find(Fault.ALTERED, f"the header is that of another console, {header.console!a}")
        self._console = self._console or header.console
        if self._ordinal > self._due:
            self._skip(header)
        elif header.previous != self._hash or header.offset != self._offset:
            self._find(Fault.ALTERED, "the header does not go on where the segment before it ends")
        self._hash, self._offset = header.previous, header.offset

    def _skip(self, header: Header) -> None:
        if self._count:
            words = f"segments {self._due} to {self._ordinal - 1} with {header.offset - self._offset} printed bytes"
            self._find(Fault.MISSING, words)
        else:
            self._first = header.offset
            words = f"segments before {self._ordinal} with the first {header.offset} printed bytes"
            self._find(Fault.DROPPED, words)

    def _line(self, append: "_Append", raw: bytes) -> None:
        if not raw.endswith(b"\n"):
            raise DamagedSegment("a line is cut short")
        _, code, text = segment.read_line(raw)
        if code == CHECKPOINT:
            self._checkpoint(append, segment.read_checkpoint(text))
            return
        append.add(raw)
        if code == PRINTED:
            append.printed += _length(text)
        elif code == EVENT and (hole := _hole(text)):
            self._find(Fault.HOLE, hole)

    def _checkpoint(self, append: "_Append", said: dict[str, Any]) -> None:
        written, more = said["hash"], said["offset"] - self._offset - append.printed
        if written in self._seen:
            self._find(Fault.REPEATED, "an append that is there already")
        elif more > 0:
            self._find(Fault.MISSING, f"{more} printed bytes before this line")
        elif append.hash.digest() != written or more:
            self._find(Fault.ALTERED, f"the {append.lines} lines of this append are not those that were hashed")
        self._seen.add(written)
        self._unmet = [anchor for anchor in self._unmet if anchor != written]
        self._hash, self._offset = written, said["offset"]
        append.lines = 0


class _Append:
    """The lines since the last checkpoint."""

    def __init__(self, previous: bytes, head: bytes = b"") -> None:
        self.hash = sha256(previous + head)
        self.lines = 1 if head else 0
        self.printed = 0

    def add(self, raw: bytes) -> None:
        self.hash.update(raw)
        self.lines += 1


def _header(head: bytes) -> Header:
    """Whoever altered it may have put anything there."""
    header = segment.read_header(head)
    if not (type(header.ordinal) is type(header.offset) is int and isinstance(header.console, str)):
        raise DamagedSegment("the first line is not a segment's header")
    return header


def _length(text: str) -> int:
    try:
        return len(segment.printed_bytes(text))
    except UnicodeEncodeError as error:
        raise DamagedSegment("a printed line holds what no byte stands for") from error


def _hole(text: str) -> str | None:
    """A hole in words, if the event is one."""
    try:
        said = json.loads(text)
    except ValueError as error:
        raise DamagedSegment("an event cannot be read") from error
    if not isinstance(said, dict) or said.get("event") != "hole":
        return None
    return f"records {said.get('from')!a} to {said.get('to')!a} of epoch {said.get('epoch')!a} never arrived"
