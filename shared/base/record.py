"""Encodes records: printed bytes and events. The spool, the Event Hub and the archive all store these bytes.

An epoch begins when a relay opens a VM's port. Its records are numbered from 1 without gaps, and the last one (END)
holds their count. A batch is a run of consecutive records of one console and one epoch:

    batch   b"SCR1" | u16 header length | header: JSON {"console","epoch","writer"} | record...
    record  u8 kind | u64 sequence | u64 time, us since 1970 | u32 body length | body          (big-endian)

`PRINTED` bodies are the VM's bytes exactly; the others are a JSON object.
"""

import json
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Self

_MAGIC = b"SCR1"
_LENGTH = struct.Struct(">H")
_RECORD = struct.Struct(">BQQI")


class DamagedBatch(ValueError):
    """The bytes are not a batch, or end inside one. The text says where."""


class RecordKind(IntEnum):
    PRINTED = 1
    EVENT = 2
    END = 3


@dataclass(frozen=True, slots=True)
class Record:
    kind: RecordKind
    seq: int
    time_us: int
    body: bytes

    @classmethod
    def event(cls, seq: int, time_us: int, name: str, **fields: Any) -> Self:
        """Makes the record of an event, such as attach, detach or takeover. `fields` must be JSON values."""
        return cls(RecordKind.EVENT, seq, time_us, _json({"event": name, **fields}))

    @classmethod
    def end(cls, seq: int, time_us: int, reason: str) -> Self:
        """Makes the last record of an epoch; `seq` is also the number of its records."""
        return cls(RecordKind.END, seq, time_us, _json({"event": "end", "records": seq, "reason": reason}))

    def said(self) -> dict[str, Any]:
        """Returns the JSON object of an EVENT or END."""
        fields: dict[str, Any] = json.loads(self.body)
        return fields

    def encode(self) -> bytes:
        return _RECORD.pack(self.kind, self.seq, self.time_us, len(self.body)) + self.body


@dataclass(frozen=True, slots=True)
class Source:
    """The origin of records: the console, the epoch, and the relay that wrote them."""

    console: str
    epoch: str
    writer: str

    def encode(self) -> bytes:
        header = _json({"console": self.console, "epoch": self.epoch, "writer": self.writer})
        return _MAGIC + _LENGTH.pack(len(header)) + header


@dataclass(frozen=True, slots=True)
class Batch:
    source: Source
    records: tuple[Record, ...]

    def encode(self) -> bytes:
        return self.source.encode() + b"".join(record.encode() for record in self.records)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Raises DamagedBatch."""
        source, at = decode_source(data)
        return cls(source, tuple(decode_records(data, at)))


def epoch_name(opened_us: int, nonce: int) -> str:
    """Returns a name that sorts by the time of opening, microseconds since 1970.

    `nonce` (32 bits) distinguishes two relays that open in the same microsecond.
    """
    return f"{opened_us:016x}-{nonce:08x}"


def encode_batch(source: Source, encoded_records: Iterable[bytes]) -> bytes:
    """Encodes a batch as Batch.encode does, from records that are encoded already."""
    return source.encode() + b"".join(encoded_records)


def decode_source(data: bytes) -> tuple[Source, int]:
    """Returns the source of a batch and the offset of its first record. Raises DamagedBatch."""
    start = len(_MAGIC) + _LENGTH.size
    if data[: len(_MAGIC)] != _MAGIC or len(data) < start:
        raise DamagedBatch("not a record batch: it does not begin with SCR1")
    end = start + _LENGTH.unpack_from(data, len(_MAGIC))[0]
    try:
        header = json.loads(data[start:end])
        source = Source(*(_text(header[name]) for name in ("console", "epoch", "writer")))
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedBatch(f"the batch's header, bytes {start} to {end}, cannot be read") from error
    return source, end


def decode_records(data: bytes, at: int) -> Iterator[Record]:
    """Yields the records from an offset on. Raises DamagedBatch after the last record that is whole."""
    while at < len(data):
        if at + _RECORD.size > len(data):
            raise DamagedBatch(f"the batch ends inside a record's head, at byte {at}")
        kind, seq, time_us, length = _RECORD.unpack_from(data, at)
        end = at + _RECORD.size + length
        if kind not in RecordKind or end > len(data):
            raise DamagedBatch(f"the record at byte {at} is of an unknown kind or cut short")
        yield Record(RecordKind(kind), seq, time_us, data[at + _RECORD.size : end])
        at = end


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
