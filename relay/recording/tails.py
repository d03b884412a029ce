"""The last recorded bytes of each console. A gateway's replay is compared with them when a port is opened again.

In memory as it was printed. On disk, for the next process, as it was recorded: {SPOOL_DIR}/tails/{hash}.tail, written
when the last file of an epoch is deleted from the spool, out of that file. Until then the file itself is there. What
is masked ends it: bytes before the last asterisk are not remembered.

file    frame: the console's name | frame: the epoch | frame: "cut" or "whole" | frame: bytes  (frames as in spool_file)
"""

import hashlib
import logging
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from relay.recording.spool_file import framed, whole_frames
from shared.base.record import Record, RecordKind, decode_records
from shared.base.record_end import TAIL_BYTES, RecordedTail

log = logging.getLogger(__name__)

TAILS = 500
"""Consoles remembered, those opened last: some 32 KB each at most, half of that on disk."""
FOLDER = "tails"
_CUT, _WHOLE = b"cut", b"whole"


class Tails:
    def __init__(self, spool: Path) -> None:
        self._folder = spool / FOLDER
        self._tails: dict[str, RecordedTail] = {}

    def of(self, console: str) -> RecordedTail:
        """Returns the tail of a console: the same object for as long as it is remembered."""
        tail = self._tails[console] = self._tails.pop(console) if console in self._tails else RecordedTail()
        if len(self._tails) > TAILS:
            del self._tails[next(iter(self._tails))]
        return tail

    def learn(self, console: str, file: Path) -> None:
        """Stores the end of an epoch out of its last file, before that is deleted or when it is found at start.

        If it cannot be written the stored end is deleted: with an older end, recorded bytes would count as new.
        """
        path = self._folder / f"{hashlib.sha256(console.encode()).hexdigest()}.tail"
        epoch = file.parent.name
        try:
            before = _read(path)[1] if path.exists() else RecordedTail()
            if epoch <= before.epoch:  # left by one process after another: it is in there, and names sort by time
                return
            frames = whole_frames(file.read_bytes())
            next(frames, None)  # the source
            tail = _grown(before, [record for _, frame in frames for record in decode_records(frame, 0)])
            if tail is not before:
                tail.epoch = epoch
                self._write(path, framed(console.encode()) + framed(epoch.encode()), tail)
        except (OSError, ValueError) as error:
            log.warning("what was recorded last is not remembered: %s", type(error).__name__)
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def take_up(self) -> None:
        """Loads the stored tails of earlier processes. Raises OSError."""
        self._tails = dict(self._read_all())

    def _write(self, path: Path, head: bytes, tail: RecordedTail) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        new = path.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_bytes(head + framed(_CUT if tail.cut else _WHOLE) + framed(bytes(tail)))
        new.replace(path)

    def _read_all(self) -> Iterable[tuple[str, RecordedTail]]:
        """Yields the stored tails, the oldest first. Deletes damaged ones, and the oldest beyond TAILS."""
        paths = sorted(self._folder.glob("*.tail"), key=lambda path: path.stat().st_mtime)
        for path in paths[:-TAILS]:
            path.unlink()
        for path in paths[-TAILS:]:
            try:
                console, tail = _read(path)
            except ValueError:
                path.unlink()
            else:
                yield console, tail


def _read(path: Path) -> tuple[str, RecordedTail]:
    """Returns the console and its tail. Raises OSError, ValueError."""
    console, epoch, completeness, data = (frame for _, frame in whole_frames(path.read_bytes()))
    return console.decode(), RecordedTail(data, cut=completeness == _CUT, epoch=epoch.decode())


def _grown(before: RecordedTail, records: Iterable[Record]) -> RecordedTail:
    """Returns the tail after these records; the same object if they printed nothing."""
    printed, first, continues, own, masked = bytearray(), 0, False, True, False
    for record in records:
        first = first or record.seq
        if record.kind is RecordKind.PRINTED:
            printed += record.body
        else:
            event = record.said()
            if event["event"] == "replayed" and event["found"]:
                continues = True
                own = event.get("after", before.epoch) == before.epoch  # else somebody else has recorded in between
            masked |= event["event"] == "masked"
    if not printed:
        return before
    end = (bytes(before) if continues and own else b"") + bytes(printed)
    cut = first > 1 or (continues and (before.cut or not own)) or masked or len(end) > TAIL_BYTES
    if masked:
        end = end[end.rfind(b"*") + 1 :]
    return RecordedTail(end[-TAIL_BYTES:], cut=cut)
