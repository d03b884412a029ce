import json
from random import Random
from typing import Any

import pytest

from shared.base import time_limit
from shared.base.record import Batch, Record, RecordKind
from shared.base.refusals import Code, Refusal
from shared.base.time_limit import TimeLimit
from shared.transcript.archive_plan import SegmentLimits
from shared.transcript.flows.read_segments import Place, header_of, place_at, place_before
from shared.transcript.flows.read_transcript import (
    Bytes,
    Page,
    Until,
    permitted,
    read_bytes,
    read_events,
    read_recording,
    read_text,
    when_there_is_more,
)
from shared.transcript.plain_text import plain
from shared.transcript.playback import Cursor, code_of, printed, time_us
from shared.transcript.segment import read_header
from tests.contract.memory_transcripts import MemoryTranscripts
from tests.fakes import VM, FakeDependencies, person, without_read
from tests.unit.transcript.flows.archived import CONSOLE, archived, batch, segments

SMALL = SegmentLimits(segment_bytes=6000, segment_blocks=9)
START_US = 1_700_000_000_000_000


class Told:
    """A console's story, and its transcript."""

    def __init__(self, seed: int, piece: int) -> None:
        self.transcripts = MemoryTranscripts(piece)
        self.printed = b""
        self.events: list[str] = []
        self._order = Random(seed)  # noqa: S311 - makes test data
        self._seq = 0

    def some(self, size: int) -> Batch:
        records = []
        for _ in range(self._order.randrange(1, 6)):
            self._seq += 1
            time_us = START_US + self._seq * 1000 - self._order.randrange(3000)
            if self._order.random() < 0.2:
                self.events.append(f"event {self._seq}")
                records.append(Record.event(self._seq, time_us, self.events[-1]))
            else:
                body = self._order.randbytes(self._order.randrange(size))
                self.printed += body
                records.append(Record(RecordKind.PRINTED, self._seq, time_us, body))
        return batch(*records)

    async def tell(self, batches: int, size: int, limits: SegmentLimits) -> "Told":
        for _ in range(batches):
            await archived(self.transcripts, [self.some(size)], limits)
        return self


@pytest.fixture(params=[50, 1 << 20])
async def told(request: pytest.FixtureRequest) -> Told:
    """Some ten segments, read in small or in large pieces."""
    return await Told(request.param, request.param).tell(60, 300, SMALL)


async def test_every_range_of_printed_bytes_is_exactly_that(told: Told) -> None:
    end = len(told.printed)
    for offset in (*range(0, end, 611), end - 1):
        for limit in (1, 500, 5000):
            found = await read_bytes(told.transcripts, CONSOLE, offset, limit)
            assert found.content == told.printed[offset : offset + limit]
            assert (found.start, found.next, found.end) == (offset, offset + len(found.content), end)


@pytest.mark.parametrize("beyond", [0, 7])
async def test_at_the_end_and_beyond_it_there_is_nothing(told: Told, beyond: int) -> None:
    end = len(told.printed)
    found = await read_bytes(told.transcripts, CONSOLE, end + beyond, 10)
    assert (found.content, found.start, found.next, found.end) == (b"", end, end, end)


async def test_what_is_read_does_not_depend_on_how_far_one_must_jump() -> None:
    told = await Told(5, 64 * 1024).tell(70, 60_000, SegmentLimits())
    assert len(segments(told.transcripts)) == 1
    assert len(told.printed) > 3 << 20
    for offset in range(0, len(told.printed), 300_007):
        found = await read_bytes(told.transcripts, CONSOLE, offset, 999)
        assert found.content == told.printed[offset : offset + 999]


async def test_a_jump_reads_little_of_what_lies_before() -> None:
    told = await Told(5, 64 * 1024).tell(200, 60_000, SegmentLimits())
    pieces = 0
    read = told.transcripts.read

    def counted(console: str, ordinal: int, start: int = 0) -> Any:
        async def pieces_of() -> Any:
            nonlocal pieces
            async for piece in read(console, ordinal, start):
                pieces += 1
                yield piece

        return pieces_of()

    told.transcripts.read = counted  # type: ignore[method-assign] # counts
    offset = len(told.printed) - 5000
    assert (await read_bytes(told.transcripts, CONSOLE, offset, 10)).content == told.printed[offset : offset + 10]
    assert pieces * 64 * 1024 < len(segments(told.transcripts)[0]) // 4


async def test_a_huge_append_is_read_from_before_it() -> None:
    told = Told(1, 64 * 1024)
    bodies = [bytes([n]) * 200_000 for n in range(65, 80)]
    records = [Record(RecordKind.PRINTED, n, START_US, body) for n, body in enumerate(bodies, 1)]
    await archived(told.transcripts, [batch(*records)])
    whole = b"".join(bodies)
    found = await read_bytes(told.transcripts, CONSOLE, 2_500_000, 300_000)
    assert found.content == whole[2_500_000:2_800_000]


async def test_a_place_beyond_the_end_is_sought_in_vain_but_found_near(told: Told) -> None:
    place = await place_before(told.transcripts, CONSOLE, 0, 1 << 30)
    assert place
    assert place.position < len(segments(told.transcripts)[0])


async def test_where_the_ring_has_dropped_segments_reading_starts_at_what_is_kept(told: Told) -> None:
    for ordinal in (0, 1):
        del told.transcripts.blobs[CONSOLE, ordinal]
    first = json.loads(segments(told.transcripts)[0].partition(b"\n")[0])["serialconsole"]["offset"]
    found = await read_bytes(told.transcripts, CONSOLE, 3, 100)
    assert (found.start, found.content) == (first, told.printed[first : first + 100])
    page = await read_recording(told.transcripts, CONSOLE, Cursor(0), 1 << 30)
    assert json.loads(page.content.partition(b"\n")[0])["serialconsole"]["segment"] == 2


async def test_a_segment_that_is_only_created_is_passed_over() -> None:
    transcripts = MemoryTranscripts()
    await archived(transcripts, [batch(Record(RecordKind.PRINTED, 1, START_US, b"abc"))])
    await archived(
        transcripts, [batch(Record(RecordKind.PRINTED, 2, START_US, b"def"))], SegmentLimits(segment_blocks=1)
    )
    transcripts.blobs[CONSOLE, 1].clear()
    found = await read_bytes(transcripts, CONSOLE, 0, 100)
    assert (found.content, found.end) == (b"abc", 3)
    assert (await read_recording(transcripts, CONSOLE, Cursor(0), 1000)).next is None


async def test_a_console_of_which_nothing_is_kept_reads_as_empty() -> None:
    nothing = MemoryTranscripts()
    found = await read_bytes(nothing, CONSOLE, 5, 10)
    assert (found.content, found.next, found.end) == (b"", 0, 0)
    assert await read_recording(nothing, CONSOLE, Cursor(0), 10) == Page(b"", None)
    assert await read_events(nothing, CONSOLE, Cursor(0), 10) == Page(b"", None)


async def pages(read: Any, told: Told, limit: int, cursor: Cursor) -> list[bytes]:
    found: list[bytes] = []
    at: Cursor | None = cursor
    while at:
        page = await read(told.transcripts, CONSOLE, at, limit)
        found.append(page.content)
        at = Cursor.parse(str(page.next)) if page.next else None
    return found


@pytest.mark.parametrize("limit", [1, 900, 1 << 30])
async def test_pages_of_a_recording_are_one_valid_recording(told: Told, limit: int) -> None:
    found = await pages(read_recording, told, limit, Cursor(0))
    assert all(len(page) <= max(limit, 2000) for page in found)
    header, *lines = [json.loads(line) for line in b"".join(found).splitlines()]
    assert header["version"] == 2
    assert {code for _, code, _ in lines} == {"o", "e"}
    printed = [text.encode("utf-8", "surrogateescape") for _, code, text in lines if code == "o"]
    assert b"".join(printed) == told.printed
    assert lines[-1][0] >= lines[0][0] >= 0
    assert len(found) == 1 or limit < 1 << 30


async def test_times_of_a_recording_never_go_back(told: Told) -> None:
    (page,) = await pages(read_recording, told, 1 << 30, Cursor(0))
    times = [json.loads(line)[0] for line in page.splitlines()[1:]]
    assert times == sorted(times)


async def test_a_recording_may_begin_at_any_segment(told: Told) -> None:
    (page,) = await pages(read_recording, told, 1 << 30, Cursor(2))
    header, first, *_ = [json.loads(line) for line in page.splitlines()]
    assert header["serialconsole"]["segment"] == 2
    assert first[0] < 1


@pytest.mark.parametrize("limit", [1, 200, 1 << 30])
async def test_pages_of_events_tell_all_that_happened_with_its_time(told: Told, limit: int) -> None:
    found = b"".join(await pages(read_events, told, limit, Cursor(0)))
    events = [json.loads(line) for line in found.splitlines()]
    assert [event["event"] for event in events] == told.events
    assert all(abs(event["time"] - START_US / 1e6) < 2 for event in events)
    assert {event["epoch"] for event in events} == {"e1"}


async def test_a_page_of_few_events_does_not_read_without_end(monkeypatch: pytest.MonkeyPatch, told: Told) -> None:
    monkeypatch.setattr("shared.transcript.flows.read_transcript._SCANNED", 500)
    found = await pages(read_events, told, 1 << 30, Cursor(0))
    assert len(found) > 20
    assert [json.loads(line)["event"] for line in b"".join(found).splitlines()] == told.events


async def test_who_may_open_the_console_may_read_its_transcript(fakes: FakeDependencies) -> None:
    assert await permitted(fakes.dependencies, person(), VM) is None


async def test_nobody_else_may(fakes: FakeDependencies) -> None:
    fakes.rights.lacking = {"ada": without_read()}
    refused = await permitted(fakes.dependencies, person(), VM)
    assert isinstance(refused, Refusal)
    assert refused.code is Code.TRANSCRIPT_PERMISSION_DENIED
    fakes.vms.vms.clear()
    refused = await permitted(fakes.dependencies, person(), VM)
    assert isinstance(refused, Refusal)
    assert refused.code is Code.VM_NOT_FOUND


async def test_a_transcript_outlives_its_vm(fakes: FakeDependencies) -> None:
    fakes.vms.vms, fakes.around.left = {}, VM.group_id
    assert await permitted(fakes.dependencies, person(), VM) is None


def times(told: Told) -> list[tuple[int, int, bytes]]:
    """Time, printed bytes before it, and the text of every line, in order."""
    found, offset = list[tuple[int, int, bytes]](), 0
    for content in segments(told.transcripts):
        head, *rest = content.splitlines()
        for line in rest:
            if code_of(line) != "k":
                found.append((time_us(line, read_header(head).started_us), offset, line))
                offset += len(printed(line)) if code_of(line) == "o" else 0
    return found


async def steady(seed: int, piece: int) -> Told:
    """A story whose clock does not go back."""
    told = Told(seed, piece)
    told._order.randrange = _upwards(told._order.randrange)  # type: ignore[method-assign]
    return await told.tell(60, 300, SMALL)


def _upwards(draw: Any) -> Any:
    return lambda *bounds: 0 if bounds == (3000,) else draw(*bounds)


@pytest.mark.parametrize("near", [1, 256 * 1024])
async def test_a_time_leads_to_the_first_line_of_that_time_or_later(near: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.transcript.flows.read_segments._NEAR", near)
    monkeypatch.setattr("shared.transcript.flows.read_segments._FAR", 4096)
    told = await steady(3, 1 << 20)
    lines_told = times(told)
    for moment, offset, line in lines_told[::7]:
        found = await place_at(told.transcripts, CONSOLE, moment)
        assert found
        ordinal, place = found
        assert place.offset == offset
        assert bytes(told.transcripts.blobs[CONSOLE, ordinal])[place.position :].startswith(line)
    assert await place_at(told.transcripts, CONSOLE, 0) == (0, await _first(told))
    assert await place_at(told.transcripts, CONSOLE, lines_told[-1][0] + 1) is None


async def _first(told: Told) -> Place:
    found = await header_of(told.transcripts, CONSOLE, 0)
    assert found
    return Place(found[1], 0)


async def test_where_nothing_is_kept_no_time_leads_anywhere() -> None:
    empty = MemoryTranscripts()
    assert await place_at(empty, CONSOLE, 5) is None
    await empty.create(CONSOLE, 0)
    assert await place_at(empty, CONSOLE, 5) is None


async def played(told: Told, cursor: Cursor, until: Until, limit: int) -> list[Any]:
    """The lines of a recording that was read in pages."""
    content, at = b"", cursor
    while True:
        page = await read_recording(told.transcripts, CONSOLE, at, limit, until)
        content += page.content
        if page.next is None:
            return [json.loads(line) for line in content.splitlines()]
        at = page.next


@pytest.mark.parametrize("limit", [1, 700, 1 << 20])
async def test_a_part_is_a_recording_by_itself(limit: int) -> None:
    told = await steady(4, 1 << 20)
    every = times(told)
    begin, end = every[20], every[-20]
    found = await place_at(told.transcripts, CONSOLE, begin[0])
    assert found
    header, *rest = await played(told, Cursor(found[0], found[1].position), Until(time_us=end[0]), limit)
    assert (header["version"], header["timestamp"], header["title"]) == (2, begin[0] // 1_000_000, "v")
    assert "serialconsole" not in header
    assert rest[0][0] == 0
    assert [text for _, _, text in rest] == [json.loads(line)[2] for _, _, line in every[20:-19]]


async def test_of_one_recording_only_its_own_lines_are_read() -> None:
    transcripts = MemoryTranscripts()
    await archived(
        transcripts, [batch(Record.event(1, 1, "port-open"), Record(RecordKind.PRINTED, 2, 2, b"one"), epoch="e1")]
    )
    await archived(
        transcripts, [batch(Record.event(1, 3, "port-open"), Record(RecordKind.PRINTED, 2, 4, b"two"), epoch="e2")]
    )
    await archived(
        transcripts, [batch(Record(RecordKind.PRINTED, 3, 5, b"late"), Record.end(4, 6, "over"), epoch="e1")]
    )
    await archived(transcripts, [batch(Record(RecordKind.PRINTED, 3, 7, b"more"), epoch="e2")])
    page = await read_recording(transcripts, CONSOLE, Cursor(0), 1 << 20, Until(epoch="e1"))
    assert [json.loads(line)[2] for line in page.content.splitlines()[1:] if b'"o"' in line] == ["one", "late"]
    page = await read_recording(transcripts, CONSOLE, Cursor(0), 1 << 20, Until(epoch="e2"))
    assert [json.loads(line)[2] for line in page.content.splitlines()[1:] if b'"o"' in line][-2:] == ["two", "more"]
    events = await read_events(transcripts, CONSOLE, Cursor(0), 1 << 20, Until(epoch="e1"))
    assert [json.loads(line)["event"] for line in events.content.splitlines()] == ["port-open", "continues", "end"]


@pytest.mark.parametrize("read", [read_recording, read_events])
async def test_a_tail_goes_on_exactly_where_the_page_before_ended(read: Any) -> None:
    told = await steady(9, 1 << 20)
    at, content = Cursor(0), b""
    for _ in range(40):
        await archived(told.transcripts, [told.some(300)], SMALL)
        for _ in range(2):  # once with, once without anything new
            page = await read(told.transcripts, CONSOLE, at, 1 << 20, Until(tail=True))
            assert page.next is not None
            content, at = content + page.content, Cursor.parse(str(page.next))
    assert content == (await read(told.transcripts, CONSOLE, Cursor(0), 1 << 30)).content


@pytest.mark.parametrize("limit", [40, 1 << 20])
async def test_text_in_pieces_is_the_text_of_the_whole(limit: int) -> None:
    transcripts, whole_text = (
        MemoryTranscripts(),
        "".join(f"\x1b[3{n % 8}mline {n} \u20ac\x1b[0m\r\n" for n in range(40)),
    )
    data = f"{whole_text}login: ".encode()
    records = [Record(RecordKind.PRINTED, n + 1, n, data[n * 7 : n * 7 + 7]) for n in range(len(data) // 7 + 1)]
    await archived(transcripts, [batch(*records)])
    text, offset = "", 0
    while (found := await read_text(transcripts, CONSOLE, offset, limit)).content:
        assert found.start == offset
        text, offset = text + found.content, found.next
    assert text == plain(data)
    assert offset == found.end == len(data)


async def test_a_sequence_that_only_begins_at_the_end_waits_for_its_rest() -> None:
    transcripts = MemoryTranscripts()
    await archived(transcripts, [batch(Record(RecordKind.PRINTED, 1, 1, b"x\x1b[3"))])
    assert (await read_text(transcripts, CONSOLE, 0, 99)).next == 1
    assert (await read_text(transcripts, CONSOLE, 1, 99)).content == ""
    await archived(transcripts, [batch(Record(RecordKind.PRINTED, 2, 1, b"1my"))])
    assert (await read_text(transcripts, CONSOLE, 1, 99)).content == "y"
    assert (await read_text(transcripts, CONSOLE, 1, 2)).next == 3, "what is no end goes on, or nobody ever would"


async def test_whoever_waits_gets_what_comes_or_nothing_when_the_time_is_over() -> None:
    transcripts, slept = MemoryTranscripts(), list[float]()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            await archived(transcripts, [batch(Record(RecordKind.PRINTED, 1, 1, b"there"))])

    async def read() -> Bytes:
        return await read_bytes(transcripts, CONSOLE, 0, 99)

    assert (await when_there_is_more(read, 1, sleep)).content == b""
    assert (len(slept), sum(slept)) == (2, 1)
    assert (await when_there_is_more(read, 9, sleep)).content == b"there"
    assert (await when_there_is_more(read, 0, sleep)).content == b"there"
    assert len(slept) == 3


async def test_who_waits_at_a_storage_that_answers_slowly_is_answered_in_the_time_of_a_request() -> None:
    looks = 0

    async def read() -> Bytes:
        nonlocal looks
        looks += 1
        return Bytes(b"", 0, 0, 0)

    async def sleep(_: float) -> None:
        """Takes no time."""

    before = time_limit.current.set(TimeLimit(1.0))
    assert (await when_there_is_more(read, 20, sleep)).content == b""
    assert looks == 1, "what is left is for what follows"
    time_limit.current.set(TimeLimit(60.0))
    await when_there_is_more(read, 20, sleep)
    assert looks == 1 + 41
    time_limit.current.reset(before)
