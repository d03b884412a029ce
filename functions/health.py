"""The health report: the state of every dependency, and how long its check took."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import azure.durable_functions as df
import azure.functions as func

from functions.http.operations import NEVER, Description
from functions.http.pipeline import Result, answer_anybody
from functions.http.routes import at
from functions.http.schemas import ref
from shared.session.dependencies import Dependencies
from shared.session.flows.check_health import DependencyHealth, check_health

bp = df.Blueprint(http_auth_level=func.AuthLevel.ANONYMOUS)
CACHE_SECONDS = 2.0
"""Lifetime of a report. The endpoint is public, so dependencies are checked at most this often."""


@dataclass(slots=True)
class _CachedReport:
    made_at: float
    report: asyncio.Task[Sequence[DependencyHealth]]


_cached_reports: dict[int, _CachedReport] = {}


async def show_health(req: func.HttpRequest, starter: str) -> func.HttpResponse:
    return await answer_anybody("show_health", req, starter, _health)


at(
    bp, "show_health", "GET", "health", show_health,
    description=Description(
        "Every dependency by name", {200: ref("Health"), 503: ref("Health")}, NEVER, extra_methods=("HEAD",),
        public=True,
    ),
)  # fmt: skip


async def _health(dependencies: Dependencies) -> Result:
    report = await asyncio.shield(_report(dependencies))
    healthy = all(each.healthy for each in report)
    payload = {"status": _word(healthy), "dependencies": [_dependency(each) for each in report]}
    return Result(payload, 200 if healthy else 503)


def _report(dependencies: Dependencies) -> asyncio.Task[Sequence[DependencyHealth]]:
    """Returns the running or recent check of these dependencies, or starts a new one."""
    cached, now = _cached_reports.get(id(dependencies)), dependencies.clock.now()
    if cached is None or now - cached.made_at > CACHE_SECONDS:
        cached = _cached_reports[id(dependencies)] = _CachedReport(now, asyncio.create_task(check_health(dependencies)))
    return cached.report


def _dependency(dependency: DependencyHealth) -> dict[str, str | float]:
    return {
        "name": dependency.name,
        "status": _word(dependency.healthy),
        "milliseconds": dependency.milliseconds,
        "detail": dependency.detail,
    }


def _word(healthy: bool) -> str:  # noqa: FBT001 - called by position, here only
    return "healthy" if healthy else "degraded"
