"""A segment: the bytes of one append blob, which is an asciicast v2 file (docs/protocol.md, "Segment").

Every append is a run of lines that ends with a checkpoint (code `k`); what the last checkpoint says is the
`TranscriptEnd`, all that an archiver must know to go on. Its last word is the running hash. It covers every byte before
it. A checkpoint that names `next` closes its segment: because that append, too, stands at an exact position, whoever
still believes the segment to be open finds a longer one.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Self

PRINTED = "o"
EVENT = "e"
CHECKPOINT = "k"
EPOCHS_KEPT = 8
"""How many epochs a checkpoint remembers, newest first."""
LONGEST_APPEND = 8 << 20
"""Bytes: twice what the archive appends at once. More without a checkpoint was written by somebody else."""
_NO_HASH = bytes(32)
_AFTER_HASH = b'\\"}"]\n'
_WIDTH, _HEIGHT = 80, 24
_US = 1_000_000


class DamagedSegment(ValueError):
    """The bytes are not a segment, or do not end with a checkpoint: somebody else wrote there."""


@dataclass(frozen=True, slots=True)
class TranscriptEnd:
    """Where the transcript of one console ends. `position` 0: the segment has no header yet."""

    ordinal: int = 0
    position: int = 0
    """Length of the segment in bytes."""
    blocks: int = 0
    started_us: int = 0
    offset: int = 0
    """Printed bytes so far, in all segments."""
    hash: bytes = _NO_HASH
    epochs: Mapping[str, int] = field(default_factory=dict[str, int])
    """The last sequence number that is kept of each of the newest epochs; the one written last comes last."""

    def next_segment(self) -> Self:
        """The tail of the segment after this one, before anything is in it."""
        return replace(self, ordinal=self.ordinal + 1, position=0, blocks=0, started_us=0)


FIRST = TranscriptEnd()
"""The tail of a console of which nothing is kept yet."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a segment's first line says."""

    console: str
    ordinal: int
    offset: int
    """Printed bytes before this segment."""
    started_us: int
    previous: bytes
    """The hash at the end of the segment before; zeros for the first."""


def header_line(console: str, tail: TranscriptEnd, started_us: int) -> bytes:
    """The first line of the segment that `tail` is about to begin."""
    fields = {
        "console": console,
        "segment": tail.ordinal,
        "offset": tail.offset,
        "startedUs": started_us,
        "previous": None if tail.hash == _NO_HASH else tail.hash.hex(),
    }
    return _json({**_cast(console, started_us), "serialconsole": fields}).encode() + b"\n"


def cast_header(console: str, started_us: int) -> bytes:
    """The first line of a recording that is no segment but a part of some."""
    return _json(_cast(console, started_us)).encode() + b"\n"


def _cast(console: str, started_us: int) -> dict[str, Any]:
    return {
        "version": 2,
        "width": _WIDTH,
        "height": _HEIGHT,
        "timestamp": started_us // _US,
        "title": console.rpartition("/")[2],
    }


_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)
"""What JSON that somebody altered may raise: numbers may be too large for any type, lists may lie in lists for ever."""


def _whole(value: Any) -> int:
    """A count or a time of a transcript. Raises TypeError."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 63:
        raise TypeError
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def read_header(line: bytes) -> Header:
    """Raises DamagedSegment."""
    try:
        fields = json.loads(line)["serialconsole"]
        previous = bytes.fromhex(fields["previous"]) if fields["previous"] else _NO_HASH
        ordinal, offset, started_us = (_whole(fields[name]) for name in ("segment", "offset", "startedUs"))
        return Header(_text(fields["console"]), ordinal, offset, started_us, previous)
    except _UNREADABLE as error:
        raise DamagedSegment("the first line is not a segment's header") from error


def quoted(text: str) -> str:
    """A JSON string of ASCII only; lone surrogates are escaped, so that it is valid JSON whatever was printed."""
    return json.dumps(text)


def line(after_us: int, code: str, quoted_text: str) -> bytes:
    """One event line, `after_us` microseconds after the segment's start."""
    return f'[{after_us / _US:.6f},"{code}",{quoted_text}]\n'.encode("ascii")


def printed_text(body: bytes) -> str:
    """Printed bytes as text from which the very same bytes come back."""
    return body.decode("utf-8", "surrogateescape")


def printed_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def seal(content: bytes, after_us: int, tail: TranscriptEnd, *, closes: bool = False) -> tuple[bytes, bytes]:
    """An append, `content` and the checkpoint that ends it, and the hash that this one says.

    `tail` is where the transcript then stands, but for its hash: that is still the one of the append before.
    """
    checkpoint: dict[str, Any] = {"epochs": dict(tail.epochs), "offset": tail.offset}
    if closes:
        checkpoint["next"] = tail.ordinal + 1
    covered = content + line(after_us, CHECKPOINT, quoted(_json({**checkpoint, "hash": ""}))).removesuffix(_AFTER_HASH)
    digest = sha256(tail.hash + covered).digest()
    return covered + digest.hex().encode() + _AFTER_HASH, digest


def covered(checkpoint: bytes, digest: bytes) -> bytes:
    """Of a checkpoint's line what its hash covers; all of it, when it does not end as `seal` writes it."""
    return checkpoint.removesuffix(digest.hex().encode() + _AFTER_HASH)


def read_line(raw: bytes) -> tuple[float, str, str]:
    """Time, code and text of an event line. Raises DamagedSegment."""
    try:
        after, code, text = json.loads(raw)
        seconds = float(after)
        if not math.isfinite(seconds):
            raise OverflowError
        return seconds, str(code), str(text)
    except _UNREADABLE as error:
        raise DamagedSegment("a line is not [time, code, text]") from error


def read_event(text: str) -> dict[str, Any]:
    """What an event says; nothing where it is no JSON object."""
    try:
        event = json.loads(text)
    except (ValueError, RecursionError):
        event = None
    return event if isinstance(event, dict) else {}


def read_checkpoint(text: str) -> dict[str, Any]:
    """Raises DamagedSegment."""
    try:
        checkpoint = json.loads(text)
        return {
            "epochs": {str(epoch): _whole(seq) for epoch, seq in checkpoint["epochs"].items()},
            "offset": _whole(checkpoint["offset"]),
            "hash": bytes.fromhex(checkpoint["hash"]),
            "next": checkpoint.get("next"),
        }
    except _UNREADABLE as error:
        raise DamagedSegment("a checkpoint cannot be read") from error


def read_end(ordinal: int, length: int, blocks: int, head: bytes, tail: bytes) -> TranscriptEnd:
    """The tail of a segment that is not empty, from its first and its last bytes. Raises DamagedSegment."""
    if not tail.endswith(b"\n"):
        raise DamagedSegment("the segment does not end with a whole line")
    _, code, text = read_line(tail[tail.rfind(b"\n", 0, -1) + 1 :])
    if code != CHECKPOINT:
        raise DamagedSegment("the segment does not end with a checkpoint")
    checkpoint = read_checkpoint(text)
    started = read_header(head.partition(b"\n")[0]).started_us
    end = TranscriptEnd(
        ordinal, length, blocks, started, checkpoint["offset"], checkpoint["hash"], checkpoint["epochs"]
    )
    return end.next_segment() if checkpoint["next"] is not None else end


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"))
