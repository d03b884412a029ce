"""The archiver against a specification: what the hub holds, said once and in order, whatever goes wrong on the way."""

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from shared.domain.record import Batch, Kind, Record, Source
from shared.domain.transcript import Limits
from shared.flows.archive_records import Tails, archive_records
from shared.ports import Unavailable
from tests.unit.flows.audit import audit
from tests.unit.flows.stumbling import Step, StumblingTranscripts

CONSOLE = (
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourcegroups/g/providers/microsoft.compute/virtualmachines/v"
)
SMALL = Limits(segment_bytes=1500, segment_blocks=4, segment_us=50, append_bytes=11_000)
EPOCHS = ("a", "b", "c")
STEPS = st.lists(st.sampled_from(Step), max_size=6)


class Archiving(RuleBasedStateMachine):
    @initialize(seed=st.integers(0, 2**16))
    def start(self, seed: int) -> None:
        self.transcripts = StumblingTranscripts(Random(seed))  # noqa: S311 - shuffles
        self.records: dict[str, list[Record]] = {epoch: [] for epoch in EPOCHS}
        self.hub: list[Batch] = []
        self.checkpoint = 0
        self.processes = [Tails(), Tails()]

    @rule(epoch=st.sampled_from(EPOCHS), bodies=st.lists(st.binary(max_size=400), min_size=1, max_size=4))
    def prints(self, epoch: str, bodies: list[bytes]) -> None:
        known = self.records[epoch]
        first = len(known)
        known.extend(Record(Kind.PRINTED, first + n, first * 7, body) for n, body in enumerate(bodies, 1))
        self._publish(epoch, first, len(known))

    @rule(epoch=st.sampled_from(EPOCHS))
    def says(self, epoch: str) -> None:
        known = self.records[epoch]
        known.append(Record.event(len(known) + 1, 3, "attach"))
        self._publish(epoch, len(known) - 1, len(known))

    @rule(epoch=st.sampled_from(EPOCHS))
    def loses_records(self, epoch: str) -> None:
        known = self.records[epoch]
        known.extend(Record(Kind.PRINTED, len(known) + n, 1, b"never seen") for n in (1, 2))

    @rule(epoch=st.sampled_from(EPOCHS), back=st.integers(1, 9))
    def sends_again(self, epoch: str, back: int) -> None:
        """As after a lost acknowledgement: a run that ends with the newest, cut elsewhere than before."""
        count = len(self.records[epoch])
        self._publish(epoch, max(0, count - back), count)

    @precondition(lambda self: self.hub)
    @rule(back=st.integers(1, 9))
    def goes_back(self, back: int) -> None:
        self.checkpoint = max(0, self.checkpoint - back)

    @rule(steps=STEPS, size=st.integers(1, 6), process=st.integers(0, 1))
    def delivers(self, steps: list[Step], size: int, process: int) -> None:
        """To one of two processes: what the other knows is then outdated."""
        self.transcripts.steps = iter(steps)
        if self._run([self._deliver(self.processes[process], size)]) == [True]:
            self.checkpoint = min(len(self.hub), self.checkpoint + size)

    @rule(steps=STEPS, process=st.integers(0, 1))
    def crashes_while_delivering(self, steps: list[Step], process: int) -> None:
        self.transcripts.steps = iter(steps)
        self._run([self._deliver(self.processes[process], 3)])
        self.processes[process] = Tails()

    @rule(steps=STEPS, sizes=st.tuples(st.integers(1, 6), st.integers(1, 6)))
    def is_delivered_to_both_at_once(self, steps: list[Step], sizes: tuple[int, int]) -> None:
        self.transcripts.steps = iter(steps)
        self._run([self._deliver(tails, size) for tails, size in zip(self.processes, sizes, strict=True)])

    @invariant()
    def holds_what_the_hub_held_once_and_in_order(self) -> None:
        kept = audit(bytes(blob) for _, blob in sorted(self.transcripts.blobs.items()))
        expected = _expected(self.hub)
        assert kept == expected[: len(kept)]
        assert kept[: len(delivered := _expected(self.hub[: self.checkpoint]))] == delivered
        assert not self.transcripts.aside

    def _publish(self, epoch: str, first: int, end: int) -> None:
        """A run without what was lost: consecutive or not, the archiver must cope."""
        run = [record for record in self.records[epoch][first:end] if record.body != b"never seen"]
        self.hub.append(Batch(Source(CONSOLE, epoch, "relay"), tuple(run)))

    async def _deliver(self, tails: Tails, size: int) -> bool:
        events = [batch.encode() for batch in self.hub[self.checkpoint : self.checkpoint + size]]
        try:
            await archive_records(events, self.transcripts, tails, SMALL)
        except Unavailable:
            return False
        return True

    def _run(self, deliveries: Sequence[Any]) -> list[bool]:
        async def all_of_them() -> list[bool]:
            return list(await asyncio.gather(*deliveries))

        return asyncio.run(all_of_them())


def _expected(hub: Sequence[Batch]) -> list[tuple[str, Any]]:
    last: dict[str, int] = {}
    kept: list[tuple[str, Any]] = []
    for batch in hub:
        epoch = batch.source.epoch
        for record in batch.records:
            before = last.get(epoch, 0)
            if record.seq <= before:
                continue
            if record.seq > before + 1:
                kept.append(("e", {"event": "hole", "epoch": epoch, "from": before + 1, "to": record.seq - 1}))
            last[epoch] = record.seq
            if record.kind is Kind.PRINTED:
                kept.append(("o", record.body))
            else:
                kept.append(("e", {**record.said(), "epoch": epoch, "seq": record.seq}))
    return kept


TestArchiving = Archiving.TestCase
TestArchiving.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
