"""When a timer last ran: a blob as the Timers extension keeps it, so that a run that was missed is caught up.

Azure/azure-webjobs-sdk-extensions: StorageScheduleMonitor, ScheduleMonitor.CheckPastDueAsync. The real host keeps them
under its host id, which is made of the site's name; here it is `local`.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from azure.core.exceptions import ResourceNotFoundError

from dev.functions_host.host_blobs import HostBlobs
from dev.functions_host.ncrontab import Schedule

CONTAINER, HOST_ID = "azure-webjobs-hosts", "local"
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Status:
    """When it ran last (NEVER: not yet), when it is to run next, and when that was written."""

    last: datetime
    next: datetime
    updated: datetime

    def is_past_due(self, schedule: Schedule, now: datetime) -> bool:
        """Whether a run was missed; by the schedule as it is now, which may be another than it was."""
        return now > schedule.next_after(self.updated if self.last == NEVER else self.last)

    def told(self) -> dict[str, str]:
        """As the worker is told it, and as it is kept."""
        return {
            "Last": self.last.isoformat(),
            "Next": self.next.isoformat(),
            "LastUpdated": self.updated.isoformat(),
        }


def read_status(told: dict[str, Any]) -> Status:
    """What `Status.told` made."""
    return Status(*(datetime.fromisoformat(told[name]) for name in ("Last", "Next", "LastUpdated")))


class TimerStatuses(Protocol):
    """Raises whatever its storage raises when that is away."""

    async def read(self, timer: str) -> Status | None:
        """The timer's status; None where it has none yet."""

    async def write(self, timer: str, status: Status) -> None:
        """Keeps the status in place of the one before."""


class BlobTimerStatuses(HostBlobs):
    """Statuses in AzureWebJobsStorage."""

    def __init__(self, connection_string: str) -> None:
        super().__init__(connection_string, CONTAINER)

    async def read(self, timer: str) -> Status | None:
        try:
            found = await self._container.download_blob(_name(timer))
        except ResourceNotFoundError:
            return None
        return read_status(json.loads(await found.readall()))

    async def write(self, timer: str, status: Status) -> None:
        data = json.dumps(status.told())
        try:
            await self._container.upload_blob(_name(timer), data, overwrite=True)
        except ResourceNotFoundError:
            await self._create_container()
            await self._container.upload_blob(_name(timer), data, overwrite=True)


def _name(timer: str) -> str:
    return f"timers/{HOST_ID}/Host.Functions.{timer}/status"
