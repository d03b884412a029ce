"""Retention: signed before it is done, in whole segments, never under a hold, and whatever interrupts it."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from shared.base.ports import Dependency, Unavailable
from shared.base.record import Record, RecordKind
from shared.transcript.archive_plan import SegmentLimits
from shared.transcript.flows.apply_retention import RetentionResult, apply_retention
from shared.transcript.flows.verify_transcript import verify_part
from shared.transcript.ports import Hold, SegmentInfo
from shared.transcript.recordings import Indexed
from shared.transcript.retention import Retention
from shared.transcript.signed_statements import Checkpoint, Dropped
from shared.transcript.signed_verification import PartCursor
from shared.transcript.verification import Fault
from tests.contract.memory_archive import MemoryArchive
from tests.fakes import NOW
from tests.patience import PATIENCE
from tests.unit.transcript.flows.archived import CONSOLE, archived, batch

OTHER = f"{CONSOLE}2"
DAY = 24 * 3600
SMALL = SegmentLimits(segment_blocks=2)


async def prints(kept: MemoryArchive, days_ago: int, count: int = 2, console: str = CONSOLE) -> None:
    """One append after the other; two fill a segment."""
    first = 1 + sum(blob.count(b'"o",') for (of, _), blob in kept.transcripts.blobs.items() if of == console)
    for seq in range(first, first + count):
        record = Record(RecordKind.PRINTED, seq, int((NOW - days_ago * DAY) * 1e6), b"x" * 100)
        await archived(kept.transcripts, [batch(record, console=console)], SMALL)


def ordinals(kept: MemoryArchive, console: str = CONSOLE) -> list[int]:
    return sorted(ordinal for of, ordinal in kept.transcripts.blobs if of == console)


async def faults(kept: MemoryArchive) -> list[Fault]:
    return [each.fault for each in (await verify_part(kept.archive, CONSOLE, PartCursor(0))).report.findings]


async def test_how_far_each_transcript_reaches_is_signed_once() -> None:
    kept = MemoryArchive()
    await prints(kept, 0)
    await prints(kept, 0, console=OTHER, count=1)
    assert (await apply_retention(kept.archive)).signed == 2
    said = [each for each in kept.ledger.said if isinstance(each, Checkpoint)]
    assert {(each.console, each.offset, each.at) for each in said} == {(CONSOLE, 200, int(NOW)), (OTHER, 100, int(NOW))}
    assert await apply_retention(kept.archive) == RetentionResult(consoles=2)
    await prints(kept, 0)
    assert (await apply_retention(kept.archive)).signed == 1
    assert await faults(kept) == []


async def test_what_is_too_old_is_signed_away_and_then_dropped() -> None:
    kept = MemoryArchive(Retention(days=30))
    for days_ago in (90, 60, 5):
        await prints(kept, days_ago)
    assert (await apply_retention(kept.archive)).dropped == 2
    assert ordinals(kept) == [2]
    (dropped,) = (each for each in kept.ledger.said if isinstance(each, Dropped))
    assert (dropped.segment, dropped.offset, dropped.why) == (2, 400, "age")
    assert await faults(kept) == [Fault.DROPPED]
    assert (await verify_part(kept.archive, CONSOLE, PartCursor(0))).report.complete


async def test_what_is_too_much_goes_and_the_newest_stays() -> None:
    kept = MemoryArchive(Retention(bytes=1))
    for _ in range(3):
        await prints(kept, 0)
    assert (await apply_retention(kept.archive)).dropped == 2
    assert ordinals(kept) == [2]
    assert await apply_retention(kept.archive) == RetentionResult(consoles=1)


async def test_under_a_legal_hold_nothing_is_dropped_nor_said_to_be() -> None:
    kept = MemoryArchive(Retention(days=30))
    for days_ago in (90, 60, 5):
        await prints(kept, days_ago)
    await kept.holds.place(CONSOLE, Hold("Ada", NOW, "case 12"))
    assert (await apply_retention(kept.archive)).held == 1
    assert ordinals(kept) == [0, 1, 2]
    assert not [each for each in kept.ledger.said if isinstance(each, Dropped)]
    await kept.holds.lift(CONSOLE)
    assert (await apply_retention(kept.archive)).dropped == 2


async def test_storage_that_forbids_to_delete_is_asked_again_and_the_statement_is_made_once() -> None:
    kept = MemoryArchive(Retention(days=30))
    for days_ago in (90, 60, 5):
        await prints(kept, days_ago)
    kept.transcripts.immutable = True
    assert [(await apply_retention(kept.archive)).held for _ in range(3)] == [1, 1, 1]
    assert await faults(kept) == []
    kept.transcripts.immutable = False
    assert (await apply_retention(kept.archive)).dropped == 2
    assert len([each for each in kept.ledger.said if isinstance(each, Dropped)]) == 1


async def test_a_run_that_fails_between_two_deletions_leaves_what_verifies_and_the_next_goes_on() -> None:
    kept = MemoryArchive(Retention(days=30))
    for days_ago in (90, 60, 50, 5):
        await prints(kept, days_ago)
    forget = kept.index.forget

    async def fails(console: str, ordinal: int) -> None:
        raise Unavailable(Dependency.STORAGE_TABLES, "away")

    kept.index.forget = fails  # type: ignore[method-assign]
    assert (await apply_retention(kept.archive)).failed == [CONSOLE]
    assert ordinals(kept) == [1, 2, 3]
    assert await faults(kept) == [Fault.DROPPED]
    kept.index.forget = forget  # type: ignore[method-assign]
    assert (await apply_retention(kept.archive)).dropped == 2
    assert await faults(kept) == [Fault.DROPPED]


async def test_a_console_that_is_damaged_holds_up_no_other() -> None:
    kept = MemoryArchive()
    await prints(kept, 0)
    await prints(kept, 0, console=OTHER)
    kept.transcripts.blobs[CONSOLE, 0] += b"torn"
    done = await apply_retention(kept.archive)
    assert (done.damaged, done.signed, done.consoles) == ([CONSOLE], 1, 2)


async def test_without_a_listing_there_is_no_run() -> None:
    kept = MemoryArchive()

    async def away(console: str = "") -> AsyncIterator[SegmentInfo]:
        yield SegmentInfo(f"{CONSOLE}{console}", 0, 0)
        raise Unavailable(Dependency.STORAGE_BLOBS, "away")

    kept.transcripts.list_segments = away  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        await apply_retention(kept.archive)


async def test_a_run_has_an_end_and_the_next_goes_on_behind_what_is_done() -> None:
    """One console's storage says nothing; nobody else waits for it longer than for a run."""
    names = [CONSOLE, f"{CONSOLE}-a", OTHER]
    kept, silent = MemoryArchive(), asyncio.Event()
    for name in names:
        await prints(kept, 0, console=name)
    rows = kept.index.rows

    async def hangs(console: str, first: int = 0, behind: int | None = None) -> Sequence[Indexed]:
        if console == CONSOLE:
            await silent.wait()
        return await rows(console, first, behind)

    kept.index.rows = hangs  # type: ignore[method-assign]
    assert not (await apply_retention(kept.archive, seconds=0)).whole
    signed = set[str]()
    async with asyncio.timeout(PATIENCE):
        while len(signed) < 2:
            await apply_retention(kept.archive, seconds=0.2)
            signed = {each.console for each in kept.ledger.said}
    assert signed == {f"{CONSOLE}-a", OTHER}
    silent.set()
    async with asyncio.timeout(PATIENCE):
        while len(signed) < 3:
            await apply_retention(kept.archive)
            signed = {each.console for each in kept.ledger.said}
    assert (await apply_retention(kept.archive)).whole
    assert kept.index.reached == ""


async def test_a_run_begins_behind_the_last_console_that_the_one_before_reached() -> None:
    kept = MemoryArchive()
    for name in (CONSOLE, f"{CONSOLE}-a", OTHER):
        await prints(kept, 0, console=name)
    kept.index.reached = CONSOLE
    done = await apply_retention(kept.archive)
    assert (done.consoles, [each.console for each in kept.ledger.said]) == (1, [OTHER])
    assert kept.index.reached == "", "the next begins with the first"
    assert (await apply_retention(kept.archive)).consoles == 3


async def test_of_no_console_there_is_nothing_to_keep() -> None:
    assert await apply_retention(MemoryArchive().archive) == RetentionResult()


async def test_what_could_not_be_indexed_in_one_run_is_not_judged_by_age_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.transcript.flows.apply_retention._BUDGET", 1)
    kept = MemoryArchive(Retention(days=1))
    for days_ago in (90, 60, 50):
        await prints(kept, days_ago)
    assert (await apply_retention(kept.archive)).dropped == 0
    for _ in range(20):
        await apply_retention(kept.archive)
    assert ordinals(kept) == [2]


async def test_a_run_that_is_cut_off_while_many_are_waited_for_is_made_good_by_the_next() -> None:
    names, kept, silent = [f"{CONSOLE}{number}" for number in range(20)], MemoryArchive(), asyncio.Event()
    for name in names:
        await prints(kept, 0, count=1, console=name)
    rows = kept.index.rows

    async def hangs(console: str, first: int = 0, behind: int | None = None) -> Sequence[Indexed]:
        await silent.wait()
        return await rows(console, first, behind)

    kept.index.rows = hangs  # type: ignore[method-assign]
    assert not (await apply_retention(kept.archive, seconds=0.2)).whole
    assert (kept.index.reached, kept.ledger.said) == ("", [])
    silent.set()
    assert (await apply_retention(kept.archive)).signed == len(names)


async def test_recordings_without_an_end_are_named_where_their_relay_is_on_record() -> None:
    kept = MemoryArchive()
    opened = Record.event(1, int(NOW * 1e6), "port-open", relay="r0")
    await archived(kept.transcripts, [batch(opened, epoch="e1"), batch(Record.event(1, 1, "port-open"), epoch="e2")])
    found = (await apply_retention(kept.archive)).unended
    assert [(each.recording.id, each.recording.relay) for each in found[CONSOLE]] == [("e1", "r0")]
