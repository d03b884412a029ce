import asyncio
import json
import logging
import struct

import pytest

from shared.base.ports import Dependency, Trouble, Unavailable
from shared.base.record import Record, RecordKind, Source, encode_batch
from shared.transcript.archive_plan import SegmentLimits
from shared.transcript.flows.archive_records import KnownEnds, archive_records
from shared.transcript.ports import AppendConflict
from tests.contract.memory_transcripts import MemoryTranscripts
from tests.unit.transcript.flows.archived import CONSOLE, archived, batch, segments
from tests.unit.transcript.flows.audit import audit
from tests.unit.transcript.flows.stumbling import Step, StumblingTranscripts

OTHER = CONSOLE + "2"


def printed(seq: int, body: bytes = b"x") -> Record:
    return Record(RecordKind.PRINTED, seq, seq, body)


@pytest.fixture
def transcripts() -> MemoryTranscripts:
    return MemoryTranscripts()


async def test_a_delivery_is_sorted_by_console_and_each_gets_one_append(transcripts: MemoryTranscripts) -> None:
    delivery = [
        batch(printed(1, b"a")), batch(printed(1, b"b"), console=OTHER), batch(printed(2, b"c")),
    ]  # fmt: skip
    done = await archived(transcripts, delivery)
    assert audit([bytes(transcripts.blobs[CONSOLE, 0])]) == [("o", b"a"), ("o", b"c")]
    assert audit([bytes(transcripts.blobs[OTHER, 0])]) == [("o", b"b")]
    assert transcripts.blocks == {(CONSOLE, 0): 1, (OTHER, 0): 1}
    assert done.bytes == sum(map(len, transcripts.blobs.values()))


async def test_known_tails_are_not_read_again(transcripts: MemoryTranscripts) -> None:
    tails = KnownEnds(kept=1)
    for seq, console in ((1, CONSOLE), (2, CONSOLE), (1, OTHER), (3, CONSOLE)):
        await archive_records([batch(printed(seq), console=console).encode()], transcripts, tails)
    assert tails.take(OTHER) is None
    assert tails.take(CONSOLE)
    assert len(audit([bytes(transcripts.blobs[CONSOLE, 0])])) == 3


@pytest.mark.parametrize(
    "event",
    [
        b"",
        b"no batch",
        encode_batch(Source("vm", "e", "r"), []),
        encode_batch(Source("/../../elsewhere", "e", "r"), [printed(1).encode()]),
        encode_batch(Source(CONSOLE.upper(), "e", "r"), [printed(1).encode()]),
        *(
            encode_batch(Source(CONSOLE, epoch, "r"), [printed(0).encode()])
            for epoch in ("", "e" * 65, "..", "../../1", "a/b", "a\0", "e\n", "\N{KELVIN SIGN}")
        ),
        *(
            b"SCR1" + struct.pack(">H", len(header)) + header + printed(0).encode()
            for header in (
                json.dumps({"console": CONSOLE, "epoch": "\ud800", "writer": "r"}).encode(),
                json.dumps({"console": CONSOLE, "epoch": "e1", "writer": "\ud800"}).encode(),
            )
        ),
    ],
    ids=repr,
)
async def test_what_is_not_a_batch_of_a_console_is_set_aside_and_in_nobodys_way(
    transcripts: MemoryTranscripts, event: bytes
) -> None:
    delivery = [event, batch(printed(1)).encode()]
    for _ in range(2):
        done = await archive_records(delivery, transcripts, KnownEnds())
    assert list(transcripts.aside.values()) == [event]
    assert done.aside == set(transcripts.aside)
    assert audit(segments(transcripts)) == [("o", b"x")]


async def test_of_a_batch_that_is_cut_the_whole_records_are_archived_and_all_is_set_aside(
    transcripts: MemoryTranscripts,
) -> None:
    cut = batch(printed(1), printed(2)).encode()[:-1]
    await archive_records([cut, batch(printed(3)).encode()], transcripts, KnownEnds())
    assert list(transcripts.aside.values()) == [cut]
    hole = {"event": "hole", "epoch": "e1", "from": 2, "to": 2}
    assert audit(segments(transcripts)) == [("o", b"x"), ("e", hole), ("o", b"x")]


async def test_a_batch_without_records_changes_nothing(transcripts: MemoryTranscripts) -> None:
    await archived(transcripts, [batch()])
    assert transcripts.blobs == {}


async def test_records_that_cannot_be_placed_are_set_aside_under_one_name(transcripts: MemoryTranscripts) -> None:
    for _ in range(2):
        await archived(transcripts, [batch(printed(1, bytes(1 << 20)))])
    (name,) = transcripts.aside
    assert name.startswith(f"batches{CONSOLE}/e1/1-1-")


async def test_records_of_the_same_number_that_cannot_be_placed_do_not_replace_each_other(
    transcripts: MemoryTranscripts,
) -> None:
    odd = [batch(printed(0, b"one")), batch(printed(0, b"two"))]
    await archived(transcripts, odd)
    assert sorted(transcripts.aside.values()) == [each.encode() for each in odd]


async def test_a_segment_that_somebody_else_wrote_to_is_left_alone_and_its_records_are_set_aside(
    transcripts: MemoryTranscripts, caplog: pytest.LogCaptureFixture
) -> None:
    await archived(transcripts, [batch(printed(1))])
    transcripts.blobs[CONSOLE, 0] += b"scribble\n"
    before = segments(transcripts)
    done = await archived(transcripts, [batch(printed(2)), batch(printed(1), console=OTHER)])
    assert before == segments(transcripts)[:1]
    (name,) = done.aside
    assert name.startswith(f"batches{CONSOLE}/e1/2-2-")
    assert "its records are set aside" in caplog.text
    assert (OTHER, 0) in transcripts.blobs


async def test_one_console_that_fails_fails_the_delivery_after_the_others_are_done() -> None:
    class NoRoomForOne(MemoryTranscripts):
        async def append(self, console: str, ordinal: int, position: int, data: bytes) -> None:
            if console == CONSOLE:
                raise Unavailable(Dependency.STORAGE_BLOBS, "full")
            await asyncio.sleep(0)
            await super().append(console, ordinal, position, data)

    transcripts = NoRoomForOne()
    with pytest.raises(Unavailable):
        await archived(transcripts, [batch(printed(1)), batch(printed(1), console=OTHER)])
    assert transcripts.blobs[OTHER, 0]


async def test_a_delivery_has_an_end_and_the_next_one_goes_on_behind_what_is_there() -> None:
    class SilentForOne(MemoryTranscripts):
        silent = asyncio.Event()

        async def append(self, console: str, ordinal: int, position: int, data: bytes) -> None:
            if console == CONSOLE:
                await self.silent.wait()
            await super().append(console, ordinal, position, data)

    transcripts, tails = SilentForOne(), KnownEnds()
    events = [batch(printed(1)).encode(), batch(printed(1), console=OTHER).encode()]
    with pytest.raises(Unavailable) as caught:
        await archive_records(events, transcripts, tails, seconds=0.2)
    assert (caught.value.what, caught.value.trouble) == (Dependency.STORAGE_BLOBS, Trouble.SLOW)
    transcripts.silent.set()
    await archive_records(events, transcripts, tails)
    assert all(transcripts.blobs[console, 0].count(b'"o",') == 1 for console in (CONSOLE, OTHER))


async def test_a_console_that_never_stops_conflicting_is_unavailable() -> None:
    class Contended(MemoryTranscripts):
        async def append(self, *_: object) -> None:
            raise AppendConflict

    with pytest.raises(Unavailable, match="20 appends in a row"):
        await archived(Contended(), [batch(printed(1))])


@pytest.mark.parametrize("step", [Step.NOT_DONE, Step.DONE_BUT_UNANSWERED])
@pytest.mark.parametrize("at", range(6))
async def test_wherever_it_fails_while_a_segment_is_closed_the_next_try_goes_on(
    step: Step, at: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Steps: create, append; then close, create, append."""
    caplog.set_level(logging.ERROR)
    transcripts = StumblingTranscripts()
    transcripts.steps = iter([*[Step.WELL] * at, step])
    limits = SegmentLimits(segment_blocks=1)
    for seq in (1, 2):
        while True:
            try:
                await archived(transcripts, [batch(printed(seq))], limits)
            except Unavailable:
                continue
            break
    assert audit(segments(transcripts)) == [("o", b"x"), ("o", b"x")]
    assert sorted(transcripts.blobs) == [(CONSOLE, 0), (CONSOLE, 1)]


async def test_an_empty_first_segment_is_a_beginning(transcripts: MemoryTranscripts) -> None:
    await transcripts.create(CONSOLE, 0)
    await archived(transcripts, [batch(printed(1))])
    assert audit(segments(transcripts)) == [("o", b"x")]


async def test_a_process_that_knows_only_the_segment_before_writes_nothing_twice(
    transcripts: MemoryTranscripts,
) -> None:
    limits, early, late = SegmentLimits(segment_blocks=1), KnownEnds(), KnownEnds()
    await archive_records([batch(printed(1)).encode()], transcripts, early, limits)
    await archive_records([batch(printed(2)).encode()], transcripts, late, limits)
    await archive_records([batch(printed(2)).encode()], transcripts, early)
    assert audit(segments(transcripts)) == [("o", b"x"), ("o", b"x")]


ROLLING = SegmentLimits(segment_blocks=1)


class Halting(MemoryTranscripts):
    """Another archiver goes on, and retention drops what is old, while this one makes a segment."""

    async def create(self, console: str, ordinal: int) -> None:
        if ordinal == 1:
            other = MemoryTranscripts()
            other.blobs, other.blocks = self.blobs, self.blocks
            for seq in range(2, 6):
                await archive_records([batch(printed(seq)).encode()], other, KnownEnds(), ROLLING)
            for old in range(3):
                await other.drop(console, old)
        await super().create(console, ordinal)


async def test_a_segment_that_retention_dropped_is_not_made_again_by_who_fell_behind(
    transcripts: MemoryTranscripts,
) -> None:
    behind = KnownEnds()
    events = [batch(printed(seq)).encode() for seq in range(1, 6)]
    await archive_records(events[:1], transcripts, behind, ROLLING)
    for event in events[1:]:
        await archive_records([event], transcripts, KnownEnds(), ROLLING)
    for old in range(3):
        await transcripts.drop(CONSOLE, old)
    there = dict(transcripts.blobs)
    await archive_records(events[1:2], transcripts, behind, ROLLING)
    assert transcripts.blobs == there
    await archive_records([batch(printed(6)).encode()], transcripts, behind, ROLLING)
    assert max(transcripts.blobs) == (CONSOLE, 5)


async def test_nor_by_who_stood_still_while_making_it() -> None:
    transcripts = Halting()
    await archive_records([batch(printed(1)).encode()], transcripts, tails := KnownEnds(), ROLLING)
    await archive_records([batch(printed(2)).encode()], transcripts, tails, ROLLING)
    written = [ordinal for (_, ordinal), data in transcripts.blobs.items() if data]
    assert sorted(written) == [3, 4], "the record that came again is in none twice"
