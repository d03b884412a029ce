"""A VM that moves between relays: whoever recorded last, the archive says how the record ends."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.base.record import Batch, Record, RecordKind, Source, epoch_name
from shared.base.record_end import RecordedTail, RecordEnd
from shared.console.replay import PROOF, settle
from shared.transcript.archive_plan import SegmentLimits, plan
from shared.transcript.flows import find_record_end as flow
from shared.transcript.flows.archive_records import KnownEnds, archive_records
from shared.transcript.flows.find_record_end import find_record_end
from shared.transcript.ports import Blob
from shared.transcript.segment import FIRST
from tests.contract.memory_transcripts import MemoryTranscripts
from tests.unit.transcript.flows.archived import CONSOLE, archived, batch

SMALL = SegmentLimits(segment_bytes=1500, segment_blocks=3, append_bytes=11_000)
RELAYS = 3


class Moving:
    """A VM behind a replaying gateway, relays that each remember what they recorded last, and one archive."""

    def __init__(self, ring: int) -> None:
        self.ring, self.printed = ring, b""
        self.tails = [RecordedTail() for _ in range(RELAYS)]
        self.spools: list[list[Batch]] = [[] for _ in range(RELAYS)]
        self.recorded: list[bytes] = []
        self.archive, self.archivist = MemoryTranscripts(), KnownEnds()

    async def opened(self, relay: int, prints: bytes, early: int) -> int:
        """A console is opened at this relay, and closed when the VM has printed. Bytes that were recorded."""
        tail, epoch = self.tails[relay], epoch_name(len(self.recorded) + 1, relay)
        end = await find_record_end(CONSOLE, self.archive)
        if end.is_newer(tail):
            tail.replace(end.printed, cut=end.cut, epoch=end.epoch)
        burst = self.printed[-self.ring :] + prints[:early]
        found = settle(tail, burst)
        follows = found.compared > 0
        said = [Record.event(2, 1, "replayed", found=follows, after=tail.epoch or None)] if burst else []
        if not follows:
            tail.clear()
        fresh = [data for data in (found.fresh, prints[early:]) if data]
        for data in fresh:
            tail.add(data)
            tail.epoch = epoch
        self.printed += prints
        self._spooled(relay, epoch, said, fresh)
        return sum(map(len, fresh))

    def _spooled(self, relay: int, epoch: str, said: list[Record], fresh: Sequence[bytes]) -> None:
        records = [Record.event(1, 1, "port-open"), *said]
        for data in fresh:
            records.append(Record(RecordKind.PRINTED, len(records) + 1, 1, data))
        records.append(Record.end(len(records) + 1, 1, "goodbye"))
        self.spools[relay].append(Batch(Source(CONSOLE, epoch, f"r{relay}"), tuple(records)))
        self.recorded.append(b"".join(fresh))

    async def delivers(self, relay: int) -> None:
        spooled, self.spools[relay] = self.spools[relay], []
        for each in spooled:
            await archive_records([each.encode()], self.archive, self.archivist, SMALL)


type Turn = tuple[int, int, bool, list[bool]]
"""The relay, how many words the VM prints, whether somebody is there, which relays deliver afterwards."""
turns = st.lists(
    st.tuples(
        st.integers(0, RELAYS - 1), st.integers(0, 8), st.booleans(), st.lists(st.booleans(), min_size=3, max_size=3)
    ),
    min_size=1,
    max_size=14,
)


def words(turn: int, count: int) -> list[bytes]:
    return [b"%04d|%03d;" % (turn, at) for at in range(count)]


@settings(max_examples=300, deadline=None)
@given(turns, st.integers(PROOF, 300), st.integers(0, 20))
def test_every_byte_is_recorded_once_whichever_relay_a_vm_moves_to(life: list[Turn], ring: int, early: int) -> None:
    asyncio.run(_once(life, ring, early))


async def _once(life: list[Turn], ring: int, early: int) -> None:
    vm, expected, recorded_to = Moving(ring), b"", 0
    for number, (relay, count, here, _) in enumerate(life):
        prints, before = b"".join(words(number, count)), vm.printed
        if not here:
            vm.printed += prints
            continue
        held_from = max(0, len(before) - ring)
        proven = recorded_to - held_from >= PROOF or (recorded_to == len(before) and not prints[:early])
        expected += before[recorded_to if proven else held_from :] + prints
        recorded_to = len(before) + len(prints)
        await vm.opened(relay, prints, early)
        await vm.delivers(relay)
    assert b"".join(vm.recorded) == expected


@settings(max_examples=300, deadline=None)
@given(turns, st.integers(PROOF, 300), st.integers(0, 20))
def test_nothing_is_lost_and_silence_adds_nothing_though_relays_deliver_late(
    life: list[Turn], ring: int, early: int
) -> None:
    asyncio.run(_late(life, ring, early))


async def _late(life: list[Turn], ring: int, early: int) -> None:
    vm = Moving(ring)
    for number, (relay, count, here, deliver) in enumerate(life):
        printed = words(number, count)
        held = vm.printed[-ring:]
        if here:
            await vm.opened(relay, b"".join(printed), early)
            record = b"".join(vm.recorded)
            assert all(word in record for word in printed)
            assert all(word + b";" in record for word in held.split(b";")[1:-1])
        else:
            vm.printed += b"".join(printed)
        for each in (each for each, now in enumerate(deliver) if now):
            await vm.delivers(each)
    for relay in range(RELAYS):
        await vm.delivers(relay)
    await vm.opened(0, b"", 0)
    await vm.delivers(0)
    assert [await vm.opened(each % RELAYS, b"", 0) for each in range(10)] == [0] * 10


async def test_nothing_is_known_where_nothing_is_kept_and_where_the_end_is_damaged() -> None:
    transcripts = MemoryTranscripts()
    assert await find_record_end(CONSOLE, transcripts) == RecordEnd()
    transcripts.blobs[CONSOLE, 0] = bytearray(b"nonsense\n")
    transcripts.blocks[CONSOLE, 0] = 1
    assert await find_record_end(CONSOLE, transcripts) == RecordEnd()


async def test_what_was_printed_last_is_found_behind_segments_in_which_nothing_is_printed() -> None:
    transcripts, small = MemoryTranscripts(), SegmentLimits(segment_bytes=1)
    await archived(
        transcripts, [batch(Record(RecordKind.PRINTED, 1, 1, b"one ")), batch(Record(RecordKind.PRINTED, 2, 2, b"two"))]
    )
    for number in range(3):
        await archived(transcripts, [batch(Record.event(1, 9, "port-open"), epoch=f"e2-{number}")], small)
    assert len(transcripts.blobs) == 4
    assert await find_record_end(CONSOLE, transcripts) == RecordEnd("e1", b"one two", cut=True)
    transcripts.blobs[CONSOLE, 4], transcripts.blocks[CONSOLE, 4] = bytearray(), 0  # whoever made it was ended
    assert await find_record_end(CONSOLE, transcripts) == RecordEnd("e1", b"one two", cut=True)
    await transcripts.drop(CONSOLE, 0)
    assert await find_record_end(CONSOLE, transcripts) == RecordEnd()


async def test_what_lies_too_far_back_is_not_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    transcripts, small = MemoryTranscripts(), SegmentLimits(segment_bytes=1)
    await archived(transcripts, [batch(Record(RecordKind.PRINTED, 1, 1, b"one "))])
    await archived(transcripts, [batch(Record(RecordKind.PRINTED, 2, 2, b"two"))], small)
    assert await find_record_end(CONSOLE, transcripts) == RecordEnd("e1", b"one two", cut=True)
    monkeypatch.setattr(flow, "_MOST", 10)
    assert await find_record_end(CONSOLE, transcripts) == RecordEnd("e1", b"two", cut=True)


async def test_the_last_lines_may_begin_inside_an_append() -> None:
    transcripts, nothing = MemoryTranscripts(), bytes(1000)
    await archived(transcripts, [batch(*(Record(RecordKind.PRINTED, seq, seq, nothing) for seq in range(1, 16)))])
    assert len(transcripts.blobs[CONSOLE, 0]) > 64 * 1024 + 1000
    assert len((await find_record_end(CONSOLE, transcripts)).printed) == 15_000


class Dropping(MemoryTranscripts):
    """Retention takes what was there when the newest segment was looked at."""

    def __init__(self, *left: int) -> None:
        super().__init__()
        self.left = left

    async def newest(self, console: str) -> Blob | None:
        newest = await super().newest(console)
        self.blobs = {(console, ordinal): bytearray() for ordinal in self.left}
        return newest


@pytest.mark.parametrize("left", [(), (1,)])
async def test_what_is_dropped_meanwhile_is_not_missed(left: tuple[int, ...]) -> None:
    transcripts = Dropping(*left)
    await MemoryTranscripts.create(transcripts, CONSOLE, 0)
    planned = plan(CONSOLE, replace(FIRST, offset=100), [batch(Record(RecordKind.PRINTED, 1, 1, b"x"))])
    await transcripts.append(CONSOLE, 0, 0, planned.appends[0].data)
    assert await find_record_end(CONSOLE, transcripts) == RecordEnd("e1", b"x", cut=True)


async def test_of_a_long_segment_only_the_end_is_read() -> None:
    transcripts = MemoryTranscripts()
    for seq in range(1, 200):
        await archived(transcripts, [batch(Record(RecordKind.PRINTED, seq, seq, b"%05d" % seq * 200))])
    end = await find_record_end(CONSOLE, transcripts)
    assert end.cut
    assert end.printed.endswith(b"00199")
    assert len(end.printed) > 10_000
