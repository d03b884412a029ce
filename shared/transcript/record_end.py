"""Where the record of a console ends: what was printed last, whoever recorded it, out of the transcript's last lines.

A relay compares what a gateway replays with this, where somebody else has recorded since (shared/console/replay.py).
Epochs may lie in the transcript in another order than they were opened in: a relay that was cut off delivers late. So
each has a stream of its own here, and the epoch that was opened last counts. A stream goes on from the one that its
relay compared with (event `replayed`, `after`), and from nothing where that says that nothing was found.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from shared.base.record_end import TAIL_BYTES, RecordEnd
from shared.transcript.playback import code_of, printed
from shared.transcript.segment import CHECKPOINT, EVENT, PRINTED, read_checkpoint, read_event, read_line


@dataclass(slots=True)
class _Stream:
    epoch: str = ""
    """That printed last of what is here: one that prints nothing leaves the end as it was."""
    printed: bytearray = field(default_factory=bytearray)
    cut: bool = False
    masked: bool = False

    def add(self, data: bytes, epoch: str) -> None:
        self.epoch = epoch
        self.printed += data
        if len(self.printed) > TAIL_BYTES:
            self.cut = True
            del self.printed[:-TAIL_BYTES]

    def end(self) -> RecordEnd:
        if not self.masked:
            return RecordEnd(self.epoch, bytes(self.printed), self.cut)
        return RecordEnd(self.epoch, bytes(self.printed[self.printed.rfind(b"*") + 1 :]), cut=True)


def record_end(lines: Iterable[bytes]) -> RecordEnd:
    """Of the last lines of a transcript, without line ends, and with headers of segments. Raises DamagedSegment."""
    reading = _Reading()
    for line in lines:
        if not line.startswith(b"{"):
            reading.line(line)
    return reading.end()


class _Reading:
    def __init__(self) -> None:
        self._streams: dict[str, _Stream] = {}
        self._current = ""
        """The epoch that printed lines belong to; empty until a line says so."""
        self._first = _Stream(cut=True)
        """What is printed before that."""

    def line(self, line: bytes) -> None:
        code = code_of(line)
        if code == PRINTED:
            self._streams.get(self._current, self._first).add(printed(line), self._current)
        elif code == EVENT:
            self._event(read_event(read_line(line)[2]))
        elif code == CHECKPOINT and not self._current:  # no event so far: all belongs to the epoch named last
            for epoch in list(read_checkpoint(read_line(line)[2])["epochs"])[-1:]:
                self._current, self._first.epoch = epoch, epoch
                self._streams[epoch] = self._first

    def _event(self, event: dict[str, Any]) -> None:
        epoch = event.get("epoch")
        if not isinstance(epoch, str):
            return
        if epoch not in self._streams:
            self._streams[epoch] = _Stream(cut=event.get("seq") != 1)
        self._current, stream = epoch, self._streams[epoch]
        match event.get("event"):
            case "replayed" if event.get("found") and not stream.printed:  # else it is read for the second time
                self._continue_from(stream, self._before(epoch, event))
            case "masked":
                stream.masked = True
            case "hole":
                stream.printed, stream.cut = bytearray(), False

    def _before(self, epoch: str, event: dict[str, Any]) -> _Stream | None:
        """What the relay compared with. One that does not say so compared with what it had recorded before."""
        earlier = max(
            (other for other, stream in self._streams.items() if other < epoch and stream.printed), default=""
        )
        return self._streams.get(event.get("after", earlier) or "")

    def _continue_from(self, stream: _Stream, before: _Stream | None) -> None:
        if before is None:
            stream.cut = True
        else:
            stream.printed[:0], stream.cut, stream.masked = before.printed, before.cut, before.masked
            stream.epoch = stream.epoch or before.epoch

    def end(self) -> RecordEnd:
        printing = [epoch for epoch, stream in self._streams.items() if stream.printed]
        return self._streams[max(printing)].end() if printing else RecordEnd()
