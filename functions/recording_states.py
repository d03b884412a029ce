"""The state of recordings that have no end: still live, or interrupted because their relay is gone."""

from collections.abc import Collection, Sequence
from typing import Any

from functions.http.pipeline import RequestContext
from functions.http.responses import time_text
from shared.base.vm import VmId
from shared.transcript.flows.list_unended import list_unended
from shared.transcript.recording_state import RecordingState, Standing, unended
from shared.transcript.recordings import Recording

INTERRUPTED = "x-console-interrupted"
_ENDED = Standing(RecordingState.ENDED)


async def find_standings(
    context: RequestContext, vm: VmId, recordings: Sequence[Recording], shown: Collection[str]
) -> dict[str, Standing]:
    """Returns the standing of each shown recording that has no end, by its id. Raises Unavailable."""
    open_ones = [each for each in unended(recordings) if each.recording.id in shown]
    if not open_ones:
        return {}
    dependencies = context.dependencies
    return await list_unended(open_ones, vm, dependencies.leases, dependencies.relays, dependencies.clock.now())


def as_json(standing: Standing | None) -> dict[str, Any]:
    """Returns a standing as JSON fields; None means that the recording has ended."""
    shown = standing or _ENDED
    return {"state": shown.state.value, "lastSign": None if shown.last_sign is None else time_text(shown.last_sign)}


def as_header(standings: dict[str, Standing]) -> dict[str, str]:
    """Returns the header that lists interrupted recordings; empty if there are none."""
    interrupted = [epoch for epoch, standing in standings.items() if standing.state is RecordingState.INTERRUPTED]
    return {INTERRUPTED: " ".join(interrupted)} if interrupted else {}
