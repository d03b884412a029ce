"""Whether a transcript is complete, or what is wrong with it and where: for auditors, from the segments alone.

Each append is held to the running hash, to the count of printed bytes and to the segment before it. After a fault
the next checkpoint is believed again, so that every damage is named once. What was cut off at the very end leaves
no trace in what is left, and who may write may compute a whole chain anew: against both stand hashes that were noted
elsewhere, by somebody (`anchors`) or by the service under its signature (`statements`).
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256

from shared.transcript import segment
from shared.transcript.segment import (
    CHECKPOINT,
    EVENT,
    FIRST,
    LONGEST_APPEND,
    PRINTED,
    DamagedSegment,
    Header,
    TranscriptEnd,
)
from shared.transcript.signed_statements import Checkpoint, Dropped, Statement
from shared.transcript.verdict import Fault, Finding, Report

__all__ = ["Fault", "Finding", "Report", "Verification", "signed_when", "verify"]


def verify(
    segments: Iterable[tuple[int, Iterable[bytes]]],
    anchors: Sequence[bytes] = (),
    statements: Sequence[Statement] | None = None,
) -> Report:
    """Of one console: segments by their numbers, rising, each as its lines with their line ends."""
    walk = Verification(anchors, statements)
    for ordinal, lines in segments:
        walk.segment(ordinal)
        walk.feed(lines)
    return walk.report()


class Verification:
    """A walk over the segments of one console, fed as they come: `segment`, its lines, the next, `report`."""

    def __init__(
        self,
        anchors: Sequence[bytes] = (),
        statements: Sequence[Statement] | None = None,
        *,
        after: TranscriptEnd | None = None,
        to_the_end: bool = True,
        console: str = "",
    ) -> None:
        """`statements`: None, where nothing is signed or others hold it to that, or all that is. `after`: the walk
        begins behind this place; None: at the first there is. `to_the_end`: what was signed must be reached.
        `console`: whose transcript it is; empty: whose the first header says.
        """
        self._findings: list[Finding] = []
        self._anchors = list(anchors)
        self._statements = statements
        self._starts_at_first, self.to_the_end = after is None, to_the_end
        self._hashes: set[bytes] = set()
        self._console = console
        self._count = 0
        start = after or FIRST
        self._first = self._offset = start.offset
        self._hash = self._before = start.hash
        self._expected_ordinal = self._ordinal = start.ordinal
        self._number = 0
        self._append = _Append(self._hash)
        self.given_up = False
        """The rest of this segment is not read: it goes on too long without a checkpoint."""

    def segment(self, ordinal: int) -> None:
        """The lines that follow are this segment's."""
        self._finish()
        self._ordinal, self._number, self.given_up = ordinal, 0, False

    def resume(self, ordinal: int, line: int) -> None:
        """The lines that follow are what is left of this segment behind a checkpoint, which was its line `line`."""
        self._ordinal, self._number, self._expected_ordinal = ordinal, line, ordinal + 1

    @property
    def at_checkpoint(self) -> bool:
        """Whether a walk may stop here, and another go on (`resume`)."""
        return not (self._append.lines or self.given_up)

    @property
    def line(self) -> int:
        """Of the segment, counted from 1."""
        return self._number

    @property
    def offset(self) -> int:
        """Printed bytes up to here."""
        return self._offset

    def has(self, digest: bytes) -> bool:
        """Whether the transcript had this running hash since the walk began."""
        return digest in self._hashes or digest == self._before

    def finding(self, fault: Fault, words: str) -> Finding:
        """As of this place."""
        return Finding(fault, self._ordinal, self._number, self._offset, words)

    def feed(self, lines: Iterable[bytes]) -> None:
        for raw in lines:
            if self.given_up:
                return
            self._number += 1
            if self._number == 1:
                self._begin(raw)
                self._count += 1
                self._expected_ordinal = self._ordinal + 1
                self._append = _Append(self._hash, raw)
                continue
            try:
                self._line(raw)
            except (DamagedSegment, RecursionError) as error:
                deep = isinstance(error, RecursionError)
                self._find(Fault.UNREADABLE, "a line is nested too deep" if deep else str(error))
                self._append.add(raw)
            if self._append.size > LONGEST_APPEND:
                self._give_up()

    def _give_up(self) -> None:
        """A reader that looked for the next checkpoint might never end."""
        self._find(
            Fault.UNREADABLE, f"{self._append.lines} lines with no checkpoint, longer than any append: not read on"
        )
        self._append, self.given_up = _Append(self._hash), True

    def report(self, *, to_the_end: bool = True) -> Report:
        """`to_the_end`: False, where segments follow that were not fed."""
        self.to_the_end = self.to_the_end and to_the_end
        self._finish()
        for anchor in self._anchors:
            if anchor not in self._hashes:
                self._find(Fault.MISSING, f"the transcript does not reach the hash {anchor.hex()}")
        signed = self._hold_to_signatures()
        findings = tuple(self._findings)
        return Report(self._console, self._count, self._first, self._offset, self._hash, findings, signed)

    def _finish(self) -> None:
        if self._append.lines:
            self._find(Fault.UNFINISHED, f"the last {self._append.lines} lines end with no checkpoint")
            self._append = _Append(self._hash)

    def _find(self, fault: Fault, words: str) -> None:
        self._findings.append(self.finding(fault, words))

    def _begin(self, head: bytes) -> None:
        """Holds a segment's header to the segment before it."""
        try:
            header = segment.read_header(head)
        except DamagedSegment as error:
            self._find(Fault.UNREADABLE, str(error))
            return
        if header.ordinal != self._ordinal:
            self._find(Fault.ALTERED, f"the header is that of segment {header.ordinal}")
        if self._console and header.console != self._console:
            self._find(Fault.ALTERED, f"the header is that of another console, {header.console!a}")
        self._console = self._console or header.console
        if self._ordinal > self._expected_ordinal:
            self._skip(header)
        elif header.previous != self._hash or header.offset != self._offset:
            self._find(Fault.ALTERED, "the header does not go on where the segment before it ends")
        self._hash, self._offset = header.previous, header.offset

    def _skip(self, header: Header) -> None:
        if self._count or not self._starts_at_first:
            missing_bytes = header.offset - self._offset
            words = f"segments {self._expected_ordinal} to {self._ordinal - 1} with {missing_bytes} printed bytes"
            self._find(Fault.MISSING, words)
        else:
            self._first, self._before = header.offset, header.previous
            self._find(*self._dropped(header))

    def _dropped(self, header: Header) -> tuple[Fault, str]:
        """What to think of a transcript whose first segments are not there."""
        words = f"segments before {self._ordinal} with the first {header.offset} printed bytes"
        if self._statements is None:
            return Fault.DROPPED, words
        dropped = [
            each for each in self._own_statements() if isinstance(each, Dropped) and each.segment >= self._ordinal
        ]
        if not dropped:
            return Fault.MISSING, f"{words}: no signed statement says that retention dropped them"
        here = next((each for each in dropped if each.segment == self._ordinal), None)
        if here and (here.offset, here.hash) != (header.offset, header.previous):
            return Fault.ALTERED, f"{words}: the statement that they were dropped tells of another transcript"
        return Fault.DROPPED, f"{words}, as was signed (limit: {dropped[0].why})"

    def _own_statements(self) -> Iterator[Statement]:
        return (each for each in self._statements or () if each.console == self._console)

    def _hold_to_signatures(self) -> Checkpoint | None:
        newest = None
        for each in self._own_statements():
            if not isinstance(each, Checkpoint):
                continue
            if each.hash in self._hashes or each.hash == self._before:
                newest = each if newest is None or each.at > newest.at else newest
            elif each.offset > self._offset:
                if self.to_the_end:
                    self._find(
                        Fault.MISSING, f"bytes up to {each.offset}, which were there when signed: {signed_when(each)}"
                    )
            elif each.offset > self._first:
                self._find(Fault.ALTERED, f"what was there when signed, up to byte {each.offset}: {signed_when(each)}")
        return newest

    def _line(self, raw: bytes) -> None:
        if not raw.endswith(b"\n"):
            raise DamagedSegment("a line is cut short")
        _, code, text = segment.read_line(raw)
        if code == CHECKPOINT:
            self._checkpoint(raw, text)
            return
        if code == PRINTED:
            self._append.printed += _length(text)
        elif code == EVENT and (hole := _hole(text)):
            self._find(Fault.HOLE, hole)
        self._append.add(raw)

    def _checkpoint(self, raw: bytes, text: str) -> None:
        checkpoint, append = segment.read_checkpoint(text), self._append
        written, more = checkpoint["hash"], checkpoint["offset"] - self._offset - append.printed
        append.hash.update(segment.covered(raw, written))
        if written in self._hashes:
            self._find(Fault.REPEATED, "an append that is there already")
        elif more > 0:
            self._find(Fault.MISSING, f"{more} printed bytes before this line")
        elif append.hash.digest() != written or more:
            self._find(Fault.ALTERED, f"the {append.lines} lines of this append are not those that were hashed")
        self._hashes.add(written)
        self._hash, self._offset = written, checkpoint["offset"]
        self._append = _Append(written)


class _Append:
    """The lines since the last checkpoint."""

    def __init__(self, previous: bytes, head: bytes = b"") -> None:
        self.hash = sha256(previous + head)
        self.lines = 1 if head else 0
        self.size = len(head)
        self.printed = 0

    def add(self, raw: bytes) -> None:
        self.hash.update(raw)
        self.lines += 1
        self.size += len(raw)


def signed_when(statement: Checkpoint) -> str:
    return f"at {statement.at} s since 1970"


def _length(text: str) -> int:
    try:
        return len(segment.printed_bytes(text))
    except UnicodeEncodeError as error:
        raise DamagedSegment("a printed line holds what no byte stands for") from error


def _hole(text: str) -> str | None:
    """A hole in words, if the event is one."""
    try:
        event = json.loads(text)
    except ValueError as error:
        raise DamagedSegment("an event cannot be read") from error
    if not isinstance(event, dict) or event.get("event") != "hole":
        return None
    return f"records {event.get('from')!a} to {event.get('to')!a} of epoch {event.get('epoch')!a} never arrived"
