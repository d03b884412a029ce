"""What to append so that a console's transcript holds every record once, in order, and its holes by name.

`plan` is the whole rule: delivery at least once goes in, appends at exact positions come out. Repeats are known
by (epoch, sequence number). Records of which nobody can say any more whether they are kept, and records too
large for an append, are set aside: neither dropped nor written twice.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from shared.base.record import Batch, Record, RecordKind
from shared.transcript import segment
from shared.transcript.segment import EPOCHS_KEPT, EVENT, PRINTED, TranscriptEnd

_ROOM = 8192
"""Bytes of an append beside a record's text: the header, a hole, the line's frame, the checkpoint. Generous."""


@dataclass(frozen=True, slots=True)
class SegmentLimits:
    """When a segment ends, and how much one append may carry."""

    segment_bytes: int = 64 << 20
    segment_blocks: int = 49_000
    """An append blob takes 50,000."""
    segment_us: int = 24 * 3600 * 1_000_000
    append_bytes: int = 4 << 20


DEFAULT_LIMITS = SegmentLimits()


@dataclass(frozen=True, slots=True)
class Append:
    """`data` at exactly `position`; then the transcript stands at `after`."""

    ordinal: int
    position: int
    data: bytes
    after: TranscriptEnd


@dataclass(frozen=True, slots=True)
class Plan:
    appends: tuple[Append, ...]
    aside: tuple[Batch, ...]
    """What cannot be archived."""


def plan(console: str, tail: TranscriptEnd, batches: Iterable[Batch], limits: SegmentLimits = DEFAULT_LIMITS) -> Plan:
    """The appends that bring the batches of one console into its transcript, in the order they came."""
    draft = _Draft(console, tail, limits)
    rejected = [Batch(batch.source, draft.take(batch)) for batch in batches]
    return Plan(draft.finish(), tuple(batch for batch in rejected if batch.records))


class _Draft:
    """Appends under construction: those that are ready, and the lines of the next one."""

    def __init__(self, console: str, tail: TranscriptEnd, limits: SegmentLimits) -> None:
        self._console = console
        self._limits = limits
        self._ready: list[Append] = []
        self._tail = tail
        self._lines: list[bytes] = []
        self._size = 0
        self._epochs = dict(tail.epochs)
        self._offset = tail.offset
        self._last_us = 0

    def take(self, batch: Batch) -> tuple[Record, ...]:
        """Drafts what is new in the batch; answers the records that must be set aside."""
        epoch = batch.source.epoch
        return tuple(
            record for record in batch.records if not self._is_stored(epoch, record) and not self._add(epoch, record)
        )

    def finish(self) -> tuple[Append, ...]:
        self._flush()
        return tuple(self._ready)

    def _is_stored(self, epoch: str, record: Record) -> bool:
        return 0 < record.seq <= self._epochs.get(epoch, 0)

    def _add(self, epoch: str, record: Record) -> bool:
        """False when the record cannot be archived."""
        code, text = _written(epoch, record)
        need = len(text) + _ROOM
        if record.seq < 1 or need > self._limits.append_bytes or self._is_unknown(epoch):
            return False
        if self._size + need > self._limits.append_bytes:
            self._flush()
        if not self._lines:
            self._open(record.time_us)
        expected = self._epochs.get(epoch, 0) + 1
        if record.seq > expected:
            self._add_line(record.time_us, EVENT, _hole(epoch, expected, record.seq - 1))
        elif record.kind is RecordKind.PRINTED and epoch != next(reversed(self._epochs), epoch):
            self._add_line(record.time_us, EVENT, _quoted_json({"event": "continues", "epoch": epoch}))
        self._add_line(record.time_us, code, text)
        self._remember(epoch, record)
        return True

    def _is_unknown(self, epoch: str) -> bool:
        """Whether nobody can say any more what is kept of this epoch."""
        return len(self._epochs) >= EPOCHS_KEPT and epoch not in self._epochs and epoch < min(self._epochs)

    def _remember(self, epoch: str, record: Record) -> None:
        self._epochs.pop(epoch, None)
        self._epochs[epoch] = record.seq  # the last one named is the one that printed lines belong to
        if len(self._epochs) > EPOCHS_KEPT:
            del self._epochs[min(self._epochs)]
        if record.kind is RecordKind.PRINTED:
            self._offset += len(record.body)

    def _add_line(self, time_us: int, code: str, text: str) -> None:
        encoded = segment.line(time_us - self._tail.started_us, code, text)
        self._lines.append(encoded)
        self._size += len(encoded)
        self._last_us = time_us

    def _open(self, time_us: int) -> None:
        """Before the first line of an append: closes a segment that is full, and begins the next."""
        if self._is_full(time_us):
            self._last_us = time_us
            self._append(b"", closes=True)
            self._tail = self._tail.next_segment()
        if not self._tail.position:
            self._tail = replace(self._tail, started_us=time_us)
            self._lines.append(segment.header_line(self._console, self._tail, time_us))

    def _is_full(self, time_us: int) -> bool:
        tail, limits = self._tail, self._limits
        return tail.position > 0 and (
            tail.position >= limits.segment_bytes
            or tail.blocks >= limits.segment_blocks
            or time_us - tail.started_us > limits.segment_us
        )

    def _flush(self) -> None:
        if self._lines:
            self._append(b"".join(self._lines), closes=False)
            self._lines = []
            self._size = 0

    def _append(self, content: bytes, *, closes: bool) -> None:
        before = self._tail
        now = replace(before, offset=self._offset, epochs=dict(self._epochs))
        data, digest = segment.seal(content, self._last_us - before.started_us, now, closes=closes)
        position = before.position + len(data)
        self._tail = replace(now, hash=digest, position=position, blocks=before.blocks + 1)
        after = self._tail.next_segment() if closes else self._tail
        self._ready.append(Append(before.ordinal, before.position, data, after))


def _written(epoch: str, record: Record) -> tuple[str, str]:
    """The code and the quoted text of a record's line."""
    if record.kind is RecordKind.PRINTED:
        return PRINTED, segment.quoted(segment.printed_text(record.body))
    return EVENT, _quoted_json({**_event_fields(record), "epoch": epoch, "seq": record.seq})


def _event_fields(record: Record) -> dict[str, Any]:
    """What an event says; one that cannot be read is kept as the text it is."""
    try:
        event = record.said()
    except (ValueError, RecursionError):
        event = None
    return event if isinstance(event, dict) else {"event": "unreadable", "text": segment.printed_text(record.body)}


def _hole(epoch: str, first: int, last: int) -> str:
    return _quoted_json({"event": "hole", "epoch": epoch, "from": first, "to": last})


def _quoted_json(value: dict[str, Any]) -> str:
    return segment.quoted(json.dumps(value, separators=(",", ":")))
