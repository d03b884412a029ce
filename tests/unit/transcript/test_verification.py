"""Each damage is named; what was written is complete."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.base.record import Batch, Record, RecordKind, Source
from shared.transcript.archive_plan import SegmentLimits, plan
from shared.transcript.segment import FIRST, TranscriptEnd, read_end
from shared.transcript.signed_statements import Checkpoint, Dropped, HoldPlaced, Statement
from shared.transcript.verification import Fault, Report, Verification, verify

CONSOLE = "/vm/a"
Transcript = dict[int, list[bytes]]


def written(appends: int = 6, *, segment_blocks: int = 2, skip: int = 0) -> Transcript:
    """A transcript of so many appends of ten bytes and an event; `skip` records are lost before the last."""
    tail, lines = FIRST, dict[int, list[bytes]]()
    for number in range(appends):
        seq = 2 * number + 1 + (skip if number == appends - 1 else 0)
        records = (
            Record(RecordKind.PRINTED, seq, seq, b"\xff\xe2line %02d" % number),
            Record.end(seq + 1, seq, "goodbye"),
        )
        batch = Batch(Source(CONSOLE, "e1", "relay-1"), records)
        for append in plan(CONSOLE, tail, [batch], SegmentLimits(segment_blocks=segment_blocks)).appends:
            lines.setdefault(append.ordinal, []).extend(append.data.splitlines(keepends=True))
            tail = append.after
    return lines


def verified(transcript: Transcript, *anchors: bytes) -> Report:
    return verify(sorted(transcript.items()), anchors)


def faults(transcript: Transcript, *anchors: bytes) -> list[tuple[Fault, int]]:
    return [(each.fault, each.segment) for each in verified(transcript, *anchors).findings]


WHOLE = written()
PLACES = [(ordinal, at) for ordinal, lines in WHOLE.items() for at in range(len(lines))]


def damaged(ordinal: int, *lines: bytes) -> Transcript:
    return WHOLE | {ordinal: list(lines)}


def test_what_was_written_is_complete() -> None:
    report = verified(WHOLE)
    assert (report.complete, report.findings, report.console) == (True, (), CONSOLE)
    assert (report.segments, report.first, report.end) == (len(WHOLE), 0, 54)


def test_nothing_is_complete() -> None:
    assert verified({}) == Report("", 0, 0, 0, FIRST.hash, ())


def test_a_segment_that_was_made_and_not_yet_written_to_is_no_fault() -> None:
    assert verified(WHOLE | {max(WHOLE) + 1: []}).complete


@given(st.sampled_from(PLACES), st.data())
def test_a_byte_that_is_flipped_in_what_was_recorded_is_found(place: tuple[int, int], data: st.DataObject) -> None:
    ordinal, at = place
    lines = list(WHOLE[ordinal])
    byte = data.draw(st.integers(0, len(lines[at]) - 2))
    other = data.draw(st.integers(0, 255).filter(lambda value: value not in (lines[at][byte], ord("\n"))))
    lines[at] = lines[at][:byte] + bytes([other]) + lines[at][byte + 1 :]
    assert not verified(damaged(ordinal, *lines)).complete


@pytest.mark.parametrize(("ordinal", "at"), PLACES)
def test_a_line_that_is_dropped_or_doubled_is_found(ordinal: int, at: int) -> None:
    lines = WHOLE[ordinal]
    last = (ordinal, at) == PLACES[-1]
    assert not verified(damaged(ordinal, *lines[:at], *lines[at + 1 :])).complete
    assert not verified(damaged(ordinal, *lines[: at + 1], *lines[at:])).complete or last


@pytest.mark.parametrize(("old", "new"), [(b'offset\\":54', b'offset\\":55'), (b'hash\\":\\"', b'hash\\":\\"00')])
def test_a_checkpoint_that_says_something_else_is_found(old: bytes, new: bytes) -> None:
    last = max(WHOLE)
    lines = [line.replace(old, new) for line in WHOLE[last]]
    assert lines != WHOLE[last]
    assert not verified(damaged(last, *lines)).complete


def test_each_damage_is_named_once_and_what_lies_behind_it_is_still_held_to_its_hash() -> None:
    lines = list(WHOLE[1])
    lines[1] = lines[1].replace(b"line", b"lime")
    assert faults(damaged(1, *lines)) == [(Fault.ALTERED, 1)]


def test_an_append_that_is_gone_is_named_with_its_bytes() -> None:
    head, *rest = WHOLE[1]
    assert b'"k"' in rest[2]
    report = verified(damaged(1, head, *rest[3:]))
    assert [each.fault for each in report.findings] == [Fault.MISSING]
    assert report.findings[0].words.startswith("9 printed bytes")


def test_an_append_that_is_there_twice_is_named() -> None:
    lines = WHOLE[0]
    assert faults(damaged(0, *lines[:4], *lines[1:])) == [(Fault.REPEATED, 0)]


def test_appends_in_another_order_are_named() -> None:
    first, second = WHOLE[1], WHOLE[2]
    assert not verified(WHOLE | {1: second, 2: first}).complete
    assert (Fault.ALTERED, 1) in faults(WHOLE | {1: second, 2: first})


def test_a_segment_that_is_gone_is_named_with_its_bytes() -> None:
    report = verified({ordinal: lines for ordinal, lines in WHOLE.items() if ordinal != 1})
    assert [each.fault for each in report.findings] == [Fault.MISSING]
    assert report.findings[0].words == "segments 1 to 1 with 18 printed bytes"


def test_what_the_ring_dropped_is_said_and_the_rest_is_complete() -> None:
    report = verified({ordinal: lines for ordinal, lines in WHOLE.items() if ordinal > 0})
    assert report.complete
    assert (report.first, report.end, [each.fault for each in report.findings]) == (18, 54, [Fault.DROPPED])


def test_a_hole_that_the_archive_wrote_down_is_named_with_its_records() -> None:
    report = verified(written(skip=3))
    assert not report.complete
    assert report.findings[0].words == "records 11 to 13 of epoch 'e1' never arrived"


def test_a_tail_that_was_cut_inside_an_append_is_named() -> None:
    last = max(WHOLE)
    assert faults(damaged(last, *WHOLE[last][:-1])) == [(Fault.UNFINISHED, last)]
    cut = damaged(last, *WHOLE[last][:-1], WHOLE[last][-1][:-1])
    assert faults(cut) == [(Fault.UNREADABLE, last), (Fault.UNFINISHED, last)]


def test_a_tail_that_was_cut_between_appends_misses_the_hash_that_was_noted() -> None:
    noted = verified(WHOLE).hash
    assert verified(WHOLE, noted).complete
    shorter = {ordinal: lines for ordinal, lines in WHOLE.items() if ordinal < max(WHOLE)}
    assert verified(shorter).complete
    assert faults(shorter, noted) == [(Fault.MISSING, max(shorter))]


@pytest.mark.parametrize(
    "line",
    [b"\n", b"[]\n", b"\x00\n", b'[1,"e","{"]\n', b'[1,"o","\\ud800"]\n', b'[1,"k","{}"]\n', b"[" * 100_000 + b"\n"],
)
def test_a_line_that_cannot_be_read_is_named_whatever_it_holds(line: bytes) -> None:
    assert (Fault.UNREADABLE, 0) in faults(damaged(0, *WHOLE[0], line))


def header(**about: object) -> bytes:
    said = json.loads(WHOLE[1][0])
    said["serialconsole"] |= about
    return json.dumps(said).encode() + b"\n"


@pytest.mark.parametrize(
    ("about", "fault"),
    [
        ({"segment": 7}, Fault.ALTERED),
        ({"console": "/vm/b"}, Fault.ALTERED),
        ({"offset": 17}, Fault.ALTERED),
        ({"previous": None}, Fault.ALTERED),
        ({"offset": "18"}, Fault.UNREADABLE),
        ({"console": 5}, Fault.UNREADABLE),
        ({"previous": "x"}, Fault.UNREADABLE),
    ],
)
def test_a_header_that_says_something_else_is_named(about: dict[str, object], fault: Fault) -> None:
    assert (fault, 1) in faults(damaged(1, header(**about), *WHOLE[1][1:]))


def test_an_event_that_is_no_object_is_no_hole() -> None:
    assert Fault.HOLE not in [fault for fault, _ in faults(damaged(0, *WHOLE[0], b'[1,"e","[]"]\n'))]


def test_what_a_file_holds_is_escaped_where_it_is_told() -> None:
    report = verified(damaged(1, header(console="\x1b]0;x\x07"), *WHOLE[1][1:]))
    assert all(each.words.isprintable() for each in report.findings)


def tail_of(ordinal: int) -> TranscriptEnd:
    """Where the transcript stands at that segment's end."""
    lines = WHOLE[ordinal]
    return read_end(ordinal, len(b"".join(lines)), 1, lines[0], lines[-1])


def checkpoint(ordinal: int, **other: object) -> Checkpoint:
    tail = tail_of(ordinal)
    about = {"console": CONSOLE, "at": 100 + ordinal, "segment": ordinal, "offset": tail.offset, "hash": tail.hash}
    return Checkpoint(**(about | other))  # type: ignore[arg-type]


def dropped(kept: int, **other: object) -> Dropped:
    tail = tail_of(kept - 1)
    about = {"console": CONSOLE, "at": 9, "segment": kept, "offset": tail.offset, "hash": tail.hash, "why": "age"}
    return Dropped(**(about | other))  # type: ignore[arg-type]


def signed(transcript: Transcript, *statements: Statement) -> Report:
    return verify(sorted(transcript.items()), statements=statements)


def from_segment(first: int) -> Transcript:
    return {ordinal: lines for ordinal, lines in WHOLE.items() if ordinal >= first}


def test_a_transcript_holds_what_was_signed_and_names_the_newest() -> None:
    report = signed(
        WHOLE, checkpoint(1), checkpoint(0), checkpoint(0, console="/vm/b", offset=99), HoldPlaced(CONSOLE, 1, "", "")
    )
    assert report.complete
    assert report.signed == checkpoint(1)


def test_a_transcript_that_no_longer_reaches_what_was_signed_is_cut() -> None:
    shorter = {ordinal: lines for ordinal, lines in WHOLE.items() if ordinal < 2}
    assert [each.fault for each in signed(shorter, checkpoint(2)).findings] == [Fault.MISSING]
    assert signed(shorter, checkpoint(0), checkpoint(2)).signed == checkpoint(0)


def test_a_chain_that_was_computed_anew_is_not_what_was_signed() -> None:
    report = signed(written(5), checkpoint(1, hash=b"x" * 32))
    assert [each.fault for each in report.findings] == [Fault.ALTERED]
    assert report.signed is None


def test_what_was_signed_before_the_first_segment_that_is_left_is_no_fault() -> None:
    report = signed(from_segment(2), checkpoint(0), checkpoint(1), dropped(2))
    assert report.complete
    assert report.signed == checkpoint(1)
    assert report.findings[0].words.endswith("as was signed (limit: age)")


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        (checkpoint(2), Fault.MISSING),
        (dropped(1), Fault.MISSING),
        (dropped(2, console="/vm/b"), Fault.MISSING),
        (dropped(2, offset=3), Fault.ALTERED),
        (dropped(2, hash=b"x" * 32), Fault.ALTERED),
        (dropped(3), Fault.DROPPED),
    ],
)
def test_first_segments_that_are_gone_need_a_signed_statement(statement: Statement, fault: Fault) -> None:
    assert [each.fault for each in signed(from_segment(2), statement).findings] == [fault]


def walked(transcript: Transcript, first: int, *statements: Statement, to_the_end: bool = False) -> Report:
    """Of the part from `first` on."""
    walk = Verification(statements=statements, after=tail_of(first - 1), to_the_end=to_the_end)
    for ordinal, lines in sorted(transcript.items()):
        walk.segment(ordinal)
        walk.feed(lines)
    return walk.report()


def test_a_part_is_held_to_what_lies_before_it() -> None:
    part = {1: WHOLE[1]}
    report = walked(part, 1, checkpoint(0), checkpoint(1), checkpoint(2))
    assert (report.complete, report.first, report.end, report.signed) == (True, 18, 36, checkpoint(1))
    assert not walked(part, 1, checkpoint(2), to_the_end=True).complete
    assert not walked({1: [header(offset=17), *WHOLE[1][1:]]}, 1).complete
    assert [each.fault for each in walked(from_segment(2), 1).findings] == [Fault.MISSING]


def test_every_finding_says_who_could_explain_it() -> None:
    assert all(fault.who for fault in Fault)
