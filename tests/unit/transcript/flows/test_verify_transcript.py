"""Verification in parts finds what verification at once finds."""

from dataclasses import replace
from typing import Any

import pytest

from shared.base.record import Record, RecordKind
from shared.transcript.archive_plan import SegmentLimits
from shared.transcript.flows.apply_retention import apply_retention
from shared.transcript.flows.verify_part import Budget
from shared.transcript.flows.verify_transcript import segment_at, verify_part
from shared.transcript.retention import Retention
from shared.transcript.signed_verification import PartCursor
from shared.transcript.verification import Fault, Report
from tests.contract.memory_archive import MemoryArchive
from tests.unit.transcript.flows.archived import CONSOLE, archived, batch

SMALL = SegmentLimits(segment_blocks=2)
DAY = 24 * 3600 * 1_000_000


@pytest.fixture(params=[4 << 20, 50])
async def kept(request: pytest.FixtureRequest) -> MemoryArchive:
    """Five segments, a day each, of two appends with 7 bytes; signed. Read in large pieces and in tiny ones."""
    made = MemoryArchive(piece=request.param)
    for seq in range(1, 11):
        record = Record(RecordKind.PRINTED, seq, DAY * ((seq - 1) // 2), b"line %02d" % seq)
        await archived(made.transcripts, [batch(record)], SMALL)
    await apply_retention(made.archive)
    return made


async def parts(kept: MemoryArchive, part: int = 1, last_us: int | None = None, **budget: Any) -> list[Report]:
    """What all parts find. A cursor is a text in between, and each part comes further than the one before."""
    found: list[Report] = []
    at, seen = PartCursor(0), set[str]()
    while True:
        made = await verify_part(kept.archive, CONSOLE, at, last_us, Budget(bytes=part, **budget))
        found.append(made.report)
        if made.next is None:
            return found
        assert str(made.next) not in seen
        seen.add(str(made.next))
        at = PartCursor.parse(str(made.next))
        assert at == made.next


def faults(*reports: Report) -> list[tuple[Fault, int]]:
    return [(each.fault, each.segment) for report in reports for each in report.findings]


async def test_a_whole_transcript_is_complete_at_once_and_in_parts(kept: MemoryArchive) -> None:
    (whole,) = await parts(kept, part=1 << 30)
    assert (whole.complete, whole.segments, whole.end) == (True, 5, 70)
    assert whole.signed
    each = await parts(kept)
    assert all(report.complete for report in each)
    ends = [0, *(report.end for report in each)]
    assert ends == sorted(ends)
    assert [report.first for report in each] == ends[:-1]
    assert (ends[-1], sum(report.segments for report in each), each[-1].hash) == (70, 5, whole.hash)
    assert [report.signed for report in each if report.signed] == [whole.signed]


@pytest.mark.parametrize("ordinal", range(5))
async def test_a_damage_is_found_in_its_part_alone(kept: MemoryArchive, ordinal: int) -> None:
    blob = kept.transcripts.blobs[CONSOLE, ordinal]
    at = blob.index(b"line")
    blob[at : at + 4] = b"lime"
    assert faults(*await parts(kept)) == faults(*await parts(kept, part=1 << 30)) == [(Fault.ALTERED, ordinal)]


async def test_a_segment_that_is_gone_is_found_in_parts_too(kept: MemoryArchive) -> None:
    await kept.transcripts.drop(CONSOLE, 2)
    assert faults(*await parts(kept, part=1 << 30)) == [(Fault.MISSING, 3)]
    assert Fault.MISSING in [fault for fault, _ in faults(*await parts(kept))]


async def test_an_end_that_was_cut_misses_what_was_signed(kept: MemoryArchive) -> None:
    await kept.transcripts.drop(CONSOLE, 4)
    assert (Fault.MISSING, 3) in faults(*await parts(kept, part=1 << 30))
    assert (Fault.MISSING, 3) in faults(*await parts(kept))


async def test_a_line_that_is_cut_short_at_the_end_is_found(kept: MemoryArchive) -> None:
    del kept.transcripts.blobs[CONSOLE, 4][-1:]
    assert faults(*await parts(kept, part=1 << 30)) == [
        (Fault.UNREADABLE, 4),
        (Fault.UNFINISHED, 4),
        (Fault.MISSING, 4),
    ]


async def test_lines_among_the_statements_that_nobody_signed_are_a_finding(kept: MemoryArchive) -> None:
    kept.ledger.said += [None, None]
    (report,) = await parts(kept, part=1 << 30)
    assert [each.words for each in report.findings] == [
        "2 lines among the signed statements are not signed by this service"
    ]


@pytest.mark.parametrize(("day", "segment"), [(-1, 0), (0, 0), (0.5, 0), (1, 1), (2.5, 2), (4, 4), (99, 4)])
async def test_a_time_leads_to_the_segment_that_was_written_then(kept: MemoryArchive, day: float, segment: int) -> None:
    assert await segment_at(kept.archive, CONSOLE, int(day * DAY)) == segment


async def test_a_range_of_time_is_verified_by_itself(kept: MemoryArchive) -> None:
    part = await verify_part(kept.archive, CONSOLE, PartCursor(1), int(2.5 * DAY))
    assert (part.next, part.report.complete, part.report.first, part.report.end) == (None, True, 14, 42)


async def test_behind_a_segment_that_cannot_be_read_a_part_begins_where_its_header_says(kept: MemoryArchive) -> None:
    kept.transcripts.blobs[CONSOLE, 1] += b"torn"
    part = await verify_part(kept.archive, CONSOLE, PartCursor(2))
    assert (part.report.complete, part.report.first) == (True, 28)
    kept.transcripts.blobs[CONSOLE, 2] = bytearray(b"{}\n")
    assert (Fault.UNREADABLE, 2) in faults((await verify_part(kept.archive, CONSOLE, PartCursor(2))).report)
    assert await segment_at(kept.archive, CONSOLE, 99 * DAY) == 4
    kept.transcripts.blobs[CONSOLE, 2] = bytearray()
    assert not (await verify_part(kept.archive, CONSOLE, PartCursor(2))).report.complete


async def test_of_a_console_that_was_never_recorded_there_is_nothing_to_find() -> None:
    made = MemoryArchive(Retention())
    part = await verify_part(made.archive, CONSOLE, PartCursor(0))
    assert (part.report.complete, part.report.segments, part.next) == (True, 0, None)
    assert await segment_at(made.archive, CONSOLE, 5) == 0


@pytest.mark.parametrize("segments", [1, 100])
async def test_an_index_that_was_altered_is_named_and_made_anew(kept: MemoryArchive, segments: int) -> None:
    true = dict(kept.index.kept)
    row = kept.index.kept[CONSOLE, 2]
    kept.index.kept[CONSOLE, 2] = replace(row, pieces=(replace(row.pieces[0], reason="nothing happened"),))
    assert faults(*await parts(kept, part=1 << 30, segments=segments)) == [(Fault.INDEX, 2)]
    assert kept.index.kept == true
    assert faults(*await parts(kept, part=1 << 30, segments=segments)) == []


async def test_an_index_that_lost_a_row_or_lags_behind_is_no_fault(kept: MemoryArchive) -> None:
    true = dict(kept.index.kept)
    del kept.index.kept[CONSOLE, 2]
    kept.index.kept[CONSOLE, 4] = kept.index.kept[CONSOLE, 3].next_segment(4)
    assert faults(*await parts(kept, part=1 << 30)) == []
    await apply_retention(kept.archive)
    assert {key: replace(row, signed=0) for key, row in kept.index.kept.items()} == {
        key: replace(row, signed=0) for key, row in true.items()
    }


async def test_a_row_that_had_no_room_for_all_is_no_fault(kept: MemoryArchive) -> None:
    for row in kept.index.kept.values():
        kept.index.kept[CONSOLE, row.ordinal] = replace(row, pieces=())
    assert faults(*await parts(kept, part=1 << 30)) == []
