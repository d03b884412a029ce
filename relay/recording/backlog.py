"""Logs that records have waited long for the hub. Records that only this relay's disk has are lost with the disk."""

from collections.abc import Mapping
from typing import Any

from relay.dependencies import Log

BEHIND_SECONDS = 60.0
"""Age at which an unacknowledged record is reported. Usually the hub has a record within milliseconds."""
AGAIN_SECONDS = 60.0
CHECK_SECONDS = 10.0


class Backlog:
    """Times are seconds since 1970."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._checked_at = self._warned_at = float("-inf")
        self._behind = False

    def due(self, now: float) -> bool:
        """Returns True if the next check is due. A check costs a little, so it is not made every second."""
        return now - self._checked_at >= CHECK_SECONDS

    def check(self, health: Mapping[str, Any], now: float) -> None:
        """Logs a backlog or its end. `health` is the epochs' part of the health report."""
        self._checked_at = now
        age = health.get("oldestSeconds")
        behind = age is not None and age >= BEHIND_SECONDS
        if behind and now - self._warned_at >= AGAIN_SECONDS:
            self._warned_at = now
            backlog = {
                "records": health["spooledRecords"],
                "bytes": health["spooledBytes"],
                "error": health["hubError"],
            }
            self._log("spool-behind", oldestSeconds=age, **backlog)
        if self._behind and not behind:
            self._warned_at = float("-inf")
            self._log("spool-caught-up")
        self._behind = behind
