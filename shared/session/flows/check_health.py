"""Asks every dependency for a sign of life, all at once."""

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
    """Never raises: what cannot be asked is unhealthy."""
    return await asyncio.gather(*(_ask(dependencies, name, probe) for name, probe in dependencies.probes.items()))


async def _ask(dependencies: Dependencies, name: str, probe: Probe) -> DependencyHealth:
    began = dependencies.clock.now()
    detail = await _trouble(name, probe)
    return DependencyHealth(name, not detail, round((dependencies.clock.now() - began) * 1000, 1), detail)


async def _trouble(name: str, probe: Probe) -> str:
    """Empty when all is well. Anybody may read it: it says what kind of trouble, never an address or an answer."""
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
