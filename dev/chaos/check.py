"""Transcripts against the witness, byte for byte, and against what viewers were shown.

The witness is the file that the gateway writes before anything is forwarded. Each connection of the relay to the
gateway was handed one part of it, and is one epoch of the transcript: that epoch must be exactly the beginning of
the part - all of it, unless an act cut the wire or killed the relay under way, where what the relay had not read is
lost with the socket.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dev.chaos.viewer import Run
from shared.base.record import Batch, RecordKind


@dataclass
class Checked:
    """Of one machine; numbers are bytes."""

    printed: int
    handed: int
    recorded: int = 0
    shown: int = 0
    connections: int = 0
    epochs: int = 0
    segments: int = 0
    stored: int = 0
    lost: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    """On the way to the relay, each time, by the act that excuses it."""
    faults: list[str] = field(default_factory=list[str])


def check(
    witness: bytes, handed: Sequence[Sequence[int]], excused: Mapping[int, str], segments: Sequence[bytes],
    runs: Sequence[Run],
) -> Checked:  # fmt: skip
    """`handed`: first and end of each connection's part; `segments`: blobs in order; `runs`: what viewers saw."""
    epochs = printed_by_epoch(segments)
    found = Checked(len(witness), handed[-1][1] if handed else 0)
    found.segments, found.stored = len(segments), sum(map(len, segments))
    found.epochs, found.connections = len(epochs), len(handed)
    found.recorded = sum(map(len, epochs.values()))
    _match(witness, handed, excused, epochs, found)
    _hold_to_views(epochs, runs, found)
    return found


def printed_by_epoch(segments: Sequence[bytes]) -> dict[str, bytes]:
    """Read as docs/protocol.md says, with code of its own; in the order in which epochs begin."""
    parts: dict[str, list[bytes]] = {}
    epoch = ""
    for line in (line for each in segments for line in each.split(b"\n")[1:] if line):
        _, code, text = json.loads(line)
        if code == "o":
            parts.setdefault(epoch, []).append(text.encode("utf-8", "surrogateescape"))
        elif code == "e":
            epoch = json.loads(text).get("epoch", epoch)
            parts.setdefault(epoch, [])
    return {epoch: b"".join(pieces) for epoch, pieces in sorted(parts.items())}


def _match(
    witness: bytes, handed: Sequence[Sequence[int]], excused: Mapping[int, str], epochs: Mapping[str, bytes],
    found: Checked,
) -> None:  # fmt: skip
    """Each epoch to the connection whose part it begins; names of epochs sort as the connections do."""
    left = iter(enumerate(handed))
    for epoch, data in epochs.items():
        for number, (first, end) in left:
            if len(data) <= end - first and witness[first : first + len(data)] == data:
                _lose(number, end - first - len(data), excused, found)
                break
            _lose(number, end - first, excused, found)
        else:
            found.faults.append(f"epoch {epoch}: {_where(witness, data)}")
            break
    for number, (first, end) in left:
        _lose(number, end - first, excused, found)


def _lose(number: int, count: int, excused: Mapping[int, str], found: Checked) -> None:
    if not count:
        return
    if number not in excused:
        found.faults.append(f"connection {number}: {count} bytes were handed over and are in no record")
    why = excused.get(number, "no act")
    found.lost.setdefault(why, []).append(count)


def _where(witness: bytes, data: bytes) -> str:
    at = witness.find(data)
    words = f"is at byte {at} of what was printed" if at >= 0 else "was never printed so"
    return f"its {len(data)} bytes begin no connection's part; the run {words}"


def _hold_to_views(epochs: Mapping[str, bytes], runs: Sequence[Run], found: Checked) -> None:
    """Recorded before shown: whatever was seen is in the transcript."""
    for run in runs:
        found.shown += len(run.data)
        if epochs.get(run.epoch, b"")[run.start : run.end] != run.data:
            found.faults.append(
                f"epoch {run.epoch}: bytes {run.start} to {run.end} were shown, and are not recorded so"
            )


def is_kept(batch: Batch, epochs: Mapping[str, bytes]) -> bool:
    """Whether what a batch prints is in its epoch: then whoever set it aside lost nothing."""
    printed = b"".join(record.body for record in batch.records if record.kind is RecordKind.PRINTED)
    return printed in epochs[batch.source.epoch] if batch.source.epoch in epochs else False


def differences(one: bytes, two: bytes) -> Iterator[int]:
    """Where two byte strings that should be equal first differ."""
    for at, (a, b) in enumerate(zip(one, two, strict=False)):
        if a != b:
            yield at
            return
    if len(one) != len(two):
        yield min(len(one), len(two))
