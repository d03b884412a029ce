import json
from typing import Any

import pytest

from shared.base.record import Batch, Record, RecordKind, Source
from shared.transcript.archive_plan import Append, Plan, SegmentLimits, plan
from shared.transcript.segment import EPOCHS_KEPT, FIRST, TranscriptEnd

CONSOLE = "/vm/a"


def printed(seq: int, body: bytes = b"x", time_us: int = 0) -> Record:
    return Record(RecordKind.PRINTED, seq, time_us, body)


def batch(*records: Record, epoch: str = "e1") -> Batch:
    return Batch(Source(CONSOLE, epoch, "relay-1"), records)


def planned(tail: TranscriptEnd, *batches: Batch, limits: SegmentLimits | None = None) -> Plan:
    return plan(CONSOLE, tail, batches, limits or SegmentLimits())


def said(append: Append) -> list[Any]:
    """The texts of its lines, those that are JSON as objects; without header and checkpoint."""
    lines = [json.loads(line) for line in append.data.splitlines()]
    return [json.loads(each[2]) if each[1] == "e" else each[2] for each in lines if each[0:1] and each[1] != "k"]


def after(*batches: Batch) -> TranscriptEnd:
    return planned(FIRST, *batches).appends[-1].after


def test_one_delivery_is_one_append_at_the_tails_position() -> None:
    tail = after(batch(printed(1)))
    (append,) = planned(tail, batch(printed(2), printed(3)), batch(printed(1), epoch="e2")).appends
    assert (append.ordinal, append.position) == (0, tail.position)
    assert append.after.position == tail.position + len(append.data)
    assert append.after.blocks == 2
    assert append.after.epochs == {"e1": 3, "e2": 1}
    assert append.after.offset == 4


def test_when_all_is_repeated_nothing_is_appended() -> None:
    tail = after(batch(printed(1), printed(2)))
    assert planned(tail, batch(printed(1)), batch(printed(1), printed(2))) == Plan((), ())


def test_a_missing_run_is_told_before_the_record_that_follows_it() -> None:
    (append,) = planned(after(batch(printed(1))), batch(printed(5, b"five"))).appends
    assert said(append) == [{"event": "hole", "epoch": "e1", "from": 2, "to": 4}, "five"]


def test_an_epoch_may_begin_with_a_hole() -> None:
    (append,) = planned(FIRST, batch(Record.end(2, 0, "goodbye"))).appends
    hole, end = said_of_first(append)
    assert hole == {"event": "hole", "epoch": "e1", "from": 1, "to": 1}
    assert end == {"event": "end", "records": 2, "reason": "goodbye", "epoch": "e1", "seq": 2}


def said_of_first(append: Append) -> list[Any]:
    """As `said`, of an append that begins with a header."""
    _, _, lines = append.data.partition(b"\n")
    return said(Append(0, 0, lines, append.after))


@pytest.mark.parametrize("body", [b"no json \xff", b"[1]", b"[" * 200_000])
def test_an_event_that_cannot_be_read_is_kept_as_text(body: bytes) -> None:
    (append,) = planned(FIRST, batch(Record(RecordKind.EVENT, 1, 0, body))).appends
    (event,) = said_of_first(append)
    assert event["event"] == "unreadable"
    assert event["text"].encode("utf-8", "surrogateescape") == body


def test_a_late_event_of_an_older_epoch_is_archived_when_it_is_new() -> None:
    tail = after(batch(printed(1), epoch="e1"), batch(printed(1), epoch="e2"))
    (append,) = planned(tail, batch(printed(1), printed(2, b"late"), epoch="e1")).appends
    assert said(append) == [{"event": "continues", "epoch": "e1"}, "late"]


def test_an_epoch_too_old_to_be_remembered_is_set_aside_and_a_newer_one_is_not() -> None:
    tail = after(*(batch(printed(1), epoch=f"e{n}") for n in range(2, 4 + EPOCHS_KEPT)))
    assert len(tail.epochs) == EPOCHS_KEPT
    forgotten = batch(printed(1), printed(2), epoch="e0")
    newer = batch(printed(1), epoch="e7x")
    result = planned(tail, forgotten, newer)
    assert result.aside == (forgotten,)
    assert result.appends[0].after.epochs["e7x"] == 1


def test_a_record_that_fits_no_append_is_set_aside_and_told_as_a_hole() -> None:
    big = printed(1, bytes(1 << 20))
    result = planned(FIRST, batch(big, printed(2)))
    assert result.aside == (batch(big),)
    assert said_of_first(result.appends[0])[0] == {"event": "hole", "epoch": "e1", "from": 1, "to": 1}


def test_a_record_without_a_sequence_number_is_set_aside() -> None:
    assert planned(FIRST, batch(printed(0))) == Plan((), (batch(printed(0)),))


def test_what_is_too_much_for_one_append_becomes_several() -> None:
    result = planned(FIRST, batch(*(printed(seq, b"\0" * 100_000) for seq in range(1, 21))))
    assert len(result.appends) > 2
    assert all(len(append.data) <= 4 << 20 for append in result.appends)
    for one, two in zip(result.appends, result.appends[1:], strict=False):
        assert two.position == one.position + len(one.data)
    assert result.appends[-1].after.epochs == {"e1": 20}


@pytest.mark.parametrize(
    ("limits", "time_us"),
    [(SegmentLimits(segment_bytes=10), 0), (SegmentLimits(segment_blocks=1), 0), (SegmentLimits(segment_us=50), 51)],
)
def test_a_full_segment_is_closed_at_its_exact_end_and_the_next_begins(limits: SegmentLimits, time_us: int) -> None:
    tail = after(batch(printed(1)))
    closing, first = planned(tail, batch(printed(2, b"y", time_us)), limits=limits).appends
    assert (closing.ordinal, closing.position) == (0, tail.position)
    (checkpoint,) = closing.data.splitlines()
    assert json.loads(json.loads(checkpoint)[2])["next"] == 1
    assert (first.ordinal, first.position, first.after.blocks) == (1, 0, 1)
    about = json.loads(first.data.splitlines()[0])["serialconsole"]
    assert about["offset"] == 1
    assert about["startedUs"] == time_us
    assert about["previous"] == closing.after.hash.hex()
    assert said_of_first(first) == ["y"]


def test_a_segment_within_its_limits_goes_on() -> None:
    limits = SegmentLimits(segment_bytes=10_000, segment_blocks=2, segment_us=50)
    (append,) = planned(after(batch(printed(1))), batch(printed(2, b"y", 50)), limits=limits).appends
    assert append.ordinal == 0
