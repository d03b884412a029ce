"""What a person is told about recordings is what the segments' lines say."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.base.record import Batch, Record, RecordKind, Source
from shared.transcript.archive_plan import SegmentLimits, plan
from shared.transcript.recordings import MARKS_KEPT, Indexed, Mark, Person, Recording, Scan, merged
from shared.transcript.segment import FIRST

CONSOLE = "/vm/a"
S = 1_000_000


class Story:
    """Records of one epoch as they happen, a second apart."""

    def __init__(self, epoch: str, at: int = 0) -> None:
        self.epoch, self.at, self.records = epoch, at * S, list[Record]()

    def prints(self, body: bytes, *, after: int = 1) -> "Story":
        return self._add(RecordKind.PRINTED, body, after)

    def tells(self, name: str, **said: object) -> "Story":
        return self._add(RecordKind.EVENT, Record.event(0, 0, name, **said).body)

    def ends(self, reason: str) -> "Story":
        return self._add(RecordKind.END, Record.end(len(self.records) + 1, 0, reason).body)

    def _add(self, kind: RecordKind, body: bytes, after: int = 1) -> "Story":
        self.at += after * S
        self.records.append(Record(kind, len(self.records) + 1, self.at, body))
        return self


def lines(*stories: Story, limits: SegmentLimits | None = None, at_once: int = 999) -> dict[int, list[bytes]]:
    """The segments that the stories become, as their lines."""
    tail, kept = FIRST, dict[int, bytes]()
    for story in stories:
        for first in range(0, len(story.records), at_once):
            part = Batch(Source(CONSOLE, story.epoch, "r0"), tuple(story.records[first : first + at_once]))
            for append in plan(CONSOLE, tail, [part], limits or SegmentLimits()).appends:
                kept[append.ordinal] = kept.get(append.ordinal, b"") + append.data
                tail = append.after
    return {ordinal: data.split(b"\n")[:-1] for ordinal, data in kept.items()}


def indexed(segments: dict[int, list[bytes]], pauses: Sequence[int] = ()) -> list[Indexed]:
    """Scanned, with a new start from what was known after each of these lines."""
    known: list[Indexed] = []
    for ordinal, held in segments.items():
        scan = Scan(known[-1].next_segment(ordinal) if known else Indexed(ordinal))
        position = 0
        for number, line in enumerate(held):
            scan.line(position, line)
            position += len(line) + 1
            if number in pauses:
                scan = Scan(scan.known())
        known.append(scan.known())
    return known


def recordings(*stories: Story, limits: SegmentLimits | None = None) -> tuple[Recording, ...]:
    return merged(indexed(lines(*stories, limits=limits)))


def rescue(epoch: str = "e1") -> Story:
    story = Story(epoch).tells("port-open").tells("attach", session="s1", user="Ada", mode="write")
    story.prints(b"login: ").tells("attach", session="s2", user="Grace", mode="watch")
    story.tells("takeover", session="s1", user="Ada", by="Grace").tells("detach", session="s1", user="Ada")
    return story.tells("command", command="reset", by="Grace").prints(b"bye").ends("goodbye")


def test_a_recording_tells_who_was_there_when_and_what_happened() -> None:
    (found,) = recordings(rescue())
    assert (found.id, found.segment, found.began_us, found.last_us) == ("e1", 0, S, 9 * S)
    assert (found.start, found.end, found.ended_us, found.reason) == (0, 10, 9 * S, "goodbye")
    assert found.people == (Person("s1", "Ada", "write", 2 * S, 6 * S), Person("s2", "Grace", "watch", 4 * S))
    assert found.marks == (
        Mark("takeover", 7, 5 * S, "Grace took the console from Ada"),
        Mark("reset", 7, 7 * S, "reset by Grace"),
    )


def test_one_that_goes_on_has_no_end() -> None:
    (found,) = recordings(Story("e1").tells("port-open").prints(b"abc"))
    assert (found.ended_us, found.reason, found.end) == (None, None, 3)


def test_recordings_begin_where_the_one_before_ended() -> None:
    one, two = recordings(rescue("e1"), rescue("e2"))
    assert (one.end, two.start, two.end) == (10, 10, 20)
    assert two.position > one.position


def test_a_recording_over_several_segments_is_one() -> None:
    (found,) = recordings(rescue())
    segments = lines(rescue(), limits=SegmentLimits(segment_blocks=1), at_once=1)
    assert len(segments) > 5
    assert merged(indexed(segments)) == (found,)


@given(st.sets(st.integers(0, 12)))
def test_a_scan_that_stops_anywhere_goes_on_as_if_it_had_not(pauses: set[int]) -> None:
    segments = lines(Story("e0").prints(b"... Linux ver").prints(b"sion 6.1 (x)\r\nmore"), rescue())
    assert indexed(segments, tuple(pauses)) == indexed(segments)


def test_late_bytes_of_an_older_epoch_belong_to_it() -> None:
    late = Story("e1")
    late.records = [*rescue("e1").records[:3], Record(RecordKind.PRINTED, 4, 99 * S, b"late")]
    first = Story("e1")
    first.records = late.records[:3]
    one, two = recordings(first, Story("e2").tells("port-open").prints(b"new"), late)
    assert (one.id, one.last_us, one.end) == ("e1", 99 * S, 14)
    assert (two.id, two.end) == ("e2", 10)


@pytest.mark.parametrize("cut", range(1, 20))
def test_a_boot_is_seen_wherever_the_records_are_cut(cut: int) -> None:
    text = b"\r\nLinux version 6.12.0\r\n"
    (found,) = recordings(Story("e1").tells("port-open").prints(b"xy" + text[:cut]).prints(text[cut:]))
    (mark,) = found.marks
    assert mark.printed
    assert (mark.kind, mark.offset) == ("boot", 4)
    assert "Linux version 6.12.0".startswith(mark.text)


def test_the_many_lines_of_one_panic_are_one_mark_and_a_later_panic_another() -> None:
    story = Story("e1").prints(b"BUG: unable to handle page fault\nOops: 0002\nKernel panic - not syncing: x\n")
    story.prints(b"Kernel panic - not syncing: x\n", after=5).prints(b"Kernel panic - not syncing: y\n", after=60)
    (found,) = recordings(story)
    assert [(mark.kind, mark.text) for mark in found.marks] == [
        ("panic", "BUG: unable to handle page fault"),
        ("panic", "Kernel panic - not syncing: y"),
    ]


@pytest.mark.parametrize(
    ("story", "kind", "text"),
    [
        (Story("e").tells("power", act="restart", by="Ada"), "power", "restart by Ada"),
        (Story("e").tells("port-lost", why="x"), "lost", "the connection to the VM was lost"),
        (Story("e").tells("relay-lost"), "lost", "the relay ended unexpectedly"),
        (Story("e").tells("record-failed"), "lost", "the relay could not record any more"),
        (Story("e").tells("hole", **{"from": 3, "to": 5}), "hole", "records 3 to 5 never arrived"),
    ],
)
def test_what_happened_is_a_mark(story: Story, kind: str, text: str) -> None:
    (found,) = recordings(story)
    assert [(mark.kind, mark.text, mark.printed) for mark in found.marks] == [(kind, text, False)]


def test_marks_and_people_are_bounded() -> None:
    story = Story("e")
    for number in range(MARKS_KEPT + 5):
        story.tells("power", act="restart", by="Ada").tells("attach", session=f"s{number}", user="x", mode="watch")
    (found,) = recordings(story)
    assert (len(found.marks), len(found.people)) == (MARKS_KEPT, MARKS_KEPT)


def test_of_somebody_who_came_in_an_earlier_segment_both_ends_are_known() -> None:
    story = Story("e1").tells("attach", session="s1", user="Ada", mode="write").prints(b"x")
    story.tells("detach", session="s1", user="Ada", why="Goodbye")
    (found,) = merged(indexed(lines(story, limits=SegmentLimits(segment_blocks=1), at_once=1)))
    assert found.people == (Person("s1", "Ada", "write", S, 3 * S),)


def test_lines_that_cannot_be_read_are_passed_over() -> None:
    segments = lines(rescue())
    (good,) = indexed(segments)
    odd = [b"\x00", b'[1,"o","\\ud800"]', b'[1,"e","{"]', b'[1,"e","[]"]', b'[1,"e","{}"]', b"[" * 100_000]
    segments[0] = [*segments[0], *odd]
    (found,) = indexed(segments)
    assert found.pieces == good.pieces
    assert found.length == good.length + sum(len(line) + 1 for line in odd)


def test_a_header_that_cannot_be_read_leaves_the_rest_readable() -> None:
    segments = lines(rescue())
    segments[0][0] = b"{}"
    (found,) = merged(indexed(segments))
    assert found.end == 10
