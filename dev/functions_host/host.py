"""The host: one function app, its HTTP routes, task hub, event hubs and timers."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from dev.functions_host.checkpoints import BlobCheckpoints
from dev.functions_host.durable import Durable
from dev.functions_host.engine import Engine, EngineOptions
from dev.functions_host.event_hub_source import WAIT, EventHub
from dev.functions_host.event_hub_trigger import EventHubTrigger
from dev.functions_host.http_answer import Answer
from dev.functions_host.http_server import Request
from dev.functions_host.http_triggers import HttpTriggers
from dev.functions_host.ownership_blobs import BlobOwnerships
from dev.functions_host.settings import hub_connection, load_local_settings, read_host_settings, resolve, setting
from dev.functions_host.site import Site, with_front_end
from dev.functions_host.stopping import Stopping
from dev.functions_host.timer_status import BlobTimerStatuses
from dev.functions_host.timer_triggers import TimerTrigger, fire, keeps_status, schedule_of
from dev.functions_host.worker import Binding, Function, Worker

GRACE = 20.0
"""Seconds that what is under way may take to end when the host stops (seen on the real one)."""
log = logging.getLogger("host")


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    app_dir: Path
    key: str | None = None
    """Opens functions that are not anonymous, and /admin."""
    state: Path | None = None
    """The file that keeps entities over restarts, where there is no engine."""
    has_front_end: bool = True
    """Whether App Service's front end stands before the host."""
    engine: Path | None = None
    """The program that holds the Durable Task extension; without it the task hub is in memory."""
    python: Path | None = None
    """Runs the functions, with the packages that they need; None: the host's own."""
    hub_pace: float = 1.0
    """How long the times of Event Hubs listeners are beside the real ones: their wait, and who reads what."""


class Host:
    """One function app, running. An app can be indexed once per process, so there is one host per process."""

    def __init__(self, options: Options) -> None:
        """Reads the app's settings.

        Raises:
            FileNotFoundError: the folder has no host.json.

        """
        self._options = options
        names = load_local_settings(options.app_dir)
        self._settings = read_host_settings(options.app_dir)
        if names:
            log.info("local.settings.json sets %s", ", ".join(names))
        self._durable = self._durable_functions()
        self._stopping = asyncio.Event()
        self._deadline = 0.0
        self._tasks: list[asyncio.Task[None]] = []
        self._checkpoints: BlobCheckpoints | None = None
        self._ownerships: BlobOwnerships | None = None
        self._statuses: BlobTimerStatuses | None = None

    def _durable_functions(self) -> Durable | Engine:
        section = self._settings.durable_task
        if self._options.engine is None:
            return Durable(section.get("hubName", "TestHubName"), self._options.state)
        return Engine(EngineOptions(self._options.engine, section, setting("AzureWebJobsStorage")))

    @property
    def broken(self) -> asyncio.Event:
        """Set when no worker can be had any more."""
        return self._worker.broken

    def begin_stop(self) -> None:
        """Lets triggers take nothing new, and gives what is under way GRACE seconds from now."""
        if not self._stopping.is_set():
            self._deadline = asyncio.get_running_loop().time() + GRACE
            self._stopping.set()

    async def start(self) -> Callable[[Request], Awaitable[Answer]]:
        """Starts everything that triggers functions; answers what answers requests.

        Raises:
            NotLoaded: the app has no functions that could run.
            ValueError, SettingMissing: a binding of one cannot work.

        """
        self._worker = Worker(self._options.app_dir, self._settings.limit, self._options.python)
        await self._worker.load()
        await self._durable.start(self._worker)
        for function, binding in self._worker.triggered_by("timerTrigger"):
            self._spawn(self._timer(function, binding).run())
        for function, binding in self._worker.triggered_by("eventHubTrigger"):
            self._spawn(self._event_hub(function, binding).run())
        log.info("indexed %d functions", len(self._worker.functions))
        triggers = HttpTriggers(self._worker, self._settings.http, self._options.key)
        site = Site(triggers, self._admin, self._settings.http, self._options.key)
        return with_front_end(site.answer) if self._options.has_front_end else site.answer

    def _timer(self, function: Function, binding: Binding) -> TimerTrigger:
        schedule = schedule_of(binding)  # one that is none shows now, not when it would be due
        if keeps_status(schedule):
            self._statuses = self._statuses or BlobTimerStatuses(setting("AzureWebJobsStorage"))
        return TimerTrigger(
            worker=self._worker,
            function=function,
            schedule=schedule,
            runs_at_start=bool(binding.get("runOnStartup")),
            statuses=self._statuses if keeps_status(schedule) else None,
            stopping=self._stopping,
        )

    def _event_hub(self, function: Function, binding: Binding) -> EventHubTrigger:
        group = resolve(binding.get("consumerGroup") or "$Default")
        self._checkpoints = self._checkpoints or BlobCheckpoints(setting("AzureWebJobsStorage"))
        self._ownerships = self._ownerships or BlobOwnerships(setting("AzureWebJobsStorage"))
        connection, name, pace = binding["connection"], resolve(binding["eventHubName"]), self._options.hub_pace
        return EventHubTrigger(
            worker=self._worker,
            function=function,
            hub=EventHub(hub_connection(connection), name, group, WAIT * pace),
            checkpoints=self._checkpoints,
            ownerships=self._ownerships,
            stopping=self._stopping,
            start=self._settings.initial_position,
            batch=self._settings.event_batch,
            many=str(binding.get("cardinality", "MANY")).upper() == "MANY",
            interval=self._settings.balancing_interval * pace,
            expiry=self._settings.ownership_expiry * pace,
        )

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(_report)
        self._tasks.append(task)

    async def stop(self) -> None:
        """Ends every trigger, and the worker."""
        self.begin_stop()
        if self._tasks:
            left = max(0.0, self._deadline - asyncio.get_running_loop().time())
            _, late = await asyncio.wait(self._tasks, timeout=left)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._durable.stop()
        for kept in (self._checkpoints, self._ownerships, self._statuses):
            if kept:
                await kept.close()
        await self._worker.stop()

    async def _admin(self, method: str, path: str) -> Any:
        """Of the real host's admin addresses those that are used here."""
        match method, path.strip("/").split("/"):
            case "GET", ["admin", "host", "status"]:
                state = "Stopping" if self._stopping.is_set() else "Running"
                return {"state": state, "functionCount": len(self._worker.functions), "standIn": True}
            case "GET", ["admin", "functions"]:
                return [{"name": f.name, "config": {"bindings": f.bindings}} for f in self._worker.functions]
            case "POST", ["admin", "functions", name]:
                return self._fire(name)

    def _fire(self, name: str) -> Answer | None:
        """Runs a timer now, as the real host's admin address does."""
        timers = {function.name: function for function, _ in self._worker.triggered_by("timerTrigger")}
        function = timers.get(name)
        if function is None:
            return None
        self._spawn(_unless_stopped(partial(fire, self._worker, function, self._stopping)()))
        return Answer(202)


async def _unless_stopped(work: Coroutine[Any, Any, None]) -> None:
    with contextlib.suppress(Stopping):
        await work


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.error("a trigger ended: %r", error, exc_info=error)
