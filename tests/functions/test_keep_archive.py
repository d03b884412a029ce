"""The timer that keeps the archive: it tells of recordings whose relay is gone, for a day."""

import logging
from typing import Any

import pytest

from functions import maintenance
from shared import wiring
from shared.base.record import Batch, Record, Source
from shared.session.lock import Lease
from shared.transcript.flows.archive_records import KnownEnds, archive_records
from tests.contract.memory_archive import MemoryArchive
from tests.fakes import NOW, VM, FakeClock, FakeLeases

OPENED = Record.event(1, int(NOW * 1e6), "port-open", relay="r0")


async def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    timer: Any = None
    run: Any = maintenance.keep_archive.build().get_user_function()
    caplog.clear()
    with caplog.at_level(logging.INFO, "functions.maintenance"):
        await run(timer)
    return [record.getMessage() for record in caplog.records if "interrupted" in record.getMessage()]


async def test_a_recording_whose_relay_is_gone_is_told_for_a_day(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    kept, clock, leases = MemoryArchive(), FakeClock(), FakeLeases({"r0": Lease(NOW + 60, frozenset())})
    monkeypatch.setattr(wiring, "archive", lambda: kept.archive)
    monkeypatch.setattr(wiring, "clock", lambda: clock)
    monkeypatch.setattr(wiring, "leases", lambda: leases)
    await archive_records([Batch(Source(VM.console, "e1", "r0"), (OPENED,)).encode()], kept.transcripts, KnownEnds())
    clock.time = NOW + 240
    assert await told(caplog) == ["recordings interrupted: 0"]
    clock.time = NOW + 241
    line = f"recording interrupted: e1 of {VM.console}, relay r0, silent since 2027-01-15T08:01:00.000Z"
    assert await told(caplog) == [line, "recordings interrupted: 1"]
    clock.time = NOW + 60 + 86_400
    assert await told(caplog) == ["recordings interrupted: 0"]
    clock.time, leases.said["r0"] = NOW + 999, Lease(NOW + 999, frozenset())
    assert await told(caplog) == ["recordings interrupted: 0"], "it is back"
