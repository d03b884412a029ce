"""Says in the log that records wait for long: what lies on this relay's disk alone is lost with the disk."""

from collections.abc import Mapping
from typing import Any

from relay.dependencies import Log

BEHIND_SECONDS = 60.0
"""So old may the oldest record be that the hub has not acknowledged; in quiet times it has them within milliseconds."""
AGAIN_SECONDS = 60.0
LOOK_SECONDS = 10.0


class Backlog:
    """Times are seconds since 1970."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._looked_at = self._told_at = float("-inf")
        self._behind = False

    def due(self, now: float) -> bool:
        """Whether it is time to look: it costs a little."""
        return now - self._looked_at >= LOOK_SECONDS

    def look(self, health: Mapping[str, Any], now: float) -> None:
        """`health`: of the epochs, as the health report has it."""
        self._looked_at = now
        age = health.get("oldestSeconds")
        behind = age is not None and age >= BEHIND_SECONDS
        if behind and now - self._told_at >= AGAIN_SECONDS:
            self._told_at = now
            what = {"records": health["spooledRecords"], "bytes": health["spooledBytes"], "error": health["hubError"]}
            self._log("spool-behind", oldestSeconds=age, **what)
        if self._behind and not behind:
            self._told_at = float("-inf")
            self._log("spool-caught-up")
        self._behind = behind
