"""Search over segments finds what a search over all printed bytes finds."""

import pytest

from shared.base.record import Record, RecordKind
from shared.transcript.flows.search_transcript import search_transcript
from shared.transcript.search import Search
from tests.contract.memory_transcripts import MemoryTranscripts
from tests.unit.transcript.flows.archived import CONSOLE, archived, batch
from tests.unit.transcript.flows.test_read_transcript import SMALL, Told


@pytest.fixture
async def told() -> Told:
    return await Told(7, 1 << 20).tell(60, 300, SMALL)


def expected(told: Told, query: str) -> list[int]:
    search = Search(query, 0, 0)
    search.feed(told.printed, 0)
    return [hit.offset for hit in search.finish()]


FAR = 10**18


async def found(told: Told, query: str, limit: int, context: int = 0, offset: int = 0) -> list[int]:
    offsets: list[int] = []
    at: int | None = offset
    while at is not None:
        piece = await search_transcript(told.transcripts, CONSOLE, query, at, limit=limit, context=context, until=FAR)
        offsets += [hit.offset for hit in piece.hits]
        at = piece.next
    return offsets


@pytest.mark.parametrize("limit", [1, 3, 1000])
@pytest.mark.parametrize("context", [0, 2])
async def test_every_line_is_found_once(told: Told, limit: int, context: int) -> None:
    everything = expected(told, "e")
    assert len(everything) > 5
    assert await found(told, "e", limit, context) == everything


async def test_a_piece_ends_after_so_many_bytes(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.transcript.flows.search_transcript._SCANNED", 2000)
    assert await found(told, "e", 1000) == expected(told, "e")


async def test_a_search_begins_and_ends_where_it_is_told(told: Told) -> None:
    everything = expected(told, "e")
    middle = everything[len(everything) // 2]
    assert await found(told, "e", 1000, offset=middle) == [each for each in everything if each >= middle]
    piece = await search_transcript(told.transcripts, CONSOLE, "e", 0, limit=1000, context=0, until=middle)
    assert [hit.offset for hit in piece.hits] == [each for each in everything if each < middle]
    assert piece.next is None


async def test_behind_what_retention_dropped_it_begins_with_what_is_left(told: Told) -> None:
    await told.transcripts.drop(CONSOLE, 0)
    offsets = await found(told, "e", 1000)
    assert offsets[-3:] == expected(told, "e")[-3:]


async def test_where_nothing_was_printed_nothing_is_found() -> None:
    empty = MemoryTranscripts()
    assert (await search_transcript(empty, CONSOLE, "e", 0, limit=5, context=0, until=FAR)).next is None
    await empty.create(CONSOLE, 0)
    assert not (await search_transcript(empty, CONSOLE, "e", 0, limit=5, context=0, until=FAR)).hits


@pytest.mark.parametrize("until", [400, FAR])
async def test_one_record_may_hold_more_hits_than_an_answer(until: int) -> None:
    transcripts = MemoryTranscripts()
    await archived(transcripts, [batch(Record(RecordKind.PRINTED, 1, 1, b"hit\n" * 200))])
    offsets: list[int] = []
    at: int | None = 0
    while at is not None:
        piece = await search_transcript(transcripts, CONSOLE, "hit", at, limit=30, context=1, until=until)
        assert len(piece.hits) <= 30
        offsets += [hit.offset for hit in piece.hits]
        at = piece.next
    assert offsets == list(range(0, min(until, 800), 4))
