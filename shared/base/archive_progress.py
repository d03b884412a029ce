"""How far the archive is behind the relay: told apart from a record that is complete and from one with a gap.

The relay numbers what it records of an epoch without holes; the archive knows the last number that it keeps. After a
broken connection the host's listener may stand still for a minute (docs/faults.md): meanwhile nothing is lost.
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
    """What a relay recorded last of a console."""

    epoch: str
    sequence: int
    time: float
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class ArchiveProgress:
    state: ArchiveState
    records: int = 0
    """That are not archived yet."""
    recorded_at: float | None = None
    """When the relay recorded last, seconds since 1970; None where that is not known."""


def archive_progress(recorded: RecordedLast | None, kept: Mapping[str, int]) -> ArchiveProgress:
    """`kept`: the last sequence number that the archive keeps of each of the newest epochs."""
    if recorded is None:
        return ArchiveProgress(ArchiveState.UNKNOWN)
    behind = max(0, recorded.sequence - kept.get(recorded.epoch, 0))
    state = ArchiveState.BEHIND if behind else ArchiveState.CURRENT
    return ArchiveProgress(state, behind, recorded.time)
