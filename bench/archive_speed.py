"""How fast the archiver is, beside the bare appends that it makes, on the same storage in alternating rounds."""

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from uuid import uuid4

from shared.base.record import Batch, Record, RecordKind, Source
from shared.transcript.blobs.transcripts import CONTAINER, BlobTranscripts, blob_service
from shared.transcript.flows.archive_records import KnownEnds, archive_records

CONSOLES = 16
EVENTS = 4
"""Of each console in one delivery; 64 is what the host hands over at most."""
LOADS = {
    "text in records of 88 bytes": (88, 500, False),
    "text in records of 4 KiB": (4096, 48, False),
    "any bytes in records of 4 KiB": (4096, 48, True),
}
"""Bytes of a record, records of an event, and whether they are random; an event is up to 200 KB, as relays send."""


@dataclass
class Speed:
    """Sums over all rounds; times are seconds."""

    records: int = 0
    printed: int = 0
    stored: int = 0
    seconds: float = 0.0
    processor: float = 0.0
    bare_seconds: float = 0.0
    bare_processor: float = 0.0
    _appends: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]])


class Noting(BlobTranscripts):
    """Transcripts that keep what was appended, to append it again without any thought."""

    def __init__(self, service: object, appends: list[tuple[str, bytes]]) -> None:
        super().__init__(service)  # type: ignore[arg-type] # a BlobServiceClient
        self._appends = appends

    async def append(self, console: str, ordinal: int, position: int, data: bytes) -> None:
        await super().append(console, ordinal, position, data)
        self._appends.append((console, data))


async def measured(storage: str, load: str, rounds: int) -> Speed:
    speed = Speed()
    async with blob_service(storage) as service:
        transcripts, tails = Noting(service, speed._appends), KnownEnds()  # noqa: SLF001 - its own
        consoles = [_console() for _ in range(CONSOLES)]
        await archive_records(_delivery(consoles, load, 0), transcripts, tails)  # the first makes connections and blobs
        for number in range(1, rounds + 1):
            await _round(_delivery(consoles, load, number), transcripts, tails, speed)
            await _bare_round(service, speed)
    speed.records = rounds * CONSOLES * EVENTS * LOADS[load][1]
    speed.printed = speed.records * LOADS[load][0]
    return speed


async def _round(events: Sequence[bytes], transcripts: Noting, tails: KnownEnds, speed: Speed) -> None:
    speed._appends.clear()  # noqa: SLF001 - its own
    began, spent = time.perf_counter(), time.process_time()
    done = await archive_records(events, transcripts, tails)
    speed.seconds += time.perf_counter() - began
    speed.processor += time.process_time() - spent
    speed.stored += done.bytes


async def _bare_round(service: object, speed: Speed) -> None:
    """The same appends to blobs of their own, as many at once, by the SDK alone."""
    container = service.get_container_client(CONTAINER)  # type: ignore[attr-defined] # a BlobServiceClient
    blobs = [(container.get_blob_client(f"bare/{uuid4()}"), data) for _, data in speed._appends]  # noqa: SLF001
    await asyncio.gather(*(blob.create_append_blob() for blob, _ in blobs))
    began, spent = time.perf_counter(), time.process_time()
    await asyncio.gather(*(blob.append_block(BytesIO(data), length=len(data)) for blob, data in blobs))
    speed.bare_seconds += time.perf_counter() - began
    speed.bare_processor += time.process_time() - spent


def _console() -> str:
    return f"/subscriptions/{uuid4()}/resourcegroups/g/providers/microsoft.compute/virtualmachines/v"


def _delivery(consoles: Sequence[str], load: str, number: int) -> list[bytes]:
    return [
        _event(console, load, 1 + (number * EVENTS + each) * LOADS[load][1])
        for each in range(EVENTS)
        for console in consoles
    ]


def _event(console: str, load: str, first: int) -> bytes:
    size, count, random = LOADS[load]
    now = time.time_ns() // 1000
    bodies = (os.urandom(size) if random else _text(size, first + each) for each in range(count))
    records = tuple(Record(RecordKind.PRINTED, first + each, now, body) for each, body in enumerate(bodies))
    return Batch(Source(console, "0000000000000001-00000001", "bench"), records).encode()


def _text(size: int, number: int) -> bytes:
    line = b"[%12.6f] systemd[1]: Started Serial Getty on ttyS0, and some more of such words.\r\n" % (number / 7)
    return (line * (size // len(line) + 1))[:size]
