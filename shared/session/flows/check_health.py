"""Probes every dependency, all at once."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from shared.base.ports import Unavailable
from shared.session.dependencies import Dependencies, Probe

PROBE_SECONDS = 3.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DependencyHealth:
    name: str
    healthy: bool
    milliseconds: float
    detail: str


async def check_health(dependencies: Dependencies) -> Sequence[DependencyHealth]:
    """Probes every dependency. It never raises: a probe that fails makes its dependency unhealthy."""
    return await asyncio.gather(*(_ask(dependencies, name, probe) for name, probe in dependencies.probes.items()))


async def _ask(dependencies: Dependencies, name: str, probe: Probe) -> DependencyHealth:
    began = dependencies.clock.now()
    detail = await _trouble(name, probe)
    return DependencyHealth(name, not detail, round((dependencies.clock.now() - began) * 1000, 1), detail)


async def _trouble(name: str, probe: Probe) -> str:
    """Runs a probe. Returns the kind of failure, "" if there is none. It holds no address or answer: it is public."""
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            await probe()
    except TimeoutError:
        return f"no answer within {PROBE_SECONDS:g} s"
    except Unavailable as error:
        _log.warning("health: %s: %s", name, error)
        return "does not answer"
    except Exception as error:  # noqa: BLE001 - a health report that breaks reports nothing; the kind is logged
        _log.warning("health: %s: %s", name, type(error).__name__)
        return type(error).__name__
    return ""
