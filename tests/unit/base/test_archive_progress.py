import pytest

from shared.base.archive_progress import ArchiveProgress, ArchiveState, RecordedLast, archive_progress

LAST = RecordedLast("e2", 9, 100.0)


@pytest.mark.parametrize(
    ("recorded", "kept", "progress"),
    [
        (LAST, {"e1": 40, "e2": 9}, ArchiveProgress(ArchiveState.CURRENT, 0, 100.0)),
        (LAST, {"e2": 7}, ArchiveProgress(ArchiveState.BEHIND, 2, 100.0)),
        (LAST, {"e1": 40}, ArchiveProgress(ArchiveState.BEHIND, 9, 100.0)),
        (LAST, {"e2": 12}, ArchiveProgress(ArchiveState.CURRENT, 0, 100.0)),
        (None, {"e2": 7}, ArchiveProgress(ArchiveState.UNKNOWN)),
    ],
    ids=["all is there", "some is missing", "nothing of the epoch", "recorded since", "the relay is silent"],
)
def test_the_archive_is_behind_by_what_the_relay_numbered_and_it_has_not(
    recorded: RecordedLast | None, kept: dict[str, int], progress: ArchiveProgress
) -> None:
    assert archive_progress(recorded, kept) == progress
