"""What a verification says of a transcript: findings, who could explain each, and the report as a whole."""

from dataclasses import dataclass
from enum import StrEnum

from shared.transcript.signed_statements import Checkpoint


class Fault(StrEnum):
    """What a finding is."""

    ALTERED = "altered"
    """Lines are not those that were written."""
    MISSING = "missing"
    """Bytes or whole segments that were written are not there."""
    REPEATED = "repeated"
    """An append is there twice."""
    UNREADABLE = "unreadable"
    UNFINISHED = "unfinished"
    """Lines without the checkpoint that ends every append: the end was cut, or somebody wrote there."""
    INDEX = "index"
    """The index tells something else than the segments. Nothing of the transcript is lost."""
    HOLE = "hole"
    """Records that never reached the archive, as the archive itself wrote down."""
    DROPPED = "dropped"
    """The oldest segments are not there, as retention leaves it. Not a fault by itself."""

    @property
    def who(self) -> str:
        """Who could explain it."""
        return _WHO[self]


_WRITERS = "whoever may write to the storage of transcripts"
_WHO = {
    Fault.ALTERED: _WRITERS,
    Fault.MISSING: "whoever may delete in the storage of transcripts",
    Fault.REPEATED: _WRITERS,
    Fault.UNREADABLE: f"{_WRITERS}, or a broken download",
    Fault.UNFINISHED: f"a download that was cut, or {_WRITERS}",
    Fault.INDEX: "whoever may write to the table of the index; it has been made anew",
    Fault.HOLE: "the relay or the event hub",
    Fault.DROPPED: "retention",
}


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
    signed: Checkpoint | None = None
    """The newest signed checkpoint that the transcript still holds."""

    @property
    def complete(self) -> bool:
        return all(finding.fault is Fault.DROPPED for finding in self.findings)
