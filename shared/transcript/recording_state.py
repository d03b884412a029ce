"""Whether a recording that has no end goes on, or its relay is gone: then nobody says that it ended.

What a relay has recorded and not sent stands on its disk. It comes, with an end, if the relay returns with that disk;
else it is lost, and nothing tells how much it was.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from shared.transcript.recordings import Recording

SILENT_SECONDS = 180.0
"""A relay where nobody is attached says that it lives once a minute at least, while a port of its own is open; the
archive may be two minutes behind (docs/faults.md).
"""
_US = 1_000_000


class RecordingState(StrEnum):
    ENDED = "ended"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    """Its relay gave no sign of life, or has it no more. It may still come back, with the rest."""


@dataclass(frozen=True, slots=True)
class Unended:
    """A recording without an end in the archive."""

    recording: Recording
    followed: bool
    """Its relay has recorded of this console since. It sends in order, so the end of this one never comes."""

    @property
    def last_at(self) -> float:
        """The time of its last record, seconds since 1970."""
        return self.recording.last_us / _US


@dataclass(frozen=True, slots=True)
class RelaySigns:
    """What is known of the relay that recorded. Times are seconds since 1970."""

    beat_at: float | None = None
    """Its last heartbeat; None: there never was one."""
    answered: bool = False
    """It was asked just now what it has recorded of the console."""
    epoch: str | None = None
    """And that is its newest; None where it knows of none."""


@dataclass(frozen=True, slots=True)
class Standing:
    state: RecordingState
    last_sign: float | None = None
    """Of the relay, where it is gone: seconds since 1970."""


def unended(recordings: Iterable[Recording]) -> tuple[Unended, ...]:
    """Of one console."""
    known = tuple(recordings)
    newest: dict[str, str] = {}
    for each in known:
        newest[each.relay] = max(each.id, newest.get(each.relay, ""))
    return tuple(
        Unended(each, bool(each.relay) and each.id < newest[each.relay]) for each in known if each.ended_us is None
    )


def standing(of: Unended, signs: RelaySigns, now: float) -> Standing:
    sign = max(of.last_at, signs.beat_at or 0.0)
    if of.followed:
        return Standing(RecordingState.INTERRUPTED, of.last_at)
    if signs.answered and signs.epoch == of.recording.id:
        return Standing(RecordingState.RUNNING)
    silent_since = of.last_at if signs.answered else sign  # one that answers, and knows another, has this one no more
    if now - silent_since <= SILENT_SECONDS:
        return Standing(RecordingState.RUNNING)
    return Standing(RecordingState.INTERRUPTED, silent_since)
