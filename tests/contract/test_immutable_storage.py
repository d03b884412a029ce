"""Every write to an immutable container: what the storage refuses, and what the archive makes of it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob.aio import BlobServiceClient

from dev.storage.immutability import AS_DEPLOYED, DAY_SECONDS, Policy
from dev.storage.proxy import StorageProxy
from dev.storage.trouble import SERVER_BUSY, TIMED_OUT, Trouble
from shared.base.ports import Unavailable
from shared.base.tables import table_service
from shared.transcript.blobs.signed_statements import BlobStatementLog
from shared.transcript.blobs.transcripts import BlobTranscripts, blob_service
from shared.transcript.flows.apply_retention import apply_retention
from shared.transcript.flows.archive import Archive
from shared.transcript.flows.archive_records import KnownEnds, archive_records
from shared.transcript.keys.statement_keys import StatementSigner
from shared.transcript.retention import Retention
from shared.transcript.signed_statements import Dropped, HoldPlaced
from shared.transcript.tables.holds import TableHolds
from shared.transcript.tables.index import TableIndex
from shared.transcript.tables.reads import TableReads
from tests.contract.statements import all_signed
from tests.contract.strict_storage import Strict, strict_storage
from tests.contract.test_archive import pem, ring
from tests.contract.test_archiving import BODIES, SMALL, delivery, printed
from tests.fakes import FakeClock

NOBODY: Any = None
"""No credential: the connection string has its own."""
NO_RECORD = b"no record at all"


@pytest.fixture
def console() -> str:
    return f"/subscriptions/{uuid4()}/resourcegroups/g/providers/microsoft.compute/virtualmachines/v"


ORDERS = pytest.mark.parametrize("condition_first", [False, True], ids=["policy first", "condition first"])


@pytest.fixture
def strict(account: str) -> Iterator[Strict]:
    """Of a test's own, so that it may change the policies."""
    with strict_storage(account) as made:
        made.proxy.policies = dict(AS_DEPLOYED)
        yield made


@pytest.fixture
def proxy(strict: Strict) -> StorageProxy:
    return strict.proxy


@pytest.fixture
async def blobs(strict: Strict) -> AsyncIterator[BlobServiceClient]:
    async with blob_service(strict.connection) as service:
        yield service


@pytest.fixture
def transcripts(blobs: BlobServiceClient) -> BlobTranscripts:
    return BlobTranscripts(blobs)


async def refused(work: Awaitable[Any]) -> str:
    """The error's code, as the SDK reads it."""
    with pytest.raises(HttpResponseError) as caught:
        await work
    assert caught.value.status_code == 409
    return str(getattr(caught.value, "error_code", None))


async def test_the_stand_in_refuses_as_the_service_does(
    proxy: StorageProxy, blobs: BlobServiceClient, transcripts: BlobTranscripts, console: str
) -> None:
    await transcripts.create(console, 0)
    await transcripts.set_aside(f"events{console}", b"x")
    container = blobs.get_container_client("transcripts")
    log = container.get_blob_client(f"{console.strip('/')}/00000000.cast")
    letter = container.get_blob_client(f"dead-letter/events{console}")
    for blob in (log, letter):
        for work in (
            blob.upload_blob(b"y", overwrite=True), blob.set_blob_metadata({"a": "b"}), blob.set_http_headers(),
            blob.create_snapshot(), blob.delete_blob(),
        ):  # fmt: skip
            assert await refused(work) == "BlobImmutableDueToPolicy"
    await refused(container.delete_container())
    await log.append_block(b"more")
    for policy, code in (
        (Policy(days=90), "BlobImmutableDueToPolicy"),
        (replace(AS_DEPLOYED["transcripts"], hold=True), "BlobImmutableDueToLegalHold"),
    ):
        proxy.policies["transcripts"] = policy
        assert await refused(log.append_block(b"more")) == code
    proxy.policies["transcripts"] = replace(AS_DEPLOYED["transcripts"], hold=True, hold_appends=True)
    await log.append_block(b"more")


@ORDERS
async def test_an_event_that_was_set_aside_comes_again_and_holds_nothing_up(
    proxy: StorageProxy, transcripts: BlobTranscripts, console: str, *, condition_first: bool
) -> None:
    proxy.condition_first = condition_first
    for end in (8, 16, 24):
        done = await archive_records([NO_RECORD, *delivery(console, 0, end)], transcripts, KnownEnds())
        assert len(done.aside) == 1
    assert await printed(transcripts, console) == BODIES


@ORDERS
async def test_who_ends_between_the_creation_of_a_segment_and_its_first_block_is_followed(
    proxy: StorageProxy, transcripts: BlobTranscripts, console: str, *, condition_first: bool
) -> None:
    proxy.condition_first = condition_first
    await transcripts.create(console, 0)
    await archive_records(delivery(console, 0, 8), transcripts, KnownEnds(), SMALL)
    await archive_records(delivery(console, 4, 24), transcripts, KnownEnds(), SMALL)
    assert await printed(transcripts, console) == BODIES


async def test_a_hold_that_forbids_appends_lets_records_wait_in_the_hub(
    proxy: StorageProxy, transcripts: BlobTranscripts, console: str
) -> None:
    """The error names the hold, and once it allows appends the same delivery goes on."""
    await archive_records(delivery(console, 0, 8), transcripts, KnownEnds())
    proxy.policies["transcripts"] = replace(AS_DEPLOYED["transcripts"], hold=True)
    with pytest.raises(Unavailable, match="BlobImmutableDueToLegalHold"):
        await archive_records(delivery(console, 4, 24), transcripts, KnownEnds())
    proxy.policies["transcripts"] = replace(AS_DEPLOYED["transcripts"], hold=True, hold_appends=True)
    await archive_records(delivery(console, 4, 24), transcripts, KnownEnds())
    assert await printed(transcripts, console) == BODIES


@ORDERS
async def test_statements_are_added_also_by_two_who_begin_a_month_at_once(
    proxy: StorageProxy, blobs: BlobServiceClient, console: str, *, condition_first: bool
) -> None:
    proxy.condition_first = condition_first
    key, said = pem(), HoldPlaced(console, 1_780_300_000, "Ada", "case 12")
    ledgers = [BlobStatementLog(blobs, StatementSigner(ring(key), "https://service")) for _ in range(6)]
    await asyncio.gather(*(ledger.add(said) for ledger in ledgers))
    found = await all_signed(ledgers[0], console)
    assert (found.said, found.broken) == ([said] * len(ledgers), 0)


async def test_retention_drops_nothing_before_the_storage_lets_it_and_all_that_is_due_then(
    strict: Strict, transcripts: BlobTranscripts, console: str
) -> None:
    clock = FakeClock(time.time())
    strict.proxy.clock = clock.now
    async with table_service(strict.connection, NOBODY) as tables:
        signer = StatementSigner(ring(pem()), "https://service")
        archive = Archive(
            transcripts=transcripts, index=TableIndex(tables), ledger=BlobStatementLog(transcripts.service, signer),
            holds=TableHolds(tables), reads=TableReads(tables), clock=clock, ring=Retention(1, 0),
        )  # fmt: skip
        for end in range(4, 25, 4):
            await archive_records(delivery(console, end - 4, end), transcripts, KnownEnds(), SMALL)
        before = [each async for each in transcripts.segments(console)]
        assert len(before) > 1
        await apply_retention(archive)
        assert [each async for each in transcripts.segments(console)] == before
        clock.time += 91 * DAY_SECONDS
        await apply_retention(archive)
        said = (await all_signed(archive.ledger, console)).said
    assert [each async for each in transcripts.segments(console)] == before[-1:]
    assert [each.segment for each in said if isinstance(each, Dropped)] == before[-1:]


@pytest.mark.parametrize("words", ["/dead-letter/", ".cast", "comp=appendblock"], ids=["letter", "create", "append"])
@pytest.mark.parametrize(("answer", "done"), [(SERVER_BUSY, False), (TIMED_OUT, False), (TIMED_OUT, True)])
async def test_a_storage_that_is_busy_costs_time_and_neither_loses_nor_doubles(
    strict: Strict, transcripts: BlobTranscripts, console: str, words: str, answer: tuple[int, str, str], *, done: bool
) -> None:
    strict.proxy.trouble = Trouble(answer, words, times=1, done=done)
    archived = await archive_records([console.encode(), *delivery(console, 0, 24)], transcripts, KnownEnds())
    assert len(strict.proxy.trouble.met) == len(archived.aside) == 1
    assert await printed(transcripts, console) == BODIES
