"""Upkeep of the archive: the index, signed checkpoints, and what retention drops. Whatever interrupts it, the next run
goes on.

That segments are dropped is signed before the first is deleted, and a legal hold is looked at before each.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace

from shared.base.ports import Unavailable
from shared.transcript.flows.archive import Archive
from shared.transcript.flows.find_end import find_end
from shared.transcript.flows.index_transcript import index_segments
from shared.transcript.ports import SegmentInfo
from shared.transcript.recording_state import Unended, unended
from shared.transcript.recordings import Indexed
from shared.transcript.retention import Due, due
from shared.transcript.segment import DamagedSegment
from shared.transcript.signed_statements import Checkpoint, Dropped

_log = logging.getLogger(__name__)
_AT_ONCE = 16
_BUDGET = 256 << 20
"""Bytes of segments read for one console in one run."""
RUN_SECONDS = 120.0
"""After so long a run is cut off, far below what the host gives a function: the next goes on after what is done."""


@dataclass(slots=True)
class RetentionResult:
    """What a run did."""

    consoles: int = 0
    signed: int = 0
    dropped: int = 0
    """Segments."""
    held: int = 0
    """Consoles of which something was due, but for a hold, the archive's or the storage's own."""
    damaged: list[str] = field(default_factory=list[str])
    """Consoles whose newest segment does not end as one: somebody should look."""
    unended: dict[str, Sequence[Unended]] = field(default_factory=dict[str, Sequence[Unended]])
    """Recordings without an end whose relay is on record, by console."""
    failed: list[str] = field(default_factory=list[str])
    """Consoles whose turn comes with the next run."""
    whole: bool = True
    """False: the run was cut off, and the next goes on after the last console that was done."""


async def apply_retention(archive: Archive, seconds: float = RUN_SECONDS) -> RetentionResult:
    """Of all consoles, as far as the seconds suffice. Raises Unavailable when they cannot be listed."""
    start = await archive.index.place()
    run = _Run(archive, start)
    try:
        async with asyncio.timeout(seconds):
            await run.go()
    except TimeoutError:
        run.result.whole = False
    reached = "" if run.result.whole else run.reached
    if reached != start:
        await archive.index.put_place(reached)
    return run.result


@dataclass(slots=True)
class _Run:
    archive: Archive
    reached: str
    """Of the consoles that are done, the last in the order of the listing: one that takes too long holds up no other,
    and has its next turn in the next round.
    """
    result: RetentionResult = field(default_factory=RetentionResult)
    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def go(self) -> None:
        """Cut off at any moment it has done nothing by halves that the next run does not mend."""
        start, under_way = self.reached, set[asyncio.Task[None]]()
        try:
            async for there in _consoles(self.archive):
                if _order(there[0].console) <= _order(start):
                    continue
                await self.gate.acquire()  # a listing far ahead of the work would only fill the memory
                task = asyncio.create_task(self._apply(there))
                under_way.add(task)
                task.add_done_callback(under_way.discard)
        except asyncio.CancelledError:
            for task in under_way:
                task.cancel()
            raise
        finally:
            await asyncio.gather(*under_way)

    async def _apply(self, there: Sequence[SegmentInfo]) -> None:
        console = there[0].console
        self.result.consoles += 1
        try:
            await _apply(self.archive, there, self.result)
        except Unavailable as error:
            _log.warning("%s: %s", console, error)
            self.result.failed.append(console)
        except DamagedSegment:
            self.result.damaged.append(console)
        finally:
            self.gate.release()
        self.reached = max(self.reached, console, key=_order)


def _order(console: str) -> str:
    """By which consoles are listed: by the names of what lies in their folders."""
    return f"{console}/"


async def _consoles(archive: Archive) -> AsyncIterator[Sequence[SegmentInfo]]:
    """The segments of one console after the other."""
    gathered: list[SegmentInfo] = []
    async for each in archive.transcripts.list_segments():
        if gathered and gathered[0].console != each.console:
            yield gathered
            gathered = []
        gathered.append(each)
    if gathered:
        yield gathered


async def _apply(archive: Archive, there: Sequence[SegmentInfo], result: RetentionResult) -> None:
    console = there[0].console
    indexed = await index_segments(archive.index, archive.transcripts, there, _BUDGET)
    rows = list(indexed.rows)
    if indexed.whole and (unended_recordings := [each for each in unended(indexed.recordings) if each.recording.relay]):
        result.unended[console] = unended_recordings
    await _sign(archive, console, rows, result)
    if indexed.whole and (drop := due(rows, archive.ring, int(archive.clock.now() * 1e6))):
        await _drop(archive, console, rows, drop, result)


async def _sign(archive: Archive, console: str, rows: list[Indexed], result: RetentionResult) -> None:
    """Once for each state of the transcript."""
    newest = rows[-1]
    if newest.signed == newest.length:
        return
    tail = await find_end(console, archive.transcripts)
    at = int(archive.clock.now())
    await archive.ledger.add(Checkpoint(console, at, tail.ordinal, tail.offset, tail.hash))
    rows[-1] = replace(newest, signed=newest.length)
    await archive.index.put(console, rows[-1])
    result.signed += 1


async def _drop(
    archive: Archive, console: str, rows: Sequence[Indexed], due_drop: Due, result: RetentionResult
) -> None:
    first = due_drop.first_kept
    for row in (row for row in rows if row.ordinal < first.ordinal):
        if await archive.holds.find(console):
            result.held += 1
            return
        if not first.announced:
            at, digest = int(archive.clock.now()), bytes.fromhex(first.previous)
            await archive.ledger.add(Dropped(console, at, first.ordinal, first.start, digest, due_drop.why))
            first = replace(first, announced=True)
            await archive.index.put(console, first)
        if not await archive.transcripts.drop(console, row.ordinal):
            result.held += 1
            return
        await archive.index.forget(console, row.ordinal)
        result.dropped += 1
