"""Searches what a console printed: GET .../serialConsole/transcript/search."""

from collections.abc import Mapping, Sequence
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from functions.http.operations import Description
from functions.http.paging import page_of
from functions.http.pipeline import RequestContext, Result
from functions.http.requests import InvalidRequest, time_of
from functions.http.responses import time_text
from functions.http.routes import at_console
from functions.http.schemas import TEXT, ref
from functions.transcript_query import BEHIND, number, offset_at
from shared import wiring
from shared.base.refusals import Refusal
from shared.base.vm import VmId
from shared.transcript.flows.archive import Archive
from shared.transcript.flows.index_transcript import REQUEST_BYTES, index_console
from shared.transcript.flows.read_recorded import record_read
from shared.transcript.flows.read_transcript import permitted
from shared.transcript.flows.search_transcript import search_transcript
from shared.transcript.recordings import Recording
from shared.transcript.search import Hit

bp = df.Blueprint(http_auth_level=func.AuthLevel.ANONYMOUS)
_LONGEST = 200
_MOST = 200
_CONTEXT = 10
_US = 1_000_000


async def _search(request: RequestContext) -> Result | Refusal:
    vm, query = request.console(), request.query
    text, context, limit = (
        _search_text(query),
        _lines(query, "context", 2, 0, _CONTEXT),
        _lines(query, "limit", 50, 1, _MOST),
    )
    begin, end, offset = time_of(query, "from"), time_of(query, "to"), number(query, "cursor", 0, "bytes")
    if refusal := await permitted(request.dependencies, request.caller, vm):
        return refusal
    archive = wiring.archive()
    await record_read(archive, request.caller, vm, "search")  # recorded first: an empty result also tells something
    if begin is not None and "cursor" not in query:
        offset = await offset_at(archive, vm, round(begin * _US))
    until = BEHIND if end is None else await offset_at(archive, vm, round(end * _US) + 1)
    search_page = await search_transcript(
        archive.transcripts, vm.console, text, offset, limit=limit, context=context, until=until,
    )  # fmt: skip
    recordings = await _find_recordings(archive, vm) if search_page.hits else ()
    page = page_of(search_page.hits, lambda each: _hit(each, recordings), _place_of, None)
    if page["next"] is not None:  # hits that did not fit are found again by the next search
        first_left = next(each for each in search_page.hits if _place_of(each) > page["next"])
        return Result({**page, "next": _text(first_left.offset)})
    return Result({**page, "next": _text(search_page.next)})


def _place_of(hit: Hit) -> str:
    return f"{hit.offset:020d}"


async def _find_recordings(archive: Archive, vm: VmId) -> Sequence[Recording]:
    """Returns the recordings that are indexed so far. A hit outside them is still a hit."""
    return (await index_console(archive.index, archive.transcripts, vm.console, REQUEST_BYTES)).recordings


def _search_text(query: Mapping[str, str]) -> str:
    text = query.get("q", "")
    if not 0 < len(text.strip()) <= len(text) <= _LONGEST or not text.isprintable():
        raise InvalidRequest.because(f"q must be what to look for: 1 to {_LONGEST} printable characters")
    return text


def _lines(query: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    value = number(query, name, default, "lines")
    if not least <= value <= most:
        raise InvalidRequest.because(f"{name} must be from {least} to {most}")
    return value


def _hit(hit: Hit, recordings: Sequence[Recording]) -> dict[str, Any]:
    return {
        "offset": hit.offset,
        "time": time_text(hit.time_us / _US),
        "before": list(hit.before),
        "match": hit.line,
        "after": list(hit.after),
        "recording": _recording(hit.offset, recordings),
    }


def _recording(offset: int, recordings: Sequence[Recording]) -> str | None:
    return next((each.id for each in recordings if each.start <= offset < each.end), None)


def _text(at: int | None) -> str | None:
    return None if at is None else str(at)


at_console(
    bp, "search_transcript", "GET", _search, "/transcript/search",
    description=Description(
        "Looks for words in what the console printed; case and escape sequences do not matter",
        {200: ref("Hits")},
        query={
            "q": ("What to look for", {"type": "string", "minLength": 1, "maxLength": _LONGEST}),
            "context": ("Lines before and after", {"type": "integer", "minimum": 0, "maximum": _CONTEXT}),
            "limit": ("Hits of one answer", {"type": "integer", "minimum": 1, "maximum": _MOST}),
            "from": ("Begins at this time: ISO 8601, or seconds since 1970", TEXT),
            "to": ("Ends at this time", TEXT),
            "cursor": ("What the answer before said as next", TEXT),
        },
    ),
)  # fmt: skip
