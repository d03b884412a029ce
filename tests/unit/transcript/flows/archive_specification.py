"""What a transcript must hold, said without segments, positions or hashes: from the order of the hub's events alone."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.base.record import Batch, Record, RecordKind

EPOCHS_REMEMBERED = 8
TOO_LARGE = 3000
"""Bytes of text that no append of the model takes; the model prints either these or far fewer."""


@dataclass(frozen=True)
class Event:
    """One event of the hub. `batch`: its whole records, if it has any; `poison`: not all of it can be read."""

    data: bytes
    batch: Batch | None
    poison: bool = False


@dataclass
class Expected:
    """Of one console."""

    lines: list[tuple[str, Any]] = field(default_factory=list)
    """As tests.unit.transcript.flows.audit reads them."""
    printed: dict[str, bytes] = field(default_factory=dict)
    """By epoch."""
    holes: int = 0
    aside: list[tuple[str, Record]] = field(default_factory=list)
    """Epochs and records that cannot be placed."""
    _last: dict[str, int] = field(default_factory=dict)

    def take(self, batch: Batch) -> None:
        for record in batch.records:
            self._take(batch.source.epoch, record)

    def _take(self, epoch: str, record: Record) -> None:
        before = self._last.get(epoch, 0)
        if 0 < record.seq <= before:
            return
        if record.seq < 1 or len(record.body) >= TOO_LARGE or self._forgotten(epoch):
            self.aside.append((epoch, record))
            return
        if record.seq > before + 1:
            self.holes += 1
            self.lines.append(("e", {"event": "hole", "epoch": epoch, "from": before + 1, "to": record.seq - 1}))
        self._last[epoch] = record.seq
        if len(self._last) > EPOCHS_REMEMBERED:
            del self._last[min(self._last)]
        if record.kind is RecordKind.PRINTED:
            self.lines.append(("o", record.body))
            self.printed[epoch] = self.printed.get(epoch, b"") + record.body
        else:
            self.lines.append(("e", {**record.said(), "epoch": epoch, "seq": record.seq}))

    def _forgotten(self, epoch: str) -> bool:
        newer = [other for other in self._last if other > epoch]
        return epoch not in self._last and len(newer) >= EPOCHS_REMEMBERED


def expected(events: Iterable[Event], console: str) -> Expected:
    found = Expected()
    for event in events:
        if event.batch and event.batch.source.console == console:
            found.take(event.batch)
    return found


def told(segments: Sequence[bytes]) -> Mapping[str, bytes]:
    """What was printed in each epoch, as a reader of docs/protocol.md tells them apart."""
    printed: dict[str, bytes] = {}
    epoch = ""
    for line in (line for each in segments for line in each.splitlines()[1:]):
        _, code, text = json.loads(line)
        if code == "o":
            printed[epoch] = printed.get(epoch, b"") + text.encode("utf-8", "surrogateescape")
        elif code == "e":
            epoch = json.loads(text)["epoch"]
    return printed
