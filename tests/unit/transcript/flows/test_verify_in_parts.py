"""However a verification is cut into parts, together they find what it finds at once; each costs a bounded amount."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import product
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.base.record import Record, RecordKind
from shared.transcript.archive_plan import DEFAULT_LIMITS, SegmentLimits
from shared.transcript.flows.index_transcript import index_console
from shared.transcript.flows.read_segments import place_before
from shared.transcript.flows.verify_part import Budget
from shared.transcript.flows.verify_transcript import verify_part
from shared.transcript.ports import StatementPlace, Statements
from shared.transcript.segment import LONGEST_APPEND, DamagedSegment, read_end, read_header
from shared.transcript.signed_statements import Checkpoint, Dropped, HoldPlaced, Statement
from shared.transcript.signed_verification import Begun, InvalidPartCursor, PartCursor, SignedSide, Taken
from shared.transcript.verification import Fault, Report, Verification, verify
from tests.contract.memory_archive import MemoryArchive
from tests.unit.transcript.flows.archived import CONSOLE, archived, batch

DAY_US = 24 * 3600 * 1_000_000


async def recorded(days: int = 6, piece: int = 4 << 20) -> MemoryArchive:
    """A segment a day of three appends: output, an event alone, output. How far it reached is signed after each."""
    made, seq = MemoryArchive(piece=piece), 0
    for day in range(days):
        for at in range(3):
            seq += 1
            when = DAY_US * day + at
            made_of = (
                Record.event(seq, when, "attach") if at == 1 else Record(RecordKind.PRINTED, seq, when, b"%05d" % seq)
            )
            await archived(made.transcripts, [batch(made_of)], SegmentLimits(segment_blocks=3))
            made.ledger.said.append(signed_now(made, at=seq))
    return made


def signed_now(made: MemoryArchive, at: int) -> Checkpoint:
    ordinal = max(ordinal for _, ordinal in made.transcripts.blobs)
    content = bytes(made.transcripts.blobs[CONSOLE, ordinal])
    tail = read_end(ordinal, len(content), 0, content, content)
    return Checkpoint(CONSOLE, at, ordinal, tail.offset, tail.hash)


def at_once(made: MemoryArchive, first: int = 0) -> Report:
    there = sorted(made.transcripts.blobs.items())
    said: list[Statement] = [each for each in made.ledger.said if each is not None]
    lines = ((of[1], bytes(blob).splitlines(keepends=True)) for of, blob in there if of[1] >= first)
    return verify(lines, statements=said)


async def in_parts(made: MemoryArchive, **budget: Any) -> list[Report]:
    found, cursor = list[Report](), PartCursor(0)
    for _ in range(10_000):
        part = await verify_part(made.archive, CONSOLE, cursor, budget=Budget(**budget))
        found.append(part.report)
        if part.next is None:
            return found
        cursor = PartCursor.parse(str(part.next))
        assert cursor == part.next
    raise AssertionError("it never ends")


def told(*reports: Report) -> Counter[tuple[Fault, str]]:
    return Counter((each.fault, each.words) for report in reports for each in report.findings)


def newest(reports: list[Report]) -> Checkpoint | None:
    return max((each.signed for each in reports if each.signed), key=lambda said: said.at, default=None)


KINDS = ["whole", "byte", "gone", "cut", "dropped", "forged drop", "other", "again"]


def damage(made: MemoryArchive, kind: str, segment: int, at: int) -> None:
    """`segment` from 1 to 5; `at`: a place among the statements."""
    said = made.ledger.said
    at %= len(said)
    match kind:
        case "byte":
            blob = made.transcripts.blobs[CONSOLE, segment]
            blob[blob.index(b'"o"') + 5] ^= 1
        case "gone":
            del made.transcripts.blobs[CONSOLE, segment]
        case "cut":
            for ordinal in range(segment, 6):
                del made.transcripts.blobs[CONSOLE, ordinal]
        case "dropped" | "forged drop":
            header = read_header(bytes(made.transcripts.blobs[CONSOLE, segment]).split(b"\n")[0])
            digest = header.previous if kind == "dropped" else b"z" * 32
            said.insert(at, Dropped(CONSOLE, 9, segment, header.offset, digest, "age"))
            for ordinal in range(segment):
                del made.transcripts.blobs[CONSOLE, ordinal]
        case "other":
            said[at] = replace(said[at], hash=b"x" * 32)
        case "again":  # an index that was lost
            said += said[at : at + 4]


async def agrees(made: MemoryArchive, **budget: int) -> None:
    """Whatever else is among the statements."""
    made.ledger.said += [HoldPlaced(CONSOLE, 1, "Ada", "case"), Checkpoint(f"{CONSOLE}2", 1, 0, 5, b"y" * 32)]
    whole, parts = at_once(made), await in_parts(made, **budget)
    assert told(*parts) == told(whole)
    assert all(report.complete for report in parts) == whole.complete
    assert newest(parts) == whole.signed
    if whole.segments:
        assert (parts[0].first, parts[-1].end, parts[-1].hash) == (whole.first, whole.end, whole.hash)
    assert sum(report.segments for report in parts) == whole.segments


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("segment", [1, 3, 5])
@pytest.mark.parametrize("reverse", [False, True])
async def test_small_and_large_parts_find_what_is_found_at_once(kind: str, segment: int, *, reverse: bool) -> None:
    for at, most in product((0, 7, 17), (1, 1 << 20)):
        made = await recorded(piece=64)
        damage(made, kind, segment, at)
        if reverse:
            made.ledger.said.reverse()
        await agrees(made, bytes=most, statements=most + 1, segments=most)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(KINDS), st.integers(1, 5), st.integers(0, 20), st.randoms(use_true_random=False),
    st.tuples(st.integers(1, 4000), st.integers(1, 30), st.integers(1, 8)),
)  # fmt: skip
async def test_parts_of_any_size_find_what_is_found_at_once(
    kind: str, segment: int, at: int, random: Random, budget: tuple[int, int, int]
) -> None:
    """The statements lie in any order."""
    made = await recorded(piece=random.choice([40, 4 << 20]))
    damage(made, kind, segment, at)
    if random.random() < 0.3:
        random.shuffle(made.ledger.said)
    await agrees(made, bytes=budget[0], statements=budget[1], segments=budget[2])


async def test_years_of_statements_cost_each_part_the_same() -> None:
    """A checkpoint every five minutes, of a console that prints all day: a hundred thousand of them a year."""
    made = await recorded(days=4)
    last = made.ledger.said[-1]
    held = [HoldPlaced(CONSOLE, at, "Ada", "case") for at in range(20_000)]
    made.ledger.said = [*made.ledger.said[:3], *held, *made.ledger.said[3:-1], last]
    calls, statements = list[int](), list[int]()
    cursor: PartCursor | None = PartCursor(0)
    while cursor:
        made.ledger.calls, budget = 0, Budget()
        part = await verify_part(made.archive, CONSOLE, cursor, budget=budget)
        assert part.report.complete
        calls.append(made.ledger.calls)
        statements.append(Budget().statements - budget.statements)
        cursor = part.next
    assert len(calls) > 4
    assert max(statements) <= Budget().statements
    assert max(calls) <= Budget().statements // 500 + 2, "a page holds some 500"
    assert sum(statements) == len(made.ledger.said)


async def test_lines_that_nobody_signed_are_counted_in_the_part_that_meets_them() -> None:
    made = await recorded()
    made.ledger.said[4:4] = [None, None]
    made.ledger.said.append(None)
    parts = await in_parts(made, bytes=1, statements=3)
    assert told(*parts) == {
        (Fault.ALTERED, f"{count} lines among the signed statements are not signed by this service"): 1
        for count in (2, 1)
    }


async def test_what_is_dropped_while_it_is_verified_is_not_missing() -> None:
    made = await recorded()
    part = await verify_part(made.archive, CONSOLE, PartCursor(0), budget=Budget(segments=2))
    assert part.next
    end = signed_now(made, 100)
    header = read_header(bytes(made.transcripts.blobs[CONSOLE, 4]).split(b"\n")[0])
    made.ledger.said.append(Dropped(CONSOLE, 99, 4, header.offset, header.previous, "size"))
    for ordinal in range(4):
        del made.transcripts.blobs[CONSOLE, ordinal]
    rest, cursor = list[Report](), part.next
    while cursor:
        part = await verify_part(made.archive, CONSOLE, cursor, budget=Budget(segments=1))
        rest.append(part.report)
        cursor = part.next  # type: ignore[assignment]
    assert [each.fault for report in rest for each in report.findings] == [Fault.DROPPED]
    assert rest[-1].end == end.offset


async def printed_on(made: MemoryArchive, seq: int) -> None:
    """Something more is printed, and how far it reaches is signed."""
    when = DAY_US * (seq // 3) + seq
    await archived(made.transcripts, [batch(Record(RecordKind.PRINTED, seq, when, b"%05d" % seq))], TWO_LINES)
    made.ledger.said.append(signed_now(made, at=seq))


TWO_LINES = SegmentLimits(segment_blocks=3)


async def growing(made: MemoryArchive, seq: int, more: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prints and signs while the last statements are read, once."""
    read = made.ledger.read

    async def read_late(console: str, place: StatementPlace, most: int) -> Statements:
        if place.start >= len(made.ledger.said) - 1:
            monkeypatch.setattr(made.ledger, "read", read)
            for each in range(seq, seq + more):
                await printed_on(made, each)
        return await read(console, place, most)

    monkeypatch.setattr(made.ledger, "read", read_late)


@pytest.mark.parametrize("more", [1, 2, 5])
async def test_what_is_printed_and_signed_while_it_is_verified_is_not_missing(
    more: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The walk is at the end of what it saw when the statement about what came since is read."""
    made = await recorded()
    await printed_on(made, 19)
    await growing(made, 20, more, monkeypatch)
    reports = await in_parts(made)
    assert (told(*reports), reports[-1].end) == (Counter(), signed_now(made, 100).offset)


@pytest.mark.parametrize("more", [1, 2, 5])
@pytest.mark.parametrize("closed", [False, True])
async def test_a_segment_that_grows_between_two_parts_is_read_on(more: int, *, closed: bool) -> None:
    """Of the last part, too, which has statements left when it is at the end of what there is."""
    made = await recorded()
    if not closed:
        await printed_on(made, 19)
    made.ledger.said += [HoldPlaced(CONSOLE, 30, "Ada", "case")] * 9
    cursor: PartCursor | None = PartCursor(0)
    reports = list[Report]()
    for _ in range(2):
        assert cursor
        part = await verify_part(made.archive, CONSOLE, cursor, budget=Budget(statements=13))
        reports.append(part.report)
        cursor = part.next
    for seq in range(19 if closed else 20, 20 + more):
        await printed_on(made, seq)
    while cursor:
        part = await verify_part(made.archive, CONSOLE, cursor)
        reports.append(part.report)
        cursor = part.next
    assert (told(*reports), reports[-1].end) == (Counter(), signed_now(made, 100).offset)
    assert sum(report.segments for report in reports) == len(made.transcripts.blobs)


async def test_what_is_dropped_after_it_was_walked_is_not_altered() -> None:
    """What was signed about it is read only when it is gone."""
    made = await recorded()
    part = await verify_part(made.archive, CONSOLE, PartCursor(0), budget=Budget(segments=2))
    assert part.next
    assert part.next.segment == 2
    for ordinal in range(2):
        del made.transcripts.blobs[CONSOLE, ordinal]
    part = await verify_part(made.archive, CONSOLE, part.next)
    assert (part.report.findings, part.next) == ((), None)


@pytest.mark.parametrize("statements", [1, 2, 40])
async def test_what_was_signed_just_after_a_segment_was_closed_is_held(statements: int) -> None:
    """It names the next segment, which was not there yet."""
    made = await recorded()
    content = bytes(made.transcripts.blobs[CONSOLE, 2])
    closed = read_end(2, len(content), 0, content, content)
    made.ledger.said.append(Checkpoint(CONSOLE, 99, closed.ordinal, closed.offset, closed.hash))
    assert closed.ordinal == 3
    await agrees(made, bytes=1, statements=statements, segments=1)


async def test_a_part_that_begins_late_comes_further_all_the_same() -> None:
    made = await recorded(piece=64)
    whole, reports, cursor = at_once(made), list[Report](), PartCursor(0)
    for _ in range(1000):
        part = await verify_part(made.archive, CONSOLE, cursor, budget=Budget(late=lambda: True))
        reports.append(part.report)
        if part.next is None:
            break
        assert part.next != cursor
        cursor = part.next
    assert (told(*reports), reports[-1].end) == (told(whole), whole.end)
    assert len(reports) > 10


@pytest.mark.parametrize(
    "cursor",
    [
        PartCursor(0),
        PartCursor(7),
        PartCursor(3, 100, 4, 55, b"h" * 32, "2026-11", 12, Begun(5, 2, "age", "fits")),
        PartCursor(3, begun=Begun()),
    ],
)
def test_a_cursor_is_a_text(cursor: PartCursor) -> None:
    assert PartCursor.parse(str(cursor)) == cursor


VALID = str(PartCursor(3, 100, 4, 55, b"h" * 32, "2026-11", 12, Begun(5, 2, "age", "fits")))


@pytest.mark.parametrize(
    "text", ["", "x", "-1", "1" * 9, "\u0661", f"{VALID}.", f"{VALID}\n", VALID.replace("fits", "yes"), VALID[1:]]
)
def test_another_text_is_no_cursor(text: Any) -> None:
    with pytest.raises(InvalidPartCursor):
        PartCursor.parse(text)


async def test_first_segments_that_are_gone_need_a_signed_statement_in_parts_too() -> None:
    made = await recorded()
    for ordinal in range(2):
        del made.transcripts.blobs[CONSOLE, ordinal]
    parts = await in_parts(made, bytes=1, segments=1)
    assert told(*parts) == told(at_once(made))
    assert [each.fault for report in parts for each in report.findings] == [Fault.MISSING]


async def test_behind_an_empty_segment_a_part_begins_where_its_header_says() -> None:
    made = await recorded()
    made.transcripts.blobs[CONSOLE, 1] = bytearray()
    part = await verify_part(made.archive, CONSOLE, PartCursor(2))
    assert (part.report.complete, part.report.first) == (True, 20)


def test_what_is_signed_of_another_console_says_nothing_of_this_one() -> None:
    """Whoever may write there may have copied it."""
    side = SignedSide(Verification(), CONSOLE, Begun(), None)
    assert side.take(Checkpoint(f"{CONSOLE}2", 1, 0, 99, b"y" * 32), more=False) is Taken.DONE
    assert side.end(0, last=True) == []


def dropped(segment: int, why: str = "age", digest: bytes = b"h" * 32, offset: int = 30) -> Dropped:
    return Dropped(CONSOLE, 1, segment, offset, digest, why)


@pytest.mark.parametrize(
    ("previous", "said", "fault", "words"),
    [
        (b"h" * 32, [], Fault.MISSING, "no signed statement"),
        (b"h" * 32, [dropped(2)], Fault.MISSING, "no signed statement"),
        (b"h" * 32, [dropped(3)], Fault.DROPPED, "limit: age"),
        (b"h" * 32, [dropped(5, "size")], Fault.DROPPED, "limit: size"),
        (b"h" * 32, [dropped(5, "size"), dropped(3)], Fault.DROPPED, "limit: size"),
        (b"h" * 32, [dropped(3), dropped(3, digest=b"x" * 32)], Fault.DROPPED, "limit: age"),
        (b"h" * 32, [dropped(3, digest=b"x" * 32)], Fault.ALTERED, "another transcript"),
        (b"h" * 32, [dropped(3, offset=31)], Fault.ALTERED, "another transcript"),
        (None, [dropped(3, digest=b"x" * 32)], Fault.DROPPED, "limit: age"),
    ],
)
def test_what_is_signed_of_first_segments_that_are_gone(
    previous: bytes | None, said: list[Dropped], fault: Fault, words: str
) -> None:
    side = SignedSide(Verification(), CONSOLE, Begun(30, 3), previous)
    assert all(side.take(each, more=True) is Taken.DONE for each in said)
    assert side.end(0, last=False) == []
    (finding,) = side.end(0, last=True)
    assert (finding.fault, finding.segment, finding.offset) == (fault, 3, 30)
    assert words in finding.words


def test_what_is_signed_of_segments_that_are_there_needs_no_proof() -> None:
    side = SignedSide(Verification(), CONSOLE, Begun(), None)
    assert side.take(dropped(3), more=True) is Taken.DONE
    assert side.end(0, last=True) == []


def no_checkpoint(length: int, *, in_lines: bool) -> bytes:
    line = b'[0.000000,"o","' + b"y" * 1000 + b'"]\n'
    return line * (length // len(line) + 1) if in_lines else b"z" * length


@pytest.mark.parametrize("in_lines", [True, False])
@pytest.mark.parametrize("segment", [2, 5])
async def test_a_segment_without_any_checkpoint_is_told_and_left(segment: int, *, in_lines: bool) -> None:
    """Whoever may write to the storage could make every part of a verification end in nothing."""
    made = await recorded(piece=1 << 20)
    made.transcripts.blobs[CONSOLE, segment] += no_checkpoint(LONGEST_APPEND * 5, in_lines=in_lines)
    parts = await in_parts(made, bytes=1 << 20)
    assert len(parts) < 30
    found = [each for part in parts for each in part.findings]
    assert [each.segment for each in found if "longer than any append" in each.words] == [segment]
    assert {each.segment for each in found} <= {segment, segment + 1}
    assert sum(part.segments for part in parts) == 6
    if in_lines:
        assert told(*parts) == told(at_once(made))


async def test_a_statement_about_a_segment_without_checkpoints_costs_no_more_than_an_append() -> None:
    made = await recorded(piece=1 << 20)
    blob = made.transcripts.blobs[CONSOLE, 2]
    header = blob.index(b"\n") + 1
    blob[header:] = no_checkpoint(LONGEST_APPEND * 5, in_lines=True)
    walked = made.ledger.said[8]
    assert isinstance(walked, Checkpoint)
    reads = await reads_of(made, 2, PartCursor(3, offset=walked.offset, hash=walked.hash))
    assert 9 < reads < 3 * ((LONGEST_APPEND >> 20) + 5)  # three statements


async def reads_of(made: MemoryArchive, segment: int, cursor: PartCursor) -> int:
    """Pieces of a segment that one part reads."""
    reads, read = 0, made.transcripts.read

    async def counted(console: str, ordinal: int, start: int = 0) -> AsyncIterator[bytes]:
        nonlocal reads
        async for piece in read(console, ordinal, start):
            reads += ordinal == segment
            yield piece

    made.transcripts.read = counted  # type: ignore[method-assign]
    await verify_part(made.archive, CONSOLE, cursor)
    return reads


def test_no_append_of_the_archive_is_half_as_long_as_what_is_given_up() -> None:
    assert DEFAULT_LIMITS.append_bytes * 2 <= LONGEST_APPEND


@pytest.mark.parametrize("in_lines", [True, False])
async def test_the_index_goes_by_what_it_cannot_read(*, in_lines: bool) -> None:
    made = await recorded(piece=1 << 20)
    made.transcripts.blobs[CONSOLE, 2] += no_checkpoint(LONGEST_APPEND * 2, in_lines=in_lines)
    known = await index_console(made.index, made.transcripts, CONSOLE, 1 << 30)
    assert known.whole
    assert len(await made.index.rows(CONSOLE)) == 6


@pytest.mark.parametrize("in_lines", [True, False])
async def test_a_place_behind_what_is_no_append_is_not_looked_for_for_ever(*, in_lines: bool) -> None:
    made = await recorded(piece=1 << 20)
    made.transcripts.blobs[CONSOLE, 2] += no_checkpoint(LONGEST_APPEND * 2, in_lines=in_lines)
    with pytest.raises(DamagedSegment, match="longer than any append"):
        await place_before(made.transcripts, CONSOLE, 2, LONGEST_APPEND)
