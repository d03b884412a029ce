"""The archive's progress as JSON and as headers."""

from typing import Any

from functions.http.pipeline import RequestContext
from functions.http.responses import time_text
from shared import wiring
from shared.base.archive_progress import ArchiveProgress
from shared.base.vm import VmId
from shared.transcript.flows.show_archive_progress import show_archive_progress

HEADERS = ("x-console-archive", "x-console-records-behind")


async def progress_of(context: RequestContext, vm: VmId) -> ArchiveProgress:
    return await show_archive_progress(context.dependencies.relays, wiring.archive().transcripts, vm)


def as_json(progress: ArchiveProgress) -> dict[str, Any]:
    """Returns the progress as JSON. `recorded` is the relay's last record; null if that is not known."""
    recorded_at = progress.recorded_at
    return {
        "state": progress.state.value,
        "records": progress.records,
        "recorded": time_text(recorded_at) if recorded_at else None,
    }


def as_headers(progress: ArchiveProgress) -> dict[str, str]:
    headers = {"x-console-archive": progress.state.value}
    return headers | ({"x-console-records-behind": str(progress.records)} if progress.recorded_at is not None else {})
