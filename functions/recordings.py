"""The list of a console's recordings, and its legal hold."""

from typing import Any

import azure.durable_functions as df
import azure.functions as func

from functions.http import paging
from functions.http.archive_progress import as_json, progress_of
from functions.http.operations import CHANGES, Description
from functions.http.paging import page_of
from functions.http.pipeline import RequestContext, Result
from functions.http.requests import InvalidRequest, body_of
from functions.http.responses import time_text
from functions.http.routes import at_console
from functions.http.schemas import ref
from functions.recording_states import as_json as as_state
from functions.recording_states import find_standings
from shared import wiring
from shared.base.refusals import Refusal
from shared.transcript.flows.hold_transcript import lift_hold, place_hold
from shared.transcript.flows.index_transcript import REQUEST_BYTES, index_console
from shared.transcript.flows.read_recorded import record_read
from shared.transcript.flows.read_transcript import permitted
from shared.transcript.ports import Hold
from shared.transcript.recordings import Mark, Person, Recording

bp = df.Blueprint(http_auth_level=func.AuthLevel.ANONYMOUS)
_US = 1_000_000
_MOST = 1000
"""The most people, and the most marks, listed of one recording: the last ones."""


async def _list(context: RequestContext) -> Result | Refusal:
    vm = context.console()
    if refusal := await permitted(context.dependencies, context.caller, vm):
        return refusal
    archive = wiring.archive()
    index = await index_console(archive.index, archive.transcripts, vm.console, REQUEST_BYTES)
    hold = await archive.holds.find(vm.console)
    if any(mark.printed for each in index.recordings for mark in each.marks):
        await record_read(archive, context.caller, vm, "recordings")
    listed = page_of(index.recordings, _recording, _place_of, context.query.get("cursor"))
    progress = as_json(await progress_of(context, vm))
    standings = await find_standings(context, vm, index.recordings, [each["id"] for each in listed["value"]])
    for each in listed["value"]:
        each.update(as_state(standings.get(each["id"])))
    return Result({**listed, "complete": index.whole, "hold": _hold(hold) if hold else None, "archive": progress})


def _place_of(recording: Recording) -> str:
    return f"{recording.segment:08d}.{recording.position:012d}"


async def _place(context: RequestContext) -> Result | Refusal:
    vm, fields = context.console(), body_of(context.req)
    reason = fields.text("reason").strip()
    fields.done()
    if not reason:
        raise InvalidRequest.because("reason must say why, for instance the case's number")
    placed = await place_hold(context.dependencies, wiring.archive(), context.caller, vm, reason)
    return placed if isinstance(placed, Refusal) else Result(_hold(placed))


async def _lift(context: RequestContext) -> Result | Refusal:
    return await lift_hold(context.dependencies, wiring.archive(), context.caller, context.console()) or Result(
        None, 204
    )


at_console(
    bp, "list_recordings", "GET", _list, "/recordings",
    description=Description(
        "What was recorded of a VM: who was there, when, what happened", {200: ref("Recordings")}, query=paging.QUERY
    ),
)  # fmt: skip
at_console(
    bp, "place_hold", "PUT", _place, "/hold",
    description=Description("Keeps retention from dropping anything", {200: ref("Hold")}, CHANGES, body="HoldWish"),
)  # fmt: skip
at_console(
    bp, "lift_hold", "DELETE", _lift, "/hold", description=Description("Lets retention go on", {204: None}, CHANGES)
)  # fmt: skip


def _recording(recording: Recording) -> dict[str, Any]:
    return {
        "id": recording.id,
        "began": time_text(recording.began_us / _US),
        "last": time_text(recording.last_us / _US),
        "ended": time_text(recording.ended_us / _US) if recording.ended_us else None,
        "reason": recording.reason,
        "start": recording.start,
        "end": recording.end,
        "people": [_person(each) for each in recording.people[-_MOST:]],
        "marks": [_mark(each) for each in recording.marks[-_MOST:]],
    }


def _person(person: Person) -> dict[str, Any]:
    ended = time_text(person.ended_us / _US) if person.ended_us else None
    return {
        "session": person.session,
        "name": person.name,
        "mode": person.mode,
        "began": time_text(person.began_us / _US),
        "ended": ended,
    }


def _mark(mark: Mark) -> dict[str, Any]:
    return {"kind": mark.kind, "offset": mark.offset, "time": time_text(mark.time_us / _US), "text": mark.text}


def _hold(hold: Hold) -> dict[str, Any]:
    return {"by": hold.by, "since": time_text(hold.since), "reason": hold.why}
