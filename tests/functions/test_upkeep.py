"""The timer that clears tables: which rows it asks to be deleted, and what it tells."""

import json
import logging
from typing import Any

import pytest

from dev.stack import ROOT
from functions.maintenance import clear_tables
from shared import wiring
from shared.base.ports import Dependency, Unavailable
from shared.transcript.flows import apply_retention, archive_records, remove_old_rows
from shared.transcript.old_rows import Ages, Rows, limits
from shared.transcript.ports import RemovedRows
from tests.fakes import NOW, FakeClock, settings


class Cleared:
    def __init__(self) -> None:
        self.asked: dict[Rows, float] = {}

    async def remove(self, rows: Rows, before: float) -> RemovedRows:
        self.asked[rows] = before
        if rows is Rows.APPROVALS:
            raise Unavailable(Dependency.STORAGE_TABLES, "away")
        return RemovedRows(3 if rows is Rows.SESSIONS else 0, last=True)


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> Cleared:
    made, clock = Cleared(), FakeClock()
    monkeypatch.setattr(wiring, "settings", lambda: settings(SESSION_DAYS="7", READ_DAYS="70", SESSION_SECONDS="60"))
    monkeypatch.setattr(wiring, "old_rows", lambda: made)
    monkeypatch.setattr(wiring, "clock", lambda: clock)
    return made


async def test_each_kind_goes_by_the_settings_and_what_is_left_is_told(
    rows: Cleared, caplog: pytest.LogCaptureFixture
) -> None:
    timer: Any = None
    run: Any = clear_tables.build().get_user_function()
    with caplog.at_level(logging.INFO, "functions.maintenance"):
        await run(timer)
    assert rows.asked == limits(Ages(60, 7, 70), NOW)
    assert "old rows removed: sessions 3; left for the next run: approvals" in caplog.text


def test_what_runs_by_itself_is_cut_off_far_below_what_the_host_gives_a_function() -> None:
    """A function that outlives `functionTimeout` has its worker replaced, and whatever else that did (fidelity.md)."""
    minutes = json.loads((ROOT / "host.json").read_text())["functionTimeout"].split(":")[1]
    runs = (apply_retention.RUN_SECONDS, remove_old_rows.RUN_SECONDS, archive_records.DELIVERY_SECONDS)
    assert max(runs) <= int(minutes) * 60 / 2
