"""Which recordings of a console go on without an end, and which are interrupted, for whoever reads them."""

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


async def standings(
    context: RequestContext, vm: VmId, recordings: Sequence[Recording], shown: Collection[str]
) -> dict[str, Standing]:
    """Of those without an end among the ones that are shown, by id. Raises Unavailable."""
    open_ones = [each for each in unended(recordings) if each.recording.id in shown]
    if not open_ones:
        return {}
    dependencies = context.dependencies
    return await list_unended(open_ones, vm, dependencies.leases, dependencies.relays, dependencies.clock.now())


def as_json(of: Standing | None) -> dict[str, Any]:
    """None: it has an end."""
    known = of or _ENDED
    return {"state": known.state.value, "lastSign": None if known.last_sign is None else time_text(known.last_sign)}


def as_header(found: dict[str, Standing]) -> dict[str, str]:
    """Which are interrupted; not there where none is."""
    gone = [epoch for epoch, of in found.items() if of.state is RecordingState.INTERRUPTED]
    return {INTERRUPTED: " ".join(gone)} if gone else {}
