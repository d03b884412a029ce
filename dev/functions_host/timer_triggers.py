"""Timer triggers: one run after the other, never two at once. One instance: nobody else takes a run away.

Azure/azure-webjobs-sdk-extensions, TimerListener; seen on the real host (4.1037): what the function is told, and that a
missed run is caught up once, at the start, and by no schedule that runs more often than once a minute.
"""

import asyncio
import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from dev.functions_host.messages import TypedData
from dev.functions_host.ncrontab import Schedule, parse
from dev.functions_host.retries import run_with_retries
from dev.functions_host.settings import resolve
from dev.functions_host.stopping import Stopping, pause, persist
from dev.functions_host.timer_status import NEVER, Status, TimerStatuses
from dev.functions_host.worker import Attempt, Binding, Function, Worker

MINUTE = timedelta(minutes=1)
log = logging.getLogger("host.timer")


async def fire(
    worker: Worker,
    function: Function,
    stopping: asyncio.Event,
    *,
    past_due: bool = False,
    status: Status | None = None,
) -> None:
    """Runs a timer's function now, under its retry policy.

    Raises:
        Stopping: the host stops before the retries ended.

    """
    told = status and status.told()
    info = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": told, "IsPastDue": past_due}
    trigger = TypedData(json=json.dumps(info))

    async def invoke(attempt: Attempt) -> None:
        await worker.invoke(function, trigger, {}, attempt)

    await run_with_retries(function, invoke, stopping)


def schedule_of(binding: Binding) -> Schedule:
    """The schedule of a timer's binding, which may be an app setting (`%NAME%`).

    Raises:
        ValueError: it is no schedule.
        SettingMissing: its app setting is not set.

    """
    return parse(resolve(binding["schedule"]))


def keeps_status(schedule: Schedule) -> bool:
    """Whether its runs are kept: not where two of them are less than a minute apart."""
    times = [datetime.now(UTC)]
    for _ in range(3):
        times.append(schedule.next_after(times[-1]))
    return all(later - sooner >= MINUTE for sooner, later in pairwise(times[1:]))


@dataclass
class TimerTrigger:
    """One timer. `statuses` None: its runs are not kept."""

    worker: Worker
    function: Function
    schedule: Schedule
    runs_at_start: bool
    statuses: TimerStatuses | None
    stopping: asyncio.Event
    _status: Status | None = None

    async def run(self) -> None:
        """Runs the timer until the host stops; at once where a run was missed, or the binding says `runOnStartup`."""
        try:
            if (is_past_due := await self._is_past_due()) or self.runs_at_start:
                await self._fire(past_due=is_past_due)
            at = datetime.now(UTC)
            while True:
                at = self.schedule.next_after(max(at, datetime.now(UTC)))
                await pause(max(0.0, (at - datetime.now(UTC)).total_seconds()), self.stopping)
                await self._fire(past_due=False)
        except Stopping:
            return

    async def _is_past_due(self) -> bool:
        if self.statuses is None:
            return False
        statuses, now = self.statuses, datetime.now(UTC)
        what = f"status of timer {self.function.name}"
        self._status = await persist(what, lambda: statuses.read(self.function.name), self.stopping, log)
        if self._status is not None:
            return self._status.is_past_due(self.schedule, now)
        await self._keep(NEVER)  # so that the very first run is missed by nobody
        return False

    async def _fire(self, *, past_due: bool) -> None:
        began = datetime.now(UTC)
        await fire(self.worker, self.function, self.stopping, past_due=past_due, status=self._status)
        await self._keep(began)

    async def _keep(self, last: datetime) -> None:
        if self.statuses is None:
            return
        statuses, now = self.statuses, datetime.now(UTC)
        status = self._status = Status(last, self.schedule.next_after(now), now)
        what = f"status of timer {self.function.name}"
        await persist(what, lambda: statuses.write(self.function.name, status), self.stopping, log)
