"""Index, ledger and holds: the fakes and the real adapters on Azurite, through the same tests."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from azure.storage.blob.aio import BlobServiceClient
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from shared.base.ports import Unavailable
from shared.base.tables import table_service
from shared.session.keys.pem_key_ring import NotASigningKey, PemKeyRing
from shared.transcript.blobs.signed_statements import CONTAINER, BlobStatementLog
from shared.transcript.blobs.transcripts import blob_service
from shared.transcript.keys.statement_keys import StatementKeys, StatementSigner
from shared.transcript.ports import Hold, Holds, Index, StatementPlace
from shared.transcript.recordings import Indexed, Mark, Person, Recording
from shared.transcript.signed_statements import Checkpoint, Dropped, HoldPlaced, InvalidStatement, Statement
from shared.transcript.tables.holds import TableHolds
from shared.transcript.tables.index import TableIndex
from tests.contract.memory_archive import MemoryHolds, MemoryIndex
from tests.contract.statements import all_signed

NOBODY: Any = None
"""No credential: the connection string has its own."""
JUNE, JULY = 1_780_300_000, 1_783_000_000


def pem() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.fixture
def console() -> str:
    return f"/subscriptions/{uuid4()}/resourcegroups/g/providers/microsoft.compute/virtualmachines/v"


@pytest.fixture(params=["plain", "worm"])
async def blobs(request: pytest.FixtureRequest) -> AsyncIterator[BlobServiceClient]:
    async with blob_service(request.getfixturevalue(request.param).connection) as service:
        yield service


@pytest.fixture
async def tables(storage: str) -> AsyncIterator[Any]:
    async with table_service(storage, NOBODY) as service:
        yield service


@pytest.fixture(params=["memory", "table"])
def index(request: pytest.FixtureRequest) -> Index:
    return MemoryIndex() if request.param == "memory" else TableIndex(request.getfixturevalue("tables"))


@pytest.fixture(params=["memory", "table"])
def holds(request: pytest.FixtureRequest) -> Holds:
    return MemoryHolds() if request.param == "memory" else TableHolds(request.getfixturevalue("tables"))


@pytest.fixture
def ledger(blobs: BlobServiceClient) -> BlobStatementLog:
    return BlobStatementLog(blobs, StatementSigner(ring(pem()), "https://service"))


def ring(pems: str) -> PemKeyRing:
    return PemKeyRing(pems, "STATEMENT_KEY")


def recording(name: str, marks: int = 1) -> Recording:
    return Recording(
        name, 2, 300, 5, 9, 10, 20, 9, "goodbye",
        (Person("s1", "Ada \u20ac", "write", 5, None),),
        tuple(Mark("boot", offset, offset, "Linux version \u2713" + "x" * 100) for offset in range(marks)),
    )  # fmt: skip


async def test_a_row_comes_back_as_it_was_put(index: Index, console: str) -> None:
    row = Indexed(2, 500, 1, 2, 10, 20, "ab" * 32, "e1", b"\xff\x00carry", (recording("e1"),), 500, announced=True)
    await index.put(console, Indexed(11))
    await index.put(console, row)
    await index.put(f"{console}2", Indexed(3))
    assert await index.rows(console) == [row, Indexed(11)]
    await index.put(console, Indexed(2, 600))
    assert (await index.rows(console))[0] == Indexed(2, 600)
    await index.forget(console, 2)
    await index.forget(console, 2)
    assert await index.rows(console) == [Indexed(11)]


async def test_where_upkeep_goes_on_is_kept_and_is_no_row_of_a_console(index: Index, console: str) -> None:
    await index.put_place("")
    assert await index.place() == ""
    await index.put_place(console)
    assert await index.place() == console
    assert await index.rows(console) == []


async def test_of_a_console_without_rows_there_are_none(index: Index, console: str) -> None:
    assert await index.rows(console) == []


async def test_a_row_of_many_marks_takes_several_properties(tables: Any, console: str) -> None:
    index, row = TableIndex(tables), Indexed(0, pieces=tuple(recording(f"e{n}", 200) for n in range(5)))
    await index.put(console, row)
    assert await index.rows(console) == [row]


async def test_a_row_that_would_be_too_large_loses_its_oldest_pieces(tables: Any, console: str) -> None:
    index, row = TableIndex(tables), Indexed(0, 77, pieces=tuple(recording(f"e{n:02d}", 200) for n in range(40)))
    await index.put(console, row)
    (found,) = await index.rows(console)
    assert found.length == 77
    assert 0 < len(found.pieces) < 40
    assert found.pieces == row.pieces[-len(found.pieces) :]


async def test_a_hold_is_found_until_it_is_lifted(holds: Holds, console: str) -> None:
    assert await holds.find(console) is None
    for hold in (Hold("Ada", 5.0, "case 12"), Hold("Grace", 6.5, "case 13")):
        await holds.place(console, hold)
        assert await holds.find(console) == hold
    assert await holds.find(f"{console}2") is None
    await holds.lift(console)
    await holds.lift(console)
    assert await holds.find(console) is None


async def test_statements_come_back_in_the_order_of_their_months(ledger: BlobStatementLog, console: str) -> None:
    said: list[Statement] = [
        Checkpoint(console, JUNE, 0, 10, b"h" * 32),
        HoldPlaced(console, JUNE, "Ada", "case 12 \u20ac"),
        Dropped(console, JULY, 1, 10, b"h" * 32, "age"),
    ]
    await ledger.add(said[2])
    for each in said[:2]:
        await ledger.add(each)
    await ledger.add(HoldPlaced(f"{console}2", JUNE, "Ada", "another console"))
    for most in (1, 700, 1 << 20):
        found = await all_signed(ledger, console, most)
        assert (found.said, found.broken) == (said, 0)
    assert (await all_signed(ledger, f"{console}/none")).said == []


async def test_what_is_signed_later_is_read_from_where_one_stood(ledger: BlobStatementLog, console: str) -> None:
    first, second, third = (HoldPlaced(console, at, "Ada", "case") for at in (JUNE, JUNE + 1, JULY))
    await ledger.add(first)
    found = await ledger.read(console, StatementPlace(), 1 << 20)
    assert ([each.statement for each in found.said], found.more) == ([first], False)
    await ledger.add(second)
    await ledger.add(third)
    again = await ledger.read(console, found.next, 1 << 20)
    assert [each.statement for each in again.said] == [second, third]
    assert again.said[0].place == found.next
    nothing = await ledger.read(console, again.next, 1 << 20)
    assert (nothing.said, nothing.next, nothing.more) == ([], again.next, False)


async def test_a_line_that_somebody_else_wrote_is_told_apart(
    ledger: BlobStatementLog, blobs: BlobServiceClient, console: str
) -> None:
    mine, forged = HoldPlaced(console, JUNE, "Ada", "case 12"), StatementSigner(ring(pem()), "https://service")
    await ledger.add(mine)
    blob = blobs.get_blob_client(CONTAINER, f"{console.strip('/')}/2026-06.jws")
    await blob.append_block(f"{await forged.sign(mine)}\nnot even a token\n".encode())
    found = await all_signed(ledger, console)
    assert (found.said, found.broken) == ([mine], 2)


async def test_statements_of_a_key_that_was_used_before_are_still_read(blobs: BlobServiceClient, console: str) -> None:
    old, new = pem(), pem()
    mine = HoldPlaced(console, JUNE, "Ada", "case 12")
    await BlobStatementLog(blobs, StatementSigner(ring(old), "https://service")).add(mine)
    rotated = BlobStatementLog(blobs, StatementSigner(ring((new + old).replace("\n", "\\n")), "https://service"))
    await rotated.add(mine)
    assert (await all_signed(rotated, console)).said == [mine, mine]
    keys = StatementKeys(json.loads(json.dumps(await rotated.public_keys())))
    lines, more = await rotated.page(console, StatementPlace(), 1 << 20)
    assert ([keys.read(line) for line in lines], more) == ([mine, mine], None)


async def test_statements_are_read_in_pages_of_whole_lines(blobs: BlobServiceClient, console: str) -> None:
    ledger = BlobStatementLog(blobs, StatementSigner(ring(pem()), "https://service"))
    made = [
        HoldPlaced(console, at, "Ada", f"case {at:.0f}")
        for at in (JUNE, JUNE + 1, JUNE + 40 * 86400, JUNE + 80 * 86400)
    ]
    for each in made:
        await ledger.add(each)
    keys = StatementKeys(json.loads(json.dumps(await ledger.public_keys())))
    for most in (1, 600, 900, 1300, 1 << 20):
        found, place = list[str](), StatementPlace()
        while True:
            lines, more = await ledger.page(console, place, most)
            assert sum(map(len, lines)) <= max(most, 2048), "a line each month, where not even one fits"
            found += lines
            if more is None:
                break
            place = more
        assert [keys.read(line) for line in found] == made


@pytest.mark.parametrize("text", ["", "nothing", "-----BEGIN PRIVATE KEY-----\nxx\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_key_is_refused_by_its_settings_name(text: str) -> None:
    with pytest.raises(NotASigningKey, match=r"^STATEMENT_KEY is "):
        ring(text)


@pytest.mark.parametrize("jwks", [{}, {"keys": 5}, {"keys": [{"kty": "EC"}]}, {"keys": [5]}])
def test_what_is_no_set_of_keys_is_refused(jwks: dict[str, Any]) -> None:
    with pytest.raises(InvalidStatement):
        StatementKeys(jwks)


async def test_a_ledger_out_of_reach_is_unavailable(storage: str, console: str) -> None:
    closed = storage.replace("http://127.0.0.1", "http://127.0.0.2")
    service = BlobServiceClient.from_connection_string(closed, retry_total=0, connection_timeout=1)
    async with service:
        with pytest.raises(Unavailable):
            await BlobStatementLog(service, StatementSigner(ring(pem()), "https://service")).add(
                HoldPlaced(console, JUNE, "", "")
            )
