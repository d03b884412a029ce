"""A transcript that is verified in parts, held to what was signed about it: the statements come in the order in which
they were signed, a bounded number with each part, while the walk over the segments goes on beside them.

Together the parts find what `verify.Verification` finds with all segments and all statements at once. What one part
must know of those before it is a `PartCursor`: whoever reads the parts carries it.
"""

import re
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Self

from shared.transcript.segment import FIRST, TranscriptEnd
from shared.transcript.signed_statements import Checkpoint, Dropped, Statement
from shared.transcript.verification import Fault, Finding, Verification, signed_when


class InvalidPartCursor(ValueError):
    """The text is not a cursor."""


@dataclass(frozen=True, slots=True)
class Begun:
    """Where a verification in parts began."""

    offset: int = 0
    """Printed bytes before it."""
    segment: int = 0
    """The first segment that is there, where those before it are not; else 0."""
    limit: str = ""
    """By which limit retention dropped them, as far as that was signed."""
    proof: str = ""
    """`fits` or `other`: whether the statement that they were dropped tells of this transcript; empty: not read yet."""


@dataclass(frozen=True, slots=True)
class PartCursor:
    """Where the next part goes on: in a segment, behind a checkpoint, and among the statements."""

    segment: int
    position: int = 0
    """Bytes of the segment that were walked."""
    line: int = 0
    """Lines of it."""
    offset: int = 0
    hash: bytes = FIRST.hash
    month: str = ""
    start: int = 0
    """Of the statements: a month and a byte, as in ports.StatementPlace."""
    begun: Begun | None = None
    """None: the verification begins here, with this segment."""

    @property
    def after(self) -> TranscriptEnd:
        return TranscriptEnd(self.segment, self.position, offset=self.offset, hash=self.hash)

    def __str__(self) -> str:
        if self.begun is None:
            return str(self.segment)
        begun = self.begun
        known = (begun.offset, begun.segment, begun.limit, begun.proof)
        return ".".join(
            map(
                str,
                (self.segment, self.position, self.line, self.offset, self.hash.hex(), self.month, self.start, *known),
            )
        )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises InvalidPartCursor."""
        if _NUMBER.fullmatch(text):
            return cls(int(text))
        if not (matched := _CURSOR.fullmatch(text)):
            raise InvalidPartCursor("not a place of a verification")
        segment, position, line, offset, digest, month, start, first, dropped, limit, proof = matched.groups()
        begun = Begun(int(first), int(dropped), limit, proof)
        return cls(int(segment), int(position), int(line), int(offset), bytes.fromhex(digest), month, int(start), begun)


_NUMBER = re.compile(r"[0-9]{1,8}", re.ASCII)
_CURSOR = re.compile(
    r"([0-9]{1,8})\.([0-9]{1,12})\.([0-9]{1,9})\.([0-9]{1,18})\.([0-9a-f]{64})\.([0-9]{4}-[0-9]{2}|)\.([0-9]{1,12})"
    r"\.([0-9]{1,18})\.([0-9]{1,8})\.([a-z]{0,16})\.(fits|other|)",
    re.ASCII,
)


class Taken(Enum):
    DONE = auto()
    AHEAD = auto()
    """The walk has not come so far."""
    BEHIND = auto()
    """It is about what an earlier part walked over: somebody looks there."""


class SignedSide:
    """What is signed, beside the walk of one part."""

    def __init__(self, walk: Verification, console: str, begun: Begun, previous: bytes | None) -> None:
        """`previous`: the running hash before the place where the verification began; None: it is not known."""
        self._walk, self._console, self._previous = walk, console, previous
        self._from = walk.offset
        """Printed bytes before this part."""
        self.begun = begun
        self.newest: Checkpoint | None = None
        self.findings: list[Finding] = []

    def take(self, statement: Statement, *, more: bool) -> Taken:
        """`more`: segments follow that the walk has not reached."""
        if statement.console != self._console:
            return Taken.DONE
        if isinstance(statement, Dropped):
            self._dropped(statement)
        return self._checkpoint(statement, more=more) if isinstance(statement, Checkpoint) else Taken.DONE

    def _checkpoint(self, checkpoint: Checkpoint, *, more: bool) -> Taken:
        walk, begun = self._walk, self.begun
        if walk.has(checkpoint.hash):
            self.add_confirmed(checkpoint)
        elif checkpoint.offset > walk.offset or (checkpoint.offset == walk.offset and more):
            if more:
                return Taken.AHEAD
            if walk.to_the_end:
                words = f"bytes up to {checkpoint.offset}, which were there when signed: {signed_when(checkpoint)}"
                self._find(Fault.MISSING, words)
        elif checkpoint.offset > self._from and checkpoint.offset > begun.offset:
            self.add_altered(checkpoint)
        elif checkpoint.offset >= begun.offset:
            return Taken.BEHIND
        return Taken.DONE

    def add_confirmed(self, checkpoint: Checkpoint) -> None:
        """The transcript holds it."""
        if self.newest is None or checkpoint.at > self.newest.at:
            self.newest = checkpoint

    def add_altered(self, checkpoint: Checkpoint) -> None:
        if checkpoint.offset > self.begun.offset:
            self._find(
                Fault.ALTERED, f"what was there when signed, up to byte {checkpoint.offset}: {signed_when(checkpoint)}"
            )

    def _dropped(self, dropped: Dropped) -> None:
        """The first statement about the very segment counts; before it is read, any later one tells of the limit."""
        begun = self.begun
        if not begun.segment or begun.proof or dropped.segment < begun.segment:
            return
        proof = ""
        if dropped.segment == begun.segment:
            fits = dropped.offset == begun.offset and self._previous in (None, dropped.hash)
            proof = "fits" if fits else "other"
        self.begun = replace(begun, limit=begun.limit or dropped.why, proof=proof)

    def end(self, broken: int, *, last: bool) -> list[Finding]:
        """What was found. `broken`: lines of this part that nobody signed; `last`: no statement follows."""
        if last and self.begun.segment:
            self.findings.insert(0, self._retention())
        if broken:
            words = f"{broken} lines among the signed statements are not signed by this service"
            self.findings.append(Finding(Fault.ALTERED, 0, 0, 0, words))
        return self.findings

    def _retention(self) -> Finding:
        """What to think of a transcript whose first segments are not there."""
        begun = self.begun
        words = f"segments before {begun.segment} with the first {begun.offset} printed bytes"
        fault, explanation = Fault.DROPPED, f"{words}, as was signed (limit: {begun.limit})"
        if not begun.limit:
            fault, explanation = Fault.MISSING, f"{words}: no signed statement says that retention dropped them"
        elif begun.proof == "other":
            fault = Fault.ALTERED
            explanation = f"{words}: the statement that they were dropped tells of another transcript"
        return Finding(fault, begun.segment, 1, begun.offset, explanation)

    def _find(self, fault: Fault, words: str) -> None:
        self.findings.append(self._walk.finding(fault, words))
