"""Timer triggers: one run after the other, never two at once, missed times skipped, as a single host in Azure."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

from dev.functions_host.messages import TypedData
from dev.functions_host.ncrontab import Schedule, parse
from dev.functions_host.retries import run_with_retries
from dev.functions_host.settings import resolve
from dev.functions_host.stopping import Stopping, pause
from dev.functions_host.worker import Attempt, Binding, Function, Worker

LATE = timedelta(seconds=1)
"""A run that begins later than this after its time is told that it is past due."""


async def fire(worker: Worker, function: Function, stopping: asyncio.Event, *, past_due: bool = False) -> None:
    """Runs a timer's function now, under its retry policy.

    Raises:
        Stopping: the host stops before the retries ended.

    """
    info = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": {}, "IsPastDue": past_due}
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


async def run_timer(worker: Worker, function: Function, binding: Binding, stopping: asyncio.Event) -> None:
    """Runs a timer until the host stops; at once, too, where the binding says `runOnStartup`."""
    schedule, at = schedule_of(binding), datetime.now(UTC)
    try:
        if binding.get("runOnStartup"):
            await fire(worker, function, stopping)
        while True:
            at = schedule.next_after(max(at, datetime.now(UTC)))
            await pause(max(0.0, (at - datetime.now(UTC)).total_seconds()), stopping)
            await fire(worker, function, stopping, past_due=datetime.now(UTC) - at > LATE)
    except Stopping:
        return
