"""Computes how far the archive is behind the relay. A record that is behind is neither complete nor broken.

The relay numbers the records of an epoch without gaps, and the archive knows the last number that it stored. After a
broken connection the host's listener may pause for a minute (docs/faults.md); nothing is lost meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class ArchiveState(StrEnum):
    CURRENT = "current"
    """Everything that the relay has recorded is archived."""
    BEHIND = "behind"
    """Records are on their way."""
    UNKNOWN = "unknown"
    """The relay was not reached, or has recorded nothing of this console since it started."""


@dataclass(frozen=True, slots=True)
class RecordedLast:
    """The newest record that a relay has of a console."""

    epoch: str
    sequence: int
    time: float
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class ArchiveProgress:
    state: ArchiveState
    records: int = 0
    """Records that are not archived yet."""
    recorded_at: float | None = None
    """Time of the relay's newest record, seconds since 1970; None if it is not known."""


def archive_progress(recorded: RecordedLast | None, archived: Mapping[str, int]) -> ArchiveProgress:
    """Compares a relay's newest record with the archive. `archived`: the last stored sequence number, by epoch."""
    if recorded is None:
        return ArchiveProgress(ArchiveState.UNKNOWN)
    behind = max(0, recorded.sequence - archived.get(recorded.epoch, 0))
    state = ArchiveState.BEHIND if behind else ArchiveState.CURRENT
    return ArchiveProgress(state, behind, recorded.time)
