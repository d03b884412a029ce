"""Transcripts: the fake and the real adapter on Azurite, through the same tests."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from azure.storage.blob.aio import BlobServiceClient

from shared.base.ports import Unavailable
from shared.transcript.blobs.transcripts import CONTAINER, BlobTranscripts, blob_service
from shared.transcript.ports import AppendConflict, SegmentInfo
from tests.contract.memory_transcripts import MemoryTranscripts
from tests.contract.strict_storage import Strict

BIG = 5 << 20
type Kept = MemoryTranscripts | BlobTranscripts


@pytest.fixture
async def blobs(storage: str) -> AsyncIterator[BlobServiceClient]:
    async with blob_service(storage) as service:
        yield service


@pytest.fixture
async def immutable(worm: Strict) -> AsyncIterator[BlobServiceClient]:
    async with blob_service(worm.connection) as service:
        yield service


@pytest.fixture(params=["memory", "blobs", "immutable"])
def transcripts(request: pytest.FixtureRequest) -> Kept:
    if request.param == "memory":
        return MemoryTranscripts()
    return BlobTranscripts(request.getfixturevalue(request.param))


@pytest.fixture(params=["memory", "blobs"])
def erasable(request: pytest.FixtureRequest) -> Kept:
    """Where something may be deleted."""
    return MemoryTranscripts() if request.param == "memory" else BlobTranscripts(request.getfixturevalue("blobs"))


@pytest.fixture
def console() -> str:
    return f"/subscriptions/{uuid4()}/resourcegroups/g/providers/microsoft.compute/virtualmachines/v"


async def content(transcripts: Kept, console: str, ordinal: int, start: int = 0) -> bytes:
    return b"".join([piece async for piece in transcripts.read(console, ordinal, start)])


async def test_a_console_of_which_nothing_is_kept_has_no_segment(transcripts: Kept, console: str) -> None:
    assert await transcripts.newest(console) is None
    assert [ordinal async for ordinal in transcripts.segments(console)] == []
    assert await content(transcripts, console, 0) == b""


async def test_appends_lie_one_after_the_other(transcripts: Kept, console: str) -> None:
    await transcripts.create(console, 0)
    await transcripts.append(console, 0, 0, b"one ")
    await transcripts.append(console, 0, 4, b"two")
    newest = await transcripts.newest(console)
    assert newest
    assert (newest.ordinal, newest.length, newest.blocks) == (0, 7, 2)
    assert newest.head == newest.tail == b"one two"


async def test_an_append_at_another_position_changes_nothing(transcripts: Kept, console: str) -> None:
    await transcripts.create(console, 0)
    await transcripts.append(console, 0, 0, b"one")
    for position in (0, 2, 4):
        with pytest.raises(AppendConflict):
            await transcripts.append(console, 0, position, b"two")
    assert await content(transcripts, console, 0) == b"one"


async def test_an_append_to_a_segment_that_is_not_there_is_a_conflict(transcripts: Kept, console: str) -> None:
    with pytest.raises(AppendConflict):
        await transcripts.append(console, 3, 0, b"x")


async def test_creating_twice_or_at_once_keeps_what_is_there(transcripts: Kept, console: str) -> None:
    await asyncio.gather(*(transcripts.create(console, 0) for _ in range(4)))
    await transcripts.append(console, 0, 0, b"kept")
    await transcripts.create(console, 0)
    assert await content(transcripts, console, 0) == b"kept"


async def test_of_two_who_append_at_one_position_one_succeeds(transcripts: Kept, console: str) -> None:
    await transcripts.create(console, 0)
    tries = (transcripts.append(console, 0, 0, bytes([each]) * 100) for each in range(6))
    ended = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(str(type(end).__name__) for end in ended) == ["AppendConflict"] * 5 + ["NoneType"]
    assert len(await content(transcripts, console, 0)) == 100


async def test_the_newest_segment_is_found_also_when_another_process_began_it(transcripts: Kept, console: str) -> None:
    await transcripts.create(console, 0)
    await transcripts.append(console, 0, 0, b"old")
    assert (await transcripts.newest(console)).ordinal == 0  # type: ignore[union-attr] # it is there
    other = BlobTranscripts(transcripts.service) if isinstance(transcripts, BlobTranscripts) else transcripts
    for ordinal in (1, 2):
        await other.create(console, ordinal)
    newest = await transcripts.newest(console)
    assert newest
    assert (newest.ordinal, newest.length, newest.blocks, newest.tail) == (2, 0, 0, b"")
    assert [ordinal async for ordinal in transcripts.segments(console)] == [0, 1, 2]


async def test_other_consoles_segments_are_not_ones_own(transcripts: Kept, console: str) -> None:
    await transcripts.create(console + "2", 7)
    assert await transcripts.newest(console) is None


async def test_large_segments_are_read_in_pieces_and_from_any_byte(transcripts: Kept, console: str) -> None:
    data = bytes(range(256)) * (BIG // 256)
    await transcripts.create(console, 0)
    for at in range(0, BIG, 4 << 20):
        await transcripts.append(console, 0, at, data[at : at + (4 << 20)])
    newest = await transcripts.newest(console)
    assert newest
    assert (newest.head, newest.tail) == (data[:4096], data[-65536:])
    for start in (0, 1, 65_536, BIG - 1, BIG, BIG + 9):
        assert await content(transcripts, console, 0, start) == data[start:]


async def test_what_is_set_aside_twice_is_there_once(transcripts: Kept, console: str) -> None:
    name = f"events{console}/1"
    for _ in range(2):
        await transcripts.set_aside(name, b"\0odd")
    assert await aside(transcripts, name) == b"\0odd"
    assert await transcripts.newest(console) is None


async def test_a_letter_that_was_written_before_is_neither_replaced_nor_in_the_way(
    transcripts: Kept, console: str
) -> None:
    name = f"events{console}/1"
    await transcripts.set_aside(name, b"somebody's")
    for _ in range(2):
        await transcripts.set_aside(name, b"\0odd")
    assert [await aside(transcripts, each) for each in (name, f"{name}.1")] == [b"somebody's", b"\0odd"]


async def test_an_event_without_a_byte_is_set_aside_as_well(transcripts: Kept, console: str) -> None:
    for _ in range(2):
        await transcripts.set_aside(f"events{console}/none", b"")
    assert await aside(transcripts, f"events{console}/none") == b""


async def aside(transcripts: Kept, name: str) -> bytes:
    if isinstance(transcripts, MemoryTranscripts):
        return transcripts.aside[name]
    blob = transcripts.service.get_blob_client(CONTAINER, f"dead-letter/{name}")
    found: bytes = await (await blob.download_blob()).readall()
    return found


async def test_a_storage_that_does_not_answer_is_unavailable_and_no_secret_is_told(
    storage: str, unused_tcp_port: int, console: str
) -> None:
    away = ";".join(
        f"BlobEndpoint=http://127.0.0.1:{unused_tcp_port}/devstoreaccount1" if part.startswith("Blob") else part
        for part in storage.split(";")
    )
    async with BlobServiceClient.from_connection_string(away, retry_total=0) as service:
        transcripts = BlobTranscripts(service)
        calls = (
            transcripts.newest(console),
            transcripts.create(console, 0),
            transcripts.append(console, 0, 0, b"x"),
            transcripts.set_aside("x", b"x"),
            content(transcripts, console, 0),
        )
        for call in calls:
            with pytest.raises(Unavailable, match=r"^storage blobs: \w+$"):
                await call


async def test_a_container_that_was_deleted_is_made_again(blobs: BlobServiceClient, console: str) -> None:
    transcripts = BlobTranscripts(blobs)
    await transcripts.create(console, 0)
    await blobs.delete_container(CONTAINER)
    with pytest.raises(Unavailable):
        await transcripts.create(console, 0)
    await transcripts.create(console, 0)
    with pytest.raises(AppendConflict):
        await transcripts.append(console, 1, 0, b"x")


async def test_a_listing_names_every_segment_with_its_length(transcripts: Kept, console: str) -> None:
    other = f"{console}2"
    for of, ordinal in ((console, 0), (other, 7), (console, 1)):
        await transcripts.create(of, ordinal)
        await transcripts.append(of, ordinal, 0, b"x" * (ordinal + 1))
    assert [each async for each in transcripts.list_segments(console)] == [
        SegmentInfo(console, 0, 1),
        SegmentInfo(console, 1, 2),
    ]
    everything = [each async for each in transcripts.list_segments()]
    mine = [each for each in everything if each.console in (console, other)]
    assert mine == [SegmentInfo(console, 0, 1), SegmentInfo(console, 1, 2), SegmentInfo(other, 7, 8)]
    assert [each async for each in transcripts.list_segments(f"{console}3")] == []


async def test_what_is_set_aside_is_no_segment(transcripts: Kept, console: str) -> None:
    await transcripts.set_aside(f"batches{console}/e/1-2", b"x")
    assert [each async for each in transcripts.list_segments(console)] == []
    assert console not in {each.console async for each in transcripts.list_segments()}


async def test_a_segment_that_is_dropped_is_gone_and_may_be_dropped_again(erasable: Kept, console: str) -> None:
    await erasable.create(console, 0)
    assert await erasable.drop(console, 0)
    assert await erasable.drop(console, 0)
    assert [each async for each in erasable.list_segments(console)] == []


async def test_a_segment_that_somebody_has_leased_stays(blobs: BlobServiceClient, console: str) -> None:
    transcripts = BlobTranscripts(blobs)
    await transcripts.create(console, 0)
    lease = await blobs.get_blob_client(CONTAINER, f"{console.strip('/')}/00000000.cast").acquire_lease()
    assert not await transcripts.drop(console, 0)
    await lease.release()
    assert await transcripts.drop(console, 0)
