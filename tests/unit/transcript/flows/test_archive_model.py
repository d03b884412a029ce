"""The archiver and retention against a specification: what the hub holds, said once and in order, whatever fails.

Two relays and more epochs than a checkpoint remembers write for two consoles into one partition. It is delivered at
least once, to two processes that know nothing of each other; every call to the storage may fail before or after its
effect, and a process may end there; clocks jump, events are damaged, segments roll every few appends and are dropped.
"""

import asyncio
import struct
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from shared.base.ports import Unavailable
from shared.base.record import Batch, Record, RecordKind, Source
from shared.transcript.archive_plan import SegmentLimits, plan
from shared.transcript.flows.apply_retention import apply_retention
from shared.transcript.flows.archive_records import KnownEnds, archive_records
from shared.transcript.flows.find_end import find_end
from shared.transcript.ports import Hold
from shared.transcript.retention import Retention
from shared.transcript.signed_statements import Dropped
from shared.transcript.verification import Fault, Report, verify
from tests.contract.memory_archive import MemoryArchive
from tests.unit.transcript.flows.archive_specification import TOO_LARGE, Event, Expected, expected, told
from tests.unit.transcript.flows.archived import CONSOLE, batch
from tests.unit.transcript.flows.audit import audit
from tests.unit.transcript.flows.stumbling import (
    Step,
    StumblingHolds,
    StumblingIndex,
    StumblingLedger,
    StumblingTranscripts,
)

SMALL = SegmentLimits(segment_bytes=1500, segment_blocks=2, segment_us=50, append_bytes=11_000)
CONSOLES = st.sampled_from((CONSOLE, f"{CONSOLE}2"))
_EPOCHS = [f"{number:016x}-0000000{number:x}" for number in range(11)]
EPOCHS = st.one_of(st.sampled_from(_EPOCHS[-2:]), st.sampled_from(_EPOCHS))
"""Their names sort as the relays opened the port: with so many, records of the oldest come too late."""
TIMES = st.integers(0, 400)
"""Microseconds: they go back as often as forth, and further than a segment lasts."""
STEPS = st.lists(st.sampled_from((Step.WELL, Step.WELL, Step.WELL, *Step)), max_size=12)
RINGS = st.sampled_from((Retention(bytes=5000), Retention(bytes=1), Retention(days=1), Retention()))
LOST = b"never seen"


class Archiving(RuleBasedStateMachine):
    @initialize(seed=st.integers(0, 2**16))
    def start(self, seed: int) -> None:
        self.storage = StumblingTranscripts(Random(seed))  # noqa: S311 - shuffles
        self.ledger = StumblingLedger(self.storage)
        self.holds = StumblingHolds(self.storage)
        self.archive = replace(
            MemoryArchive().archive, transcripts=self.storage, index=StumblingIndex(self.storage), ledger=self.ledger,
            holds=self.holds,
        )  # fmt: skip
        self.records: dict[tuple[str, str], list[Record]] = {}
        self.hub: list[Event] = []
        self.checkpoint = 0
        self.processes = [KnownEnds(), KnownEnds()]

    # --- relays and the hub -----------------------------------------------------------------------------------

    @rule(console=CONSOLES, epoch=EPOCHS, time=TIMES, bodies=st.lists(st.binary(max_size=400), min_size=1, max_size=4))
    def prints(self, console: str, epoch: str, time: int, bodies: list[bytes]) -> None:
        self._write(console, epoch, *((RecordKind.PRINTED, time, body) for body in bodies))

    @rule(console=CONSOLES, epoch=EPOCHS, times=st.lists(TIMES, min_size=4, max_size=9), process=st.integers(0, 1))
    def prints_and_is_archived_at_once(self, console: str, epoch: str, times: list[int], process: int) -> None:
        """Segments fill up."""
        for time in times:
            self._write(console, epoch, (RecordKind.PRINTED, time, b"%d\xff" % time * 50))
            self._run([], self._deliver(self.processes[process], len(self.hub)))
        self.checkpoint = len(self.hub)

    @rule(console=CONSOLES, epoch=EPOCHS, time=TIMES)
    def says(self, console: str, epoch: str, time: int) -> None:
        self._write(console, epoch, (RecordKind.EVENT, time, b'{"event":"attach"}'))

    @rule(console=CONSOLES, epoch=EPOCHS)
    def loses_records(self, console: str, epoch: str) -> None:
        known = self._known(console, epoch)
        known.extend(Record(RecordKind.PRINTED, len(known) + n, 1, LOST) for n in (1, 2))

    @rule(console=CONSOLES, epoch=EPOCHS)
    def prints_more_than_an_append_takes(self, console: str, epoch: str) -> None:
        self._write(console, epoch, (RecordKind.PRINTED, 1, b"x" * TOO_LARGE), (RecordKind.PRINTED, 1, b"y"))

    @rule(console=CONSOLES, epoch=EPOCHS, back=st.integers(1, 9))
    def sends_again(self, console: str, epoch: str, back: int) -> None:
        """As after a lost acknowledgement: a run that ends with the newest, cut elsewhere than before."""
        count = len(self._known(console, epoch))
        self._publish(console, epoch, max(0, count - back))

    @rule(console=CONSOLES, epoch=EPOCHS, back=st.integers(1, 3))
    def is_cut_on_the_way(self, console: str, epoch: str, back: int) -> None:
        """The event ends inside its last record; the records before it count."""
        known = self._known(console, epoch)
        run = [record for record in known[-back:] if record.body != LOST]
        if run:
            source = Source(console, epoch, "relay")
            data = Batch(source, tuple(run)).encode()[:-1]
            self.hub.append(Event(data, Batch(source, tuple(run[:-1])), poison=True))

    @rule(data=st.binary(max_size=9), console=CONSOLES, epoch=st.sampled_from(("..", "", "\N{KELVIN SIGN}", "a\0")))
    def somebody_else_sends(self, data: bytes, console: str, epoch: str) -> None:
        for strange in (data, b"SCR1" + struct.pack(">H", 2) + b"{}", Source(console, epoch, "?").encode()):
            self.hub.append(Event(strange, None, poison=True))

    @rule(console=CONSOLES, epoch=EPOCHS, body=st.binary(max_size=3))
    def numbers_a_record_as_none_is(self, console: str, epoch: str, body: bytes) -> None:
        odd = batch(Record(RecordKind.PRINTED, 0, 1, body), epoch=epoch, console=console)
        self.hub.append(Event(odd.encode(), odd))

    @rule(back=st.integers(1, 9))
    def the_checkpoint_was_not_kept(self, back: int) -> None:
        self.checkpoint = max(0, self.checkpoint - back)

    # --- archivers --------------------------------------------------------------------------------------------

    @rule(steps=STEPS, size=st.integers(1, 6), process=st.integers(0, 1))
    def delivers(self, steps: list[Step], size: int, process: int) -> None:
        """To one of two processes: what the other knows is then outdated."""
        if self._run(steps, self._deliver(self.processes[process], size)) == [True]:
            self.checkpoint = min(len(self.hub), self.checkpoint + size)

    @rule(console=CONSOLES, epoch=EPOCHS, time=TIMES, well=st.integers(0, 7), last=st.sampled_from(Step))
    def ends_between_two_steps(self, console: str, epoch: str, time: int, well: int, last: Step) -> None:
        """What it knew ends with it."""
        self._write(console, epoch, (RecordKind.PRINTED, time, b"x"))
        self._run([*[Step.WELL] * well, last, *[Step.NOT_DONE] * 99], self._deliver(KnownEnds(), 99))

    @rule(steps=STEPS, sizes=st.tuples(st.integers(1, 6), st.integers(1, 6)))
    def is_delivered_to_both_at_once(self, steps: list[Step], sizes: tuple[int, int]) -> None:
        self._run(steps, *(self._deliver(tails, size) for tails, size in zip(self.processes, sizes, strict=True)))

    @rule(process=st.integers(0, 1))
    def the_storage_is_away_for_an_hour(self, process: int) -> None:
        self.storage.away = True
        for _ in range(3):
            self._run([], self._deliver(self.processes[process], 6), self._upkeep(Retention(bytes=1)))
        self.storage.away = False

    @rule(sizes=st.lists(st.integers(1, 4), max_size=4))
    def all_goes_well_for_a_while(self, sizes: list[int]) -> None:
        for size in (*sizes, len(self.hub)):
            assert self._run([], self._deliver(self.processes[0], size)) == [True]
            self.checkpoint = min(len(self.hub), self.checkpoint + size)

    # --- retention --------------------------------------------------------------------------------------------

    @rule(ring=RINGS, steps=STEPS, immutable=st.sampled_from((False, False, True)))
    def upkeep_runs(self, ring: Retention, steps: list[Step], immutable: bool) -> None:  # noqa: FBT001 - as above
        """Also while the newest segment is made and not written to yet: then the one before it stays, too."""
        before = {key for key in self.storage.blobs if key[0] in self.holds.placed}
        written = [key for key, data in self.storage.blobs.items() if data]
        newest = {max(key for key in written if key[0] == console) for console, _ in written}
        self.storage.immutable = immutable
        self._run(steps, self._upkeep(ring))
        assert before <= set(self.storage.blobs), "nothing is dropped under a legal hold"
        assert newest <= set(self.storage.blobs), "the newest segment stays"

    @rule(console=CONSOLES)
    def somebody_places_or_lifts_a_hold(self, console: str) -> None:
        if self.holds.placed.pop(console, None) is None:
            self.holds.placed[console] = Hold("Ada", 1.0, "case 12")

    # --- what holds at every moment ---------------------------------------------------------------------------

    @invariant()
    def transcripts_hold_what_the_hub_held_once_and_in_order(self) -> None:
        for console, whole in self._expectations(len(self.hub)):
            written = self._written(console)
            kept = audit(written)
            assert kept == whole.lines[: len(kept)]
            delivered = expected(self.hub[: self.checkpoint], console)
            assert len(kept) >= len(delivered.lines)
            if len(kept) == len(whole.lines):
                assert told(written) == whole.printed

    @invariant()
    def what_cannot_be_placed_is_kept_byte_for_byte(self) -> None:
        aside = set(self.storage.aside.values())
        batches = [Batch.decode(data) for name, data in self.storage.aside.items() if name.startswith("batches/")]
        records = {(each.source.console, each.source.epoch, record) for each in batches for record in each.records}
        for console, due in self._expectations(self.checkpoint):
            assert {(console, epoch, record) for epoch, record in due.aside} <= records
        assert {event.data for event in self.hub[: self.checkpoint] if event.poison} <= aside
        known = {event.data for event in self.hub if event.poison}
        assert {data for name, data in self.storage.aside.items() if name.startswith("events/")} <= known
        assert all(self._may_be_aside(*each) for each in records)

    @invariant()
    def verification_names_the_holes_and_nothing_else(self) -> None:
        for console, whole in self._expectations(len(self.hub)):
            report = self._verified(console)
            assert {each.fault for each in report.findings} <= {Fault.HOLE, Fault.DROPPED}
            holes = sum(each.fault is Fault.HOLE for each in report.findings)
            if report.first == 0 and report.end == sum(map(len, whole.printed.values())):
                assert holes <= whole.holes

    @invariant()
    def what_is_dropped_was_signed_away_first(self) -> None:
        for console, ordinal in self.storage.gone:
            said = [each for each in self.ledger.said if isinstance(each, Dropped) and each.console == console]
            assert any(each.segment > ordinal for each in said)

    def teardown(self) -> None:
        if not hasattr(self, "storage"):
            return
        self.all_goes_well_for_a_while([])
        for console, whole in self._expectations(len(self.hub)):
            assert audit(self._written(console)) == whole.lines
            gone = any(of == console for of, _ in self.storage.gone)
            report = self._verified(console)
            assert report.end == sum(map(len, whole.printed.values()))
            assert gone or [each.fault for each in report.findings] == [Fault.HOLE] * whole.holes

    # --- how it is done ---------------------------------------------------------------------------------------

    def _known(self, console: str, epoch: str) -> list[Record]:
        """The first record of an epoch says that the port is open."""
        opened = Record.event(1, 1, "port-open")
        return self.records.setdefault((console, epoch), [opened])

    def _write(self, console: str, epoch: str, *said: tuple[RecordKind, int, bytes]) -> None:
        known = self._known(console, epoch)
        first = len(known) if len(known) > 1 else 0
        for kind, time, body in said:
            known.append(Record(kind, len(known) + 1, time, body))
        self._publish(console, epoch, first)

    def _publish(self, console: str, epoch: str, first: int) -> None:
        """A run without what was lost: consecutive or not, the archiver must cope."""
        run = [record for record in self.records[console, epoch][first:] if record.body != LOST]
        sent = batch(*run, epoch=epoch, console=console)
        self.hub.append(Event(sent.encode(), sent))

    def _expectations(self, delivered: int) -> list[tuple[str, Expected]]:
        consoles = sorted({console for console, _ in self.records})
        return [(console, expected(self.hub[:delivered], console)) for console in consoles]

    def _written(self, console: str) -> list[bytes]:
        """All segments there ever were."""
        ever = {**self.storage.blobs, **self.storage.gone}
        return [bytes(ever[key]) for key in sorted(ever) if key[0] == console]

    def _verified(self, console: str) -> Report:
        there = sorted(key for key in self.storage.blobs if key[0] == console)
        lines = ((ordinal, bytes(self.storage.blobs[of, ordinal]).splitlines(keepends=True)) for of, ordinal in there)
        return verify(lines, statements=[each for each in self.ledger.said if each and each.console == console])

    def _may_be_aside(self, console: str, epoch: str, record: Record) -> bool:
        newer = {other for of, other in self.records if of == console and other > epoch}
        return record.seq < 1 or len(record.body) >= TOO_LARGE or len(newer) >= 8

    async def _deliver(self, tails: KnownEnds, size: int) -> bool:
        events = [event.data for event in self.hub[self.checkpoint : self.checkpoint + size]]
        try:
            await archive_records(events, self.storage, tails, SMALL)
        except Unavailable:
            return False
        return True

    async def _upkeep(self, ring: Retention) -> bool:
        try:
            return not (await apply_retention(replace(self.archive, ring=ring))).damaged
        except Unavailable:
            return True

    def _run(self, steps: Sequence[Step], *works: Coroutine[Any, Any, bool]) -> list[bool]:
        async def all_of_them() -> list[bool]:
            return list(await asyncio.gather(*works))

        self.storage.steps = iter(steps)
        try:
            return asyncio.run(all_of_them())
        finally:
            self.storage.steps = iter(())


TestArchiving = Archiving.TestCase
TestArchiving.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)


async def test_upkeep_between_the_making_of_a_segment_and_its_first_append_drops_nothing_it_goes_on_from() -> None:
    """A console that was idle for longer than its transcript is kept."""
    kept, limits = MemoryArchive(Retention(days=1)), SegmentLimits(segment_us=1)
    storage = kept.transcripts
    await archive_records([batch(Record(RecordKind.PRINTED, 1, 5, b"old")).encode()], storage, KnownEnds(), limits)
    new = batch(Record(RecordKind.PRINTED, 2, 10**6, b"new"))
    closing, _ = plan(CONSOLE, await find_end(CONSOLE, storage), [new], limits).appends
    await storage.append(CONSOLE, closing.ordinal, closing.position, closing.data)
    await storage.create(CONSOLE, 1)
    await apply_retention(kept.archive)
    await archive_records([new.encode()], storage, KnownEnds(), limits)
    assert not storage.aside
