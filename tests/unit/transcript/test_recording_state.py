"""Whether a recording without an end goes on: every sign of life that a relay can give, and none."""

import pytest

from shared.transcript.recording_state import (
    SILENT_SECONDS,
    RecordingState,
    RelaySigns,
    Standing,
    Unended,
    standing,
    unended,
)
from shared.transcript.recordings import Recording

LAST, US = 1_000.0, 1_000_000
SOON, LATE = LAST + SILENT_SECONDS, LAST + SILENT_SECONDS + 1
RUNNING = Standing(RecordingState.RUNNING)


def gone(since: float) -> Standing:
    return Standing(RecordingState.INTERRUPTED, since)


def recording(epoch: str = "e1", relay: str = "r0", ended: int | None = None) -> Recording:
    return Recording(epoch, 0, 0, 0, int(LAST * US), 0, 0, ended_us=ended, relay=relay)


@pytest.mark.parametrize(
    ("signs", "now", "expected"),
    [
        (RelaySigns(), SOON, RUNNING),
        (RelaySigns(), LATE, gone(LAST)),
        (RelaySigns(beat_at=LAST + 100), LATE, RUNNING),
        (RelaySigns(beat_at=LAST + 100), LATE + 100, gone(LAST + 100)),
        (RelaySigns(beat_at=LAST - 100), LATE, gone(LAST)),
        (RelaySigns(answered=True, epoch="e1"), LATE + 9_999, RUNNING),
        (RelaySigns(answered=True, epoch="e0"), SOON, RUNNING),
        (RelaySigns(answered=True, epoch=None), LATE, gone(LAST)),
        (RelaySigns(beat_at=LATE, answered=True, epoch=None), LATE, gone(LAST)),
    ],
    ids=[
        "the record is young", "no sign at all", "it beats", "it has stopped to beat", "it beat before the last",
        "it says so itself", "it says another, and may be behind", "it lives, and has it no more",
        "and beats",
    ],
)  # fmt: skip
def test_a_recording_goes_on_as_long_as_its_relay_gives_a_sign(
    signs: RelaySigns, now: float, expected: Standing
) -> None:
    assert standing(Unended(recording(), followed=False), signs, now) == expected


def test_a_relay_that_records_on_without_having_ended_one_has_lost_it() -> None:
    lost, ended, newer = recording("e1"), recording("e2", ended=1), recording("e3")
    others, old = recording("e0", relay="r1"), recording("e0", relay="")
    found = unended([lost, ended, newer, others, old, recording("e9", relay="")])
    assert [(each.recording.id, each.followed) for each in found] == [
        ("e1", True), ("e3", False), ("e0", False), ("e0", False), ("e9", False)
    ]  # fmt: skip
    assert standing(found[0], RelaySigns(beat_at=LATE), SOON) == gone(LAST)
