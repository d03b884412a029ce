"""The end of a record as its last lines tell it: one stream for each opening, joined where the record says so."""

from typing import Any

import pytest

from shared.base.record import Batch, Record, RecordKind, Source
from shared.base.record_end import TAIL_BYTES, RecordedTail, RecordEnd
from shared.transcript.archive_plan import plan
from shared.transcript.record_end import record_end
from shared.transcript.segment import FIRST, DamagedSegment, line, quoted

CONSOLE = "/vm/a"


class Epoch:
    """One opening of a port. `about`: what it says of what the gateway replayed; none: nothing came."""

    def __init__(self, name: str, **about: Any) -> None:
        self.name = name
        self.records = [Record.event(1, 1, "port-open")]
        if about:
            self.says("replayed", **about)

    def says(self, event: str, **said: Any) -> "Epoch":
        self.records.append(Record.event(len(self.records) + 1, 1, event, **said))
        return self

    def prints(self, data: bytes) -> "Epoch":
        self.records.append(Record(RecordKind.PRINTED, len(self.records) + 1, 1, data))
        return self

    def batch(self, first: int = 1, last: int = 1000) -> Batch:
        """As it is delivered; a part of it by the numbers of its records."""
        return Batch(Source(CONSOLE, self.name, "r0"), tuple(self.records[first - 1 : last]))


def archived(*batches: Epoch | Batch) -> list[bytes]:
    """Each delivered alone."""
    tail, content = FIRST, b""
    for each in batches:
        for append in plan(CONSOLE, tail, [each.batch() if isinstance(each, Epoch) else each]).appends:
            tail, content = append.after, content + append.data
    return content.split(b"\n")[:-1]


def after(epoch: str, *, found: bool = True) -> dict[str, Any]:
    return {"found": found, "after": epoch or None}


def test_nothing_is_known_of_what_printed_nothing() -> None:
    assert record_end([]) == RecordEnd()
    assert record_end(archived(Epoch("e1"))) == RecordEnd()


def test_what_one_epoch_printed_is_the_end() -> None:
    assert record_end(archived(Epoch("e1").prints(b"one \xff").prints(b"two"))) == RecordEnd("e1", b"one \xfftwo")


def test_an_epoch_goes_on_from_the_one_that_it_was_compared_with() -> None:
    first = Epoch("e1").prints(b"one ")
    assert record_end(archived(first, Epoch("e2", **after("e1")).prints(b"two"))) == RecordEnd("e2", b"one two")
    assert record_end(archived(first, Epoch("e2", **after("e1")))) == RecordEnd("e1", b"one ")
    assert record_end(archived(first, Epoch("e2", **after("", found=False)).prints(b"two"))) == RecordEnd("e2", b"two")
    assert record_end(archived(first, Epoch("e2").prints(b"two"))) == RecordEnd("e2", b"two")
    before_us = Epoch("e2", **after("e0")).prints(b"two")
    assert record_end(archived(first, before_us)) == RecordEnd("e2", b"two", cut=True)


def test_a_relay_that_does_not_say_what_it_compared_with_compared_with_the_epoch_before() -> None:
    lines = archived(Epoch("e1").prints(b"one "), Epoch("e2", found=True).prints(b"two"))
    assert record_end(lines) == RecordEnd("e2", b"one two")
    assert record_end(archived(Epoch("e2", found=True).prints(b"two"))) == RecordEnd("e2", b"two", cut=True)


def test_the_epoch_that_was_opened_last_counts_whatever_arrives_last() -> None:
    one, three = Epoch("e1").prints(b"one "), Epoch("e3", **after("e1")).prints(b"three")
    two = Epoch("e2", **after("e1")).prints(b"two")
    assert record_end(archived(one, three, two)) == RecordEnd("e3", b"one three")
    mixed = archived(one, three.batch(last=2), two, three.batch(first=3))
    assert record_end(mixed) == RecordEnd("e3", b"one three")


def test_lines_that_are_read_twice_say_the_same() -> None:
    """Where the last bytes of a segment begin inside an append, its events are among the lines before them, too."""
    lines = archived(Epoch("e1").prints(b"one "), Epoch("e2", **after("e1")).prints(b"two"))
    again = next(at for at, each in enumerate(lines) if b"replayed" in each)
    assert record_end([*lines[: again + 1], *lines[again:]]) == record_end(lines) == RecordEnd("e2", b"one two")


def test_a_hole_ends_what_is_known() -> None:
    epoch = Epoch("e1").prints(b"lost").prints(b"after").prints(b" it")
    assert record_end(archived(epoch.batch(last=2), epoch.batch(first=4))) == RecordEnd("e1", b" it")


def test_lines_that_begin_in_the_middle_are_of_the_epoch_that_is_named_next_and_cut() -> None:
    lines = archived(Epoch("e1").prints(b"one ").prints(b"two"))
    assert [each.partition(b",")[2][1:2] for each in lines[2:]] == [b"o", b"o", b"k"]
    assert record_end(lines[3:]) == RecordEnd("e1", b"two", cut=True)
    more = archived(epoch := Epoch("e1").prints(b"one "), epoch.says("attach").prints(b"two").batch(first=3))
    assert record_end(more[-4:]) == RecordEnd("e1", b"two", cut=True)


def test_what_is_printed_before_another_epoch_is_named_belongs_to_nobody_knows_which() -> None:
    lines = archived(Epoch("e1").prints(b"one "), Epoch("e2", **after("e1")).prints(b"two"))
    without_checkpoint = [lines[2], *lines[4:]]
    assert record_end(without_checkpoint) == RecordEnd("e2", b"two", cut=True)


def test_what_is_masked_and_what_is_before_it_is_not_compared() -> None:
    epoch = Epoch("e1").prints(b"pin ").says("masked").prints(b"**** and more")
    assert record_end(archived(epoch)) == RecordEnd("e1", b" and more", cut=True)
    assert record_end(archived(epoch, Epoch("e2", **after("e1")).prints(b"!"))) == RecordEnd(
        "e2", b" and more!", cut=True
    )


def test_no_more_is_known_than_a_relay_remembers() -> None:
    end = record_end(archived(Epoch("e1").prints(b"x" * TAIL_BYTES).prints(b"y")))
    assert end == RecordEnd("e1", b"x" * (TAIL_BYTES - 1) + b"y", cut=True)


def test_an_event_of_no_epoch_and_a_checkpoint_of_none_say_nothing() -> None:
    lines = archived(Epoch("e1").prints(b"one"))
    assert record_end([line(1, "e", quoted("[]")), line(1, "e", quoted("no JSON")), *lines]) == RecordEnd("e1", b"one")
    empty = line(1, "k", quoted('{"epochs":{},"offset":0,"hash":""}'))
    assert record_end([line(1, "o", quoted("x")), empty]) == RecordEnd()


def test_what_is_no_line_is_a_damage() -> None:
    with pytest.raises(DamagedSegment):
        record_end([b"nonsense"])


@pytest.mark.parametrize(
    ("end", "tail", "newer"),
    [
        (RecordEnd(), RecordedTail(), False),
        (RecordEnd("e1", b"one"), RecordedTail(), True),
        (RecordEnd("e2", b"two"), RecordedTail(b"one", epoch="e1"), True),
        (RecordEnd("e1", b"one"), RecordedTail(b"two", epoch="e2"), False),
        (RecordEnd("e1", b"on"), RecordedTail(b"one", epoch="e1"), False),
        (RecordEnd("e1", b"one and two"), RecordedTail(b"two", epoch="e1"), True),
        (RecordEnd("e1", b"one and two"), RecordedTail(b"one", epoch="e1"), False),
    ],
)
def test_a_relay_goes_on_with_whatever_tells_more(end: RecordEnd, tail: RecordedTail, *, newer: bool) -> None:
    assert end.is_newer(tail) is newer
