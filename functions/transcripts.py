"""What a console printed, for whoever may read it: GET .../serialConsole/transcript, and who has read it."""

from dataclasses import replace

import azure.durable_functions as df
import azure.functions as func

from functions.http.archive_progress import HEADERS, as_headers, progress_of
from functions.http.binary_responses import Contents, handing_out
from functions.http.operations import READS, Description
from functions.http.pipeline import RequestContext, Result
from functions.http.requests import InvalidRequest
from functions.http.responses import ANSWER_BYTES, time_text
from functions.http.routes import INSTANCE, VM, at, at_console
from functions.http.schemas import ref
from functions.http.waiting import AGAIN_SECONDS, place_for
from functions.recording_states import INTERRUPTED, as_header, standings
from functions.transcript_query import (
    GROWS,
    PLACES,
    QUERY,
    Format,
    NotOnRecord,
    TranscriptQuery,
    bounds_of,
    part_of,
    range_of,
)
from shared import wiring
from shared.base.refusals import Code, Refusal, refuse
from shared.base.vm import VmId
from shared.transcript.flows.archive import Archive
from shared.transcript.flows.find_end import find_end
from shared.transcript.flows.index_transcript import REQUEST_BYTES, StillIndexing, index_console
from shared.transcript.flows.read_recorded import record_read, show_reads
from shared.transcript.flows.read_transcript import (
    Bytes,
    Page,
    Text,
    permitted,
    read_bytes,
    read_events,
    read_recording,
    read_text,
    when_there_is_more,
)
from shared.transcript.segment import DamagedSegment

bp = df.Blueprint(http_auth_level=func.AuthLevel.ANONYMOUS)

_MEDIA = {
    Format.RAW: "application/octet-stream",
    Format.TEXT: "text/plain",
    Format.CAST: "application/x-asciicast",
    Format.EVENTS: "application/x-ndjson",
}
_PARTIAL = 206


async def _read(context: RequestContext) -> Contents | Refusal:
    vm, wish = context.console(), TranscriptQuery.read(context.query)
    context.said["of"] = wish.place
    if refusal := await permitted(context.dependencies, context.caller, vm):
        return refusal
    archive = wiring.archive()
    try:
        found = await _waited_for(archive, vm, wish, context)
    except NotOnRecord as error:
        refusal = refuse(Code.RECORDING_NOT_FOUND, target=vm.resource_id, because=str(error))
        return replace(refusal, fix=error.fix or refusal.fix)
    except StillIndexing:
        return refuse(Code.RECORDINGS_INCOMPLETE, target=vm.resource_id)
    except DamagedSegment as damage:
        if "segment" not in wish.query:
            raise
        raise InvalidRequest.because("segment is not what x-console-segment-next said") from damage
    if isinstance(found, Refusal):
        return found
    if found.content:
        await record_read(archive, context.caller, vm, wish.place)
    if wish.format is Format.EVENTS and "x-console-segment-next" not in found.headers:
        found = replace(found, headers=found.headers | await _interrupted(archive, context, vm))
    if _at_the_end(found):
        return replace(found, headers=found.headers | as_headers(await progress_of(context, vm)))
    return found


async def _interrupted(archive: Archive, context: RequestContext, vm: VmId) -> dict[str, str]:
    """Whose end is not among the events because their relay is gone."""
    recordings = (await index_console(archive.index, archive.transcripts, vm.console, REQUEST_BYTES)).recordings
    return as_header(await standings(context, vm, recordings, {each.id for each in recordings}))


def _at_the_end(found: Contents) -> bool:
    """Of what is archived: whoever reads may think that this is all."""
    at, end = (found.headers.get(f"x-console-offset-{name}") for name in ("next", "end"))
    return not found.content or (at is not None and at == end)


async def _waited_for(archive: Archive, vm: VmId, wish: TranscriptQuery, context: RequestContext) -> Contents | Refusal:
    """Where nobody else may wait now, the answer says at once when to ask again."""
    ranged = context.req.headers.get("range")
    if not wish.wait:
        return await _found(archive, vm, wish, ranged)
    with place_for(context.caller.subject) as place:
        if place:
            return await _found(archive, vm, wish, ranged)
        found = await _found(archive, vm, replace(wish, wait=0), ranged)
    if isinstance(found, Refusal) or found.content:
        return found
    return replace(found, headers=found.headers | {"Retry-After": str(AGAIN_SECONDS)})


async def _found(archive: Archive, vm: VmId, wish: TranscriptQuery, ranged: str | None) -> Contents | Refusal:
    if not wish.format.by_offset:
        return await _lines(archive, vm, wish)
    bounds = await bounds_of(archive, vm, wish)
    if ranged and wish.format is Format.RAW and wish.query.keys().isdisjoint((*PLACES, "to")):
        end = (await find_end(vm.console, archive.transcripts)).offset
        if context := range_of(ranged, end):
            return await _range(archive, vm, wish, context)
    most = wish.limit if wish.format is Format.RAW else min(wish.limit, ANSWER_BYTES // GROWS)
    limit = most if bounds.end is None else max(0, min(most, bounds.end - bounds.start))

    async def once() -> Bytes | Text:
        read = read_bytes if wish.format is Format.RAW else read_text
        return await read(archive.transcripts, vm.console, bounds.start, limit)

    found = await when_there_is_more(once, wish.wait or 0 if limit else 0)
    return Contents(_bytes(found), _MEDIA[wish.format], _places(found))


def _bytes(found: Bytes | Text) -> bytes:
    return found.content.encode() if isinstance(found, Text) else found.content


def _places(found: Bytes | Text) -> dict[str, str]:
    places = {"start": found.start, "next": found.next, "end": found.end}
    return {f"x-console-offset-{name}": str(at) for name, at in places.items()}


async def _range(archive: Archive, vm: VmId, wish: TranscriptQuery, context: tuple[int, int]) -> Contents | Refusal:
    """Of a range that is larger than a piece, the beginning."""
    first, behind = context
    found = await read_bytes(archive.transcripts, vm.console, first, max(0, min(behind - first, wish.limit)))
    if not found.content or found.start != first:
        return refuse(Code.RANGE_NOT_SATISFIABLE, target=vm.resource_id)
    said = f"bytes {found.start}-{found.next - 1}/{found.end}"
    return Contents(found.content, _MEDIA[wish.format], _places(found) | {"Content-Range": said}, _PARTIAL)


async def _lines(archive: Archive, vm: VmId, wish: TranscriptQuery) -> Contents:
    read = read_recording if wish.format is Format.CAST else read_events
    cursor, until = await part_of(archive, vm, wish)

    async def once() -> Page:
        return await read(archive.transcripts, vm.console, cursor, wish.limit, until)

    page = await when_there_is_more(once, wish.wait or 0)
    headers = {"x-console-segment-next": str(page.next)} if page.next else {}
    return Contents(page.content, _MEDIA[wish.format], headers)


async def _who(context: RequestContext) -> Result | Refusal:
    found = await show_reads(context.dependencies, wiring.archive(), context.caller, context.console())
    if isinstance(found, Refusal):
        return found
    return Result({"value": [{"time": time_text(each.at), "name": each.name, "what": each.what} for each in found]})


_TELLS = (
    "x-console-offset-start", "x-console-offset-next", "x-console-offset-end", "x-console-segment-next", *HEADERS,
    INTERRUPTED,
)  # fmt: skip
_READING = Description(
    "What the console printed, piece by piece",
    {200: {}, 206: {}},
    (*READS[:5], 416, *READS[5:]),
    query=QUERY,
    headers={"Range": "Of raw: one range of bytes, of all that was ever printed"},
    tells=(*_TELLS, "Content-Range"),
    media=tuple(_MEDIA.values()),
)
for function, address in (("read_transcript", VM), ("read_transcript_of_instance", INSTANCE)):
    at(bp, function, "GET", f"{address}/transcript", handing_out("read_transcript", _read), about=_READING)
at_console(
    bp, "list_reads", "GET", _who, "/transcript/reads",
    about=Description("Who read what of the transcript, for those who administer the VM", {200: ref("Reads")}),
)  # fmt: skip
