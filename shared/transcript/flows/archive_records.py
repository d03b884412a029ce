"""Brings what the Event Hub delivers into the transcripts: every record once, whatever is repeated or fails."""

import asyncio
import logging
import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from shared.base.ports import Dependency, Trouble, Unavailable
from shared.base.record import Batch, DamagedBatch, Record, Source, decode_records, decode_source
from shared.base.vm import InvalidVmId, VmId
from shared.transcript.archive_plan import DEFAULT_LIMITS, Plan, SegmentLimits, plan
from shared.transcript.flows.find_end import find_end
from shared.transcript.ports import AppendConflict, Transcripts
from shared.transcript.segment import DamagedSegment, TranscriptEnd

log = logging.getLogger(__name__)

DELIVERY_SECONDS = 120.0
"""After so long a delivery is cut off, far below what the host gives a function: it would end all that the worker does.
"""
_TAILS_KEPT = 10_000
_AT_ONCE = 16
"""Consoles that are written to at the same time."""
_TRIES = 20
"""Conflicts in a row after which somebody is wrong rather than late."""
_EPOCH = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,63}", re.ASCII)
"""It becomes part of a blob's name: nothing in it may lead to another one."""


@dataclass(slots=True)
class KnownEnds:
    """The tails this process knows. They may be outdated: an append's position is what decides."""

    kept: int = _TAILS_KEPT
    _tails: OrderedDict[str, TranscriptEnd] = field(default_factory=OrderedDict[str, TranscriptEnd])

    def take(self, console: str) -> TranscriptEnd | None:
        """The tail, which is forgotten until an append has succeeded."""
        return self._tails.pop(console, None)

    def put(self, console: str, tail: TranscriptEnd) -> None:
        self._tails[console] = tail
        self._tails.move_to_end(console)
        if len(self._tails) > self.kept:
            self._tails.popitem(last=False)


@dataclass(slots=True)
class Archived:
    """What became of one delivery."""

    bytes: int = 0
    """Appended, as they lie in the segments."""
    aside: set[str] = field(default_factory=set[str])
    """Names of what was set aside: somebody should look."""


async def archive_records(
    events: Sequence[bytes],
    transcripts: Transcripts,
    tails: KnownEnds,
    limits: SegmentLimits = DEFAULT_LIMITS,
    seconds: float = DELIVERY_SECONDS,
) -> Archived:
    """Archives the bodies of one delivery, consoles side by side. Raises Unavailable: then deliver it again.

    What was appended before it was cut off is known by the tail, so each delivery comes further.
    """
    delivery = _Delivery(transcripts, tails, limits)
    try:
        async with asyncio.timeout(seconds):
            await _archive_all(delivery, events)
    except TimeoutError as error:
        raise Unavailable(Dependency.STORAGE_BLOBS, "a delivery was not archived in time", Trouble.SLOW) from error
    return delivery.archived


async def _archive_all(delivery: "_Delivery", events: Sequence[bytes]) -> None:
    consoles: dict[str, list[Batch]] = {}
    for event in events:
        batch = await delivery.read(event)
        if batch and batch.records:
            consoles.setdefault(batch.source.console, []).append(batch)
    ended = await asyncio.gather(*(delivery.archive(*item) for item in consoles.items()), return_exceptions=True)
    for failed in ended:
        if failed is not None:
            raise failed


@dataclass(slots=True)
class _Delivery:
    transcripts: Transcripts
    tails: KnownEnds
    limits: SegmentLimits
    archived: Archived = field(default_factory=Archived)
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def read(self, event: bytes) -> Batch | None:
        """The event's records; of a damaged event those before the damage, and the whole event is set aside."""
        records: list[Record] = []
        try:
            source, at = _decode_source(event)
        except DamagedBatch:
            await self._set_aside(_name_of(event), event)
            return None
        try:
            for record in decode_records(event, at):
                records.append(record)  # noqa: PERF402 - those before the damage count
        except DamagedBatch:
            await self._set_aside(_name_of(event), event)
        return Batch(source, tuple(records))

    async def archive(self, console: str, batches: Sequence[Batch]) -> None:
        async with self.places:
            try:
                await self._archive(console, batches)
            except DamagedSegment as damage:
                log.error("%s: %s; its records are set aside", console, damage)  # noqa: TRY400 - a trace tells no more
                await self._set_aside_all(batches)

    async def _archive(self, console: str, batches: Sequence[Batch]) -> None:
        """Plans and appends, reading the tail again whenever somebody else was first."""
        tail = self.tails.take(console)
        for _ in range(_TRIES):
            try:
                tail = tail or await find_end(console, self.transcripts)
                tail = await self._carry_out(console, tail, plan(console, tail, batches, self.limits))
            except AppendConflict:
                tail = None
            else:
                self.tails.put(console, tail)
                return
        raise Unavailable(Dependency.STORAGE_BLOBS, f"{_TRIES} appends in a row found somebody else's")

    async def _carry_out(self, console: str, tail: TranscriptEnd, planned: Plan) -> TranscriptEnd:
        """Where the transcript then stands. Raises AppendConflict, Unavailable."""
        await self._set_aside_all(planned.aside)
        for append in planned.appends:
            if not append.position:
                await self._create(console, append.ordinal)
            await self.transcripts.append(console, append.ordinal, append.position, append.data)
            self.archived.bytes += len(append.data)
            tail = append.after
        return tail

    async def _create(self, console: str, ordinal: int) -> None:
        """Makes the next segment. Raises AppendConflict, Unavailable.

        Retention may have dropped it since this process last looked: made again, it would take records that nobody
        reads. So one looks before, and once more before its first append: a process may have stood still in between.
        """
        await self._refuse_older(console, ordinal)
        await self.transcripts.create(console, ordinal)
        await self._refuse_older(console, ordinal)

    async def _refuse_older(self, console: str, ordinal: int) -> None:
        newest = await self.transcripts.newest(console)
        if newest is not None and newest.ordinal > ordinal:
            raise AppendConflict

    async def _set_aside_all(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            data = batch.encode()
            await self._set_aside(_name_of_batch(batch, data), data)

    async def _set_aside(self, name: str, data: bytes) -> None:
        await self.transcripts.set_aside(name, data)
        self.archived.aside.add(name)


def _decode_source(event: bytes) -> tuple[Source, int]:
    """Raises DamagedBatch, also when the names in it cannot name a blob, or are not UTF-8."""
    source, at = decode_source(event)
    try:
        vm = VmId.parse(source.console)
        source.writer.encode()
    except (InvalidVmId, UnicodeEncodeError) as error:
        raise DamagedBatch("the console is not a VM, or the writer not a name") from error
    if vm.console != source.console:
        raise DamagedBatch("the console is spelled in another way than consoles are")
    if not _EPOCH.fullmatch(source.epoch):
        raise DamagedBatch("the epoch's name is not one that relays give")
    return source, at


def _name_of(event: bytes) -> str:
    """The same event has the same name each time it is delivered."""
    return f"events/{_digest(event)}"


def _name_of_batch(batch: Batch, data: bytes) -> str:
    """Other bytes have another name, also where the numbers are the same: nothing that was set aside is replaced."""
    first, last = batch.records[0].seq, batch.records[-1].seq
    return f"batches{batch.source.console}/{batch.source.epoch}/{first}-{last}-{_digest(data)}"


def _digest(data: bytes) -> str:
    return blake2b(data, digest_size=16).hexdigest()
