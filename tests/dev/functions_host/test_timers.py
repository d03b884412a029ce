# ruff: noqa: ARG002 - a fake takes what the real one takes
import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dev.functions_host import timer_triggers
from dev.functions_host.ncrontab import parse
from dev.functions_host.stopping import pause as stopping_pause
from dev.functions_host.timer_status import NEVER, BlobTimerStatuses, Status
from dev.functions_host.timer_triggers import TimerTrigger, keeps_status
from dev.functions_host.worker import Function
from tests.contract.azurite import azurite
from tests.patience import PATIENCE

HOURLY = parse("0 0 * * * *")
AGO = datetime.now(UTC) - timedelta(hours=5)


class Recorder:
    """Stands for the worker: keeps what each run was told."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []

    async def invoke(self, function: Function, trigger: Any, metadata: Any, attempt: Any) -> None:
        self.told.append(json.loads(trigger.json))


class Statuses:
    """In memory; away as often as it is said."""

    def __init__(self, kept: Status | None = None, refusals: int = 0) -> None:
        self.kept, self.refusals = kept, refusals

    async def read(self, timer: str) -> Status | None:
        if self.refusals:
            self.refusals -= 1
            raise ConnectionError("away")
        return self.kept

    async def write(self, timer: str, status: Status) -> None:
        self.kept = status


@asynccontextmanager
async def running(
    statuses: Statuses | None, schedule: str = "0 0 * * * *", *, at_start: bool = False
) -> AsyncIterator[Recorder]:
    worker, stopping = Recorder(), asyncio.Event()
    function = Function("1", "tick", (), None)
    trigger = TimerTrigger(worker, function, parse(schedule), at_start, statuses, stopping)  # type: ignore[arg-type]
    task = asyncio.create_task(trigger.run())
    try:
        yield worker
    finally:
        stopping.set()
        await asyncio.wait_for(task, PATIENCE)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - the condition is another task's, and no event tells of it
            await asyncio.sleep(0.001)


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set as soon as a timer waits for its next run."""
    waits = asyncio.Event()

    async def pause(seconds: float, stopping: asyncio.Event) -> None:
        waits.set()
        await stopping_pause(seconds, stopping)

    monkeypatch.setattr(timer_triggers, "pause", pause)
    return waits


async def test_a_missed_run_is_caught_up_once_at_the_start_and_says_so(waiting: asyncio.Event) -> None:
    statuses = Statuses(Status(AGO, HOURLY.next_after(AGO), AGO))
    async with running(statuses, at_start=True) as worker:
        await until(lambda: statuses.kept is not None and statuses.kept.last > AGO)
    (told,) = worker.told
    assert told["IsPastDue"] is True
    assert told["Schedule"] == {"AdjustForDST": True}
    assert told["ScheduleStatus"]["Last"] == AGO.isoformat()
    waiting.clear()
    async with running(statuses) as worker:
        await asyncio.wait_for(waiting.wait(), PATIENCE)
        assert worker.told == []


async def test_a_timer_that_is_new_has_missed_nothing(waiting: asyncio.Event) -> None:
    statuses = Statuses()
    async with running(statuses) as worker:
        await asyncio.wait_for(waiting.wait(), PATIENCE)
        assert worker.told == []
    assert statuses.kept
    assert (statuses.kept.last, statuses.kept.next) == (NEVER, HOURLY.next_after(statuses.kept.updated))


async def test_the_very_first_run_can_be_missed_too() -> None:
    statuses = Statuses(Status(NEVER, HOURLY.next_after(AGO), AGO))
    async with running(statuses) as worker:
        await until(lambda: len(worker.told) == 1)
        assert worker.told[0]["IsPastDue"] is True


async def test_a_timer_waits_for_its_storage() -> None:
    statuses = Statuses(Status(AGO, HOURLY.next_after(AGO), AGO), refusals=2)
    async with running(statuses) as worker:
        await until(lambda: len(worker.told) == 1)


async def test_what_runs_more_often_than_once_a_minute_keeps_nothing_and_catches_nothing_up() -> None:
    async with running(None, "* * * * * *") as worker:
        await until(lambda: len(worker.told) == 2)
    assert [(told["IsPastDue"], told["ScheduleStatus"]) for told in worker.told] == [(False, None)] * 2


@pytest.mark.parametrize(
    ("schedule", "kept"), [("* * * * * *", False), ("*/30 * * * * *", False), ("0 * * * * *", True)]
)
def test_only_schedules_of_a_minute_or_more_are_kept(schedule: str, *, kept: bool) -> None:
    assert keeps_status(parse(schedule)) is kept


async def test_a_status_is_kept_in_the_hosts_storage(tmp_path: Path) -> None:
    with azurite(tmp_path / "azurite") as storage:
        statuses = BlobTimerStatuses(storage)
        assert await statuses.read("tick") is None
        status = Status(AGO, HOURLY.next_after(AGO), AGO)
        for written in (Status(NEVER, AGO, AGO), status):
            await statuses.write("tick", written)
            assert await statuses.read("tick") == written
        await statuses.close()
