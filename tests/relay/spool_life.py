"""`python -m tests.relay.spool_life FOLDER`: everything that a spool does in its folder, as whoever runs it."""

import sys
import time
from pathlib import Path

from relay.recording.epoch_log import EpochLog
from relay.recording.spool import Spool
from shared.base.record import Record, RecordKind, Source

PATIENCE = 300.0
LARGE = b"x" * 400_000
"""Three to a file."""


def record(seq: int, kind: RecordKind = RecordKind.PRINTED) -> Record:
    return Record(kind, seq, seq, LARGE)


def acknowledged(epoch: EpochLog) -> int:
    count = 0
    while batch := epoch.peek(1 << 20, 9):
        epoch.acknowledge(len(batch))
        count += len(batch)
    return count


def live(folder: Path) -> None:
    """Records roll over several files, a process ends, the next takes them up, ends the epoch, and deletes it all."""
    first = Spool(folder, 1 << 30)
    epoch = first.open(Source("/vm", "epoch-1", "r0"))
    for seq in range(1, 8):
        epoch.append(record(seq))
    for _ in range(2):
        epoch.acknowledge(len(epoch.peek(1 << 20, 2)))
    epoch.release()
    first.close()
    second = Spool(folder, 1 << 30)
    (again,) = second.recover(1)
    assert acknowledged(again) == 3 + 2  # and what says that it was lost
    second.close()
    until = time.monotonic() + PATIENCE
    while (left := [path.name for path in folder.iterdir()]) != ["lock"] and time.monotonic() < until:
        time.sleep(0.01)
    assert left == ["lock"], left


if __name__ == "__main__":
    live(Path(sys.argv[1]))
    print("lived")  # noqa: T201 - the test reads it
