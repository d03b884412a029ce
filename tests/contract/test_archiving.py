"""The archiver on the real adapter and the emulator: two instances, lost answers, segments that roll."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from shared.base.record import Batch, Record, RecordKind
from shared.transcript.archive_plan import DEFAULT_LIMITS, SegmentLimits, plan
from shared.transcript.blobs.transcripts import CONTAINER, BlobTranscripts, blob_service
from shared.transcript.flows.archive_records import KnownEnds, archive_records
from shared.transcript.flows.find_end import find_end
from tests.unit.transcript.flows.archived import batch
from tests.unit.transcript.flows.audit import audit

SMALL = SegmentLimits(segment_blocks=3)
BODIES = [b"%d \xff\x1b[1m\r\n" % number for number in range(24)]


class Forgetful:
    """A way to the storage that breaks off instead of answering those requests whose head holds `words`."""

    def __init__(self, port: int) -> None:
        self.words = b""
        self.times = 0
        """How many answers are still to be lost."""
        self._port = port

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        """Its own port."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            server.abort_clients()
            await server.wait_closed()

    async def _serve(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        far, on = await asyncio.open_connection("127.0.0.1", self._port)
        lost = asyncio.Event()
        answers = asyncio.create_task(self._answer(far, back, lost))
        while data := await near.read(65536):
            if self.times and self.words and self.words in data:
                self.times -= 1
                lost.set()
            on.write(data)
        on.close()
        await asyncio.gather(answers, return_exceptions=True)

    async def _answer(self, far: asyncio.StreamReader, back: asyncio.StreamWriter, lost: asyncio.Event) -> None:
        while data := await far.read(65536):
            if lost.is_set():
                back.transport.abort()
                return
            back.write(data)
        back.close()


@pytest.fixture
def console() -> str:
    return f"/subscriptions/{uuid4()}/resourcegroups/g/providers/microsoft.compute/virtualmachines/v"


@pytest.fixture(params=["plain", "worm"])
def storage(request: pytest.FixtureRequest) -> str:
    """As strict as Azure's; and the same, immutable."""
    return str(request.getfixturevalue(request.param).connection)


@pytest.fixture
async def transcripts(storage: str) -> AsyncIterator[BlobTranscripts]:
    async with blob_service(storage) as service:
        yield BlobTranscripts(service)


def delivery(console: str, first: int, end: int) -> list[bytes]:
    """An event for each body, numbered from 1."""
    records = (Record(RecordKind.PRINTED, number + 1, number, BODIES[number]) for number in range(first, end))
    return [batch(record, console=console).encode() for record in records]


async def printed(transcripts: BlobTranscripts, console: str) -> list[bytes]:
    """What an auditor reads, who holds every append to the chain."""
    blobs = [
        b"".join([piece async for piece in transcripts.read(console, ordinal)])
        async for ordinal in transcripts.segments(console)
    ]
    return [body for code, body in audit(blobs) if code == "o"]


async def archive(
    transcripts: BlobTranscripts, events: Sequence[bytes], limits: SegmentLimits = DEFAULT_LIMITS
) -> None:
    """By a process that knows nothing yet."""
    await archive_records(events, transcripts, KnownEnds(), limits)


async def test_a_delivery_is_one_append_however_many_events_it_has(transcripts: BlobTranscripts, console: str) -> None:
    await archive(transcripts, delivery(console, 0, 24))
    newest = await transcripts.newest(console)
    assert newest
    assert (newest.ordinal, newest.blocks) == (0, 1)
    assert await printed(transcripts, console) == BODIES


async def test_two_instances_that_get_the_same_at_once_write_it_once(
    storage: str, transcripts: BlobTranscripts, console: str
) -> None:
    async with blob_service(storage) as service:
        other = BlobTranscripts(service)
        mine, theirs = KnownEnds(), KnownEnds()
        for first in range(0, 24, 4):
            await asyncio.gather(
                archive_records(delivery(console, first, first + 4), transcripts, mine, SMALL),
                archive_records(delivery(console, max(0, first - 3), first + 2), other, theirs, SMALL),
            )
    assert await printed(transcripts, console) == BODIES


@pytest.mark.parametrize("words", [b"comp=appendblock", b"x-ms-blob-type: AppendBlob"], ids=["append", "create"])
async def test_what_was_written_though_nobody_heard_of_it_is_there_once(
    storage: str, transcripts: BlobTranscripts, console: str, words: bytes
) -> None:
    """The SDK sends an append again by itself; its position then says that it is there."""
    blobs = next(part for part in storage.split(";") if part.startswith("BlobEndpoint="))
    address = urlsplit(blobs.removeprefix("BlobEndpoint="))
    forgetful = Forgetful(address.port or 0)
    async with forgetful.listening() as port:
        through = storage.replace(blobs, f"BlobEndpoint=http://127.0.0.1:{port}{address.path}")
        async with blob_service(through) as service:
            halting = BlobTranscripts(service)
            for first in range(0, 24, 6):
                forgetful.words, forgetful.times = words, 1
                await archive(halting, delivery(console, first, first + 6), SMALL)
    assert await printed(transcripts, console) == BODIES


async def test_who_comes_after_one_that_ended_between_two_segments_goes_on(
    transcripts: BlobTranscripts, console: str
) -> None:
    """A segment is closed, the next is made, and nothing is in it."""
    await archive(transcripts, delivery(console, 0, 8), limits := SegmentLimits(segment_blocks=1))
    tail = await find_end(console, transcripts)
    closing, _ = plan(console, tail, [Batch.decode(delivery(console, 8, 9)[0])], limits).appends
    await transcripts.append(console, closing.ordinal, closing.position, closing.data)
    await transcripts.create(console, closing.ordinal + 1)
    await archive(transcripts, delivery(console, 4, 24))
    assert await printed(transcripts, console) == BODIES


async def test_what_cannot_be_read_lies_beside_the_transcripts_byte_for_byte(
    transcripts: BlobTranscripts, console: str
) -> None:
    odd = batch(Record(RecordKind.PRINTED, 1, 1, b"x"), console=console, epoch="../../../0").encode()
    done = await archive_records([odd, *delivery(console, 0, 24)], transcripts, KnownEnds())
    (name,) = done.aside
    blob = transcripts.service.get_blob_client(CONTAINER, f"dead-letter/{name}")
    assert await (await blob.download_blob()).readall() == odd
    assert await printed(transcripts, console) == BODIES
