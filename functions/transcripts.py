"""Reads what a console printed (GET .../serialConsole/transcript), and lists who read it."""

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
from functions.recording_states import INTERRUPTED, as_header, find_standings
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
    vm, request = context.console(), TranscriptQuery.read(context.query)
    context.audit_fields["of"] = request.place
    if refusal := await permitted(context.dependencies, context.caller, vm):
        return refusal
    archive = wiring.archive()
    try:
        contents = await _wait_and_read(archive, vm, request, context)
    except NotOnRecord as error:
        refusal = refuse(Code.RECORDING_NOT_FOUND, target=vm.resource_id, because=str(error))
        return replace(refusal, fix=error.fix or refusal.fix)
    except StillIndexing:
        return refuse(Code.RECORDINGS_INCOMPLETE, target=vm.resource_id)
    except DamagedSegment as damage:
        if "segment" not in request.query:
            raise
        raise InvalidRequest.because("segment is not what x-console-segment-next said") from damage
    if isinstance(contents, Refusal):
        return contents
    if contents.content:
        await record_read(archive, context.caller, vm, request.place)
    if request.format is Format.EVENTS and "x-console-segment-next" not in contents.headers:
        contents = replace(contents, headers=contents.headers | await _interrupted(archive, context, vm))
    if _at_the_end(contents):
        return replace(contents, headers=contents.headers | as_headers(await progress_of(context, vm)))
    return contents


async def _interrupted(archive: Archive, context: RequestContext, vm: VmId) -> dict[str, str]:
    """Returns the header that lists recordings without an end whose relay is gone."""
    recordings = (await index_console(archive.index, archive.transcripts, vm.console, REQUEST_BYTES)).recordings
    return as_header(await find_standings(context, vm, recordings, {each.id for each in recordings}))


def _at_the_end(contents: Contents) -> bool:
    """Returns whether the reader is at the end of the archive: the answer then says how far the archive is behind."""
    at, end = (contents.headers.get(f"x-console-offset-{name}") for name in ("next", "end"))
    return not contents.content or (at is not None and at == end)


async def _wait_and_read(
    archive: Archive, vm: VmId, request: TranscriptQuery, context: RequestContext
) -> Contents | Refusal:
    """Reads a piece, and waits for new bytes if the query says so.

    If too many requests wait already, it answers at once with Retry-After.
    """
    ranged = context.req.headers.get("range")
    if not request.wait:
        return await _read_piece(archive, vm, request, ranged)
    with place_for(context.caller.subject) as place:
        if place:
            return await _read_piece(archive, vm, request, ranged)
        contents = await _read_piece(archive, vm, replace(request, wait=0), ranged)
    if isinstance(contents, Refusal) or contents.content:
        return contents
    return replace(contents, headers=contents.headers | {"Retry-After": str(AGAIN_SECONDS)})


async def _read_piece(archive: Archive, vm: VmId, request: TranscriptQuery, ranged: str | None) -> Contents | Refusal:
    if not request.format.by_offset:
        return await _lines(archive, vm, request)
    bounds = await bounds_of(archive, vm, request)
    if ranged and request.format is Format.RAW and request.query.keys().isdisjoint((*PLACES, "to")):
        end = (await find_end(vm.console, archive.transcripts)).offset
        if byte_range := range_of(ranged, end):
            return await _range(archive, vm, request, byte_range)
    most = request.limit if request.format is Format.RAW else min(request.limit, ANSWER_BYTES // GROWS)
    limit = most if bounds.end is None else max(0, min(most, bounds.end - bounds.start))

    async def once() -> Bytes | Text:
        read = read_bytes if request.format is Format.RAW else read_text
        return await read(archive.transcripts, vm.console, bounds.start, limit)

    piece = await when_there_is_more(once, request.wait or 0 if limit else 0)
    return Contents(_bytes(piece), _MEDIA[request.format], _places(piece))


def _bytes(piece: Bytes | Text) -> bytes:
    return piece.content.encode() if isinstance(piece, Text) else piece.content


def _places(piece: Bytes | Text) -> dict[str, str]:
    places = {"start": piece.start, "next": piece.next, "end": piece.end}
    return {f"x-console-offset-{name}": str(at) for name, at in places.items()}


async def _range(
    archive: Archive, vm: VmId, request: TranscriptQuery, byte_range: tuple[int, int]
) -> Contents | Refusal:
    """Reads a range of bytes; if it is longer than one piece, its beginning."""
    first, behind = byte_range
    piece = await read_bytes(archive.transcripts, vm.console, first, max(0, min(behind - first, request.limit)))
    if not piece.content or piece.start != first:
        return refuse(Code.RANGE_NOT_SATISFIABLE, target=vm.resource_id)
    content_range = f"bytes {piece.start}-{piece.next - 1}/{piece.end}"
    return Contents(piece.content, _MEDIA[request.format], _places(piece) | {"Content-Range": content_range}, _PARTIAL)


async def _lines(archive: Archive, vm: VmId, request: TranscriptQuery) -> Contents:
    read = read_recording if request.format is Format.CAST else read_events
    cursor, until = await part_of(archive, vm, request)

    async def once() -> Page:
        return await read(archive.transcripts, vm.console, cursor, request.limit, until)

    page = await when_there_is_more(once, request.wait or 0)
    headers = {"x-console-segment-next": str(page.next)} if page.next else {}
    return Contents(page.content, _MEDIA[request.format], headers)


async def _who(context: RequestContext) -> Result | Refusal:
    reads = await show_reads(context.dependencies, wiring.archive(), context.caller, context.console())
    if isinstance(reads, Refusal):
        return reads
    return Result({"value": [{"time": time_text(each.at), "name": each.name, "what": each.what} for each in reads]})


_RESPONSE_HEADERS = (
    "x-console-offset-start", "x-console-offset-next", "x-console-offset-end", "x-console-segment-next", *HEADERS,
    INTERRUPTED,
)  # fmt: skip
_READING = Description(
    "What the console printed, piece by piece",
    {200: {}, 206: {}},
    (*READS[:5], 416, *READS[5:]),
    query=QUERY,
    headers={"Range": "Of raw: one range of bytes, of all that was ever printed"},
    response_headers=(*_RESPONSE_HEADERS, "Content-Range"),
    media=tuple(_MEDIA.values()),
)
for function, address in (("read_transcript", VM), ("read_transcript_of_instance", INSTANCE)):
    at(
        bp,
        function,
        "GET",
        f"{address}/transcript",
        handing_out("read_transcript", _read),
        description=_READING,
    )
at_console(
    bp, "list_reads", "GET", _who, "/transcript/reads",
    description=Description("Who read what of the transcript, for those who administer the VM", {200: ref("Reads")}),
)  # fmt: skip
