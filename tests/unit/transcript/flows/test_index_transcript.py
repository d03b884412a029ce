"""The index says of segments what lies in them, however often it is interrupted or lost."""

from dataclasses import replace

import pytest

from shared.base.record import Record, RecordKind
from shared.transcript.archive_plan import SegmentLimits
from shared.transcript.flows import index_transcript
from shared.transcript.flows.index_transcript import Known, StillIndexing, index_console, recordings
from tests.contract.memory_archive import MemoryArchive
from tests.unit.transcript.flows.archived import CONSOLE, archived, batch

EVERYTHING = 1 << 40
SMALL = SegmentLimits(segment_blocks=2)


@pytest.fixture
def kept() -> MemoryArchive:
    return MemoryArchive()


async def prints(kept: MemoryArchive, epoch: str, first: int, last: int) -> None:
    for seq in range(first, last + 1):
        record = (
            Record(RecordKind.PRINTED, seq, seq, b"line %02d\n" % seq) if seq > 1 else Record.event(1, 1, "port-open")
        )
        await archived(kept.transcripts, [batch(record, epoch=epoch)], SMALL)


async def indexed(kept: MemoryArchive, budget: int = EVERYTHING) -> Known:
    return await index_console(kept.index, kept.transcripts, CONSOLE, budget)


async def test_of_nothing_nothing_is_known(kept: MemoryArchive) -> None:
    assert await indexed(kept) == Known((), whole=True)


async def test_every_segment_has_a_row_and_only_what_is_new_is_read(kept: MemoryArchive) -> None:
    await prints(kept, "e1", 1, 5)
    first = await indexed(kept)
    assert [row.ordinal for row in first.rows] == [0, 1, 2]
    written = kept.index.written
    assert await indexed(kept) == first
    assert kept.index.written == written
    await prints(kept, "e1", 6, 6)
    (found,) = (await indexed(kept)).recordings
    assert (found.id, found.end) == ("e1", 5 * 8)


async def test_rows_that_are_lost_are_made_again(kept: MemoryArchive) -> None:
    await prints(kept, "e1", 1, 5)
    await prints(kept, "e2", 1, 5)
    first = await indexed(kept)
    for lost in ([0], [1, 2], [0, 1, 2, 3, 4]):
        for ordinal in lost:
            await kept.index.forget(CONSOLE, ordinal)
        assert (await indexed(kept)).recordings == first.recordings


async def test_the_rows_of_segments_that_are_gone_go_too(kept: MemoryArchive) -> None:
    await prints(kept, "e1", 1, 5)
    await indexed(kept)
    await kept.transcripts.drop(CONSOLE, 0)
    assert [row.ordinal for row in (await indexed(kept)).rows] == [1, 2]
    assert [row.ordinal for row in await kept.index.rows(CONSOLE)] == [1, 2]


async def test_a_budget_ends_the_work_and_the_next_time_goes_on(kept: MemoryArchive) -> None:
    await prints(kept, "e1", 1, 9)
    whole = await recordings(kept.index, kept.transcripts, CONSOLE)
    kept.index.kept.clear()
    seen = []
    while not (known := await indexed(kept, 1)).whole:
        seen.append(known.rows[-1].length)
    assert len(seen) > 5
    assert known.recordings == tuple(whole)


async def test_a_request_reads_a_bounded_part_and_the_next_one_goes_on(
    kept: MemoryArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    await prints(kept, "e1", 1, 9)
    whole = await recordings(kept.index, kept.transcripts, CONSOLE)
    kept.index.kept.clear()
    monkeypatch.setattr(index_transcript, "REQUEST_BYTES", 200)
    tries = 0
    while True:
        try:
            found = await recordings(kept.index, kept.transcripts, CONSOLE)
        except StillIndexing:
            tries += 1
        else:
            break
    assert found == whole
    assert tries > 2


async def test_a_segment_that_ends_inside_a_line_is_read_to_the_line_before(kept: MemoryArchive) -> None:
    await prints(kept, "e1", 1, 2)
    good = await indexed(kept)
    kept.transcripts.blobs[CONSOLE, 0] += b"[1,"
    assert await indexed(kept) == good


async def test_a_state_in_a_row_is_kept_while_it_grows(kept: MemoryArchive) -> None:
    await prints(kept, "e1", 1, 2)
    (row,) = (await indexed(kept)).rows
    await kept.index.put(CONSOLE, replace(row, signed=row.length, announced=True))
    await prints(kept, "e1", 3, 3)
    grown = (await indexed(kept)).rows[0]
    assert (grown.signed, grown.announced) == (row.length, True)
