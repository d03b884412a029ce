"""What a console printed, for whoever may open it: GET .../serialConsole/transcript."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import azure.durable_functions as df
import azure.functions as func

from functions.addresses import INSTANCE, VM, Trigger, at
from functions.answering import Asked, Result, answer
from functions.describing import About
from functions.requests import BadRequest
from functions.shapes import TEXT, one_of
from shared import wiring
from shared.domain.playback import BadCursor, Cursor
from shared.domain.refusals import Refusal
from shared.domain.segment import DamagedSegment
from shared.flows.read_transcript import Page, permitted, read_bytes, read_events, read_recording
from shared.flows.walk_segments import Segments

bp = df.Blueprint(http_auth_level=func.AuthLevel.ANONYMOUS)

_LIMIT = 1 << 20
_MOST = 4 << 20
_NUMBER = re.compile(r"[0-9]{1,18}")


class Format(StrEnum):
    RAW = "raw"
    """The bytes, paged by `offset`."""
    CAST = "cast"
    """An asciicast v2 recording, paged by `segment`."""
    EVENTS = "events"
    """JSON objects, one a line, paged by `segment`."""


_MEDIA = {
    Format.RAW: "application/octet-stream",
    Format.CAST: "application/x-asciicast",
    Format.EVENTS: "application/x-ndjson",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What the query asks for."""

    format: Format
    limit: int
    offset: int
    cursor: Cursor

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "Wish":
        """Raises BadRequest."""
        form = query.get("format", Format.RAW)
        if form not in Format:
            raise BadRequest.because(f"format must be one of {', '.join(Format)}")
        place = "offset" if form == Format.RAW else "segment"
        if unknown := query.keys() - {"format", "limit", place}:
            raise BadRequest.because(f"the query has a field that format={form} does not know: {min(unknown)[:80]!r}")
        limit = _number(query, "limit", _LIMIT)
        if not 1 <= limit <= _MOST:
            raise BadRequest.because(f"limit must be from 1 to {_MOST} bytes")
        try:
            return cls(Format(form), limit, _number(query, "offset", 0), Cursor.parse(query.get("segment", "0")))
        except BadCursor as error:
            raise BadRequest.because(str(error)) from error


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not _NUMBER.fullmatch(text):
        raise BadRequest.because(f"{name} must be a whole number of bytes")
    return int(text)


@dataclass(frozen=True, slots=True)
class _Answer:
    content: bytes
    media: str
    headers: dict[str, str]


async def _read(asked: Asked) -> _Answer | Refusal:
    vm, wish = asked.console(), Wish.read(asked.req.params)
    if refusal := await permitted(asked.world, asked.caller, vm):
        return refusal
    segments = wiring.transcripts()
    media = _MEDIA[wish.format]
    if wish.format is Format.RAW:
        found = await read_bytes(segments, vm.console, wish.offset, wish.limit)
        places = {"start": found.start, "next": found.next, "end": found.end}
        return _Answer(found.content, media, {f"x-console-offset-{name}": str(at) for name, at in places.items()})
    page = await _page(segments, vm.console, wish)
    return _Answer(page.content, media, {"x-console-segment-next": str(page.next)} if page.next else {})


async def _page(segments: Segments, console: str, wish: Wish) -> Page:
    read = read_recording if wish.format is Format.CAST else read_events
    try:
        return await read(segments, console, wish.cursor, wish.limit)
    except DamagedSegment as damage:
        if not wish.cursor.position:
            raise
        raise BadRequest.because("segment is not what x-console-segment-next said") from damage


def _trigger(name: str) -> Trigger:
    async def trigger(req: func.HttpRequest, starter: str) -> func.HttpResponse:
        found: list[_Answer] = []

        async def work(asked: Asked) -> Result | Refusal:
            outcome = await _read(asked)
            if isinstance(outcome, Refusal):
                return outcome
            found.append(outcome)
            return Result(None, headers=outcome.headers)

        response = await answer(name, req, starter, work)
        # The bytes are put in here: every other answer of the API is JSON.
        return _with(response, found[0]) if found else response

    return trigger


def _with(response: func.HttpResponse, found: _Answer) -> func.HttpResponse:
    return func.HttpResponse(
        found.content, status_code=response.status_code, headers=dict(response.headers), mimetype=found.media
    )


_READING = About(
    "What the console printed, piece by piece",
    {200: {}},
    query={
        "format": ("raw if it is left out", one_of([*Format])),
        "limit": ("Bytes of a piece", {"type": "integer", "minimum": 1, "maximum": _MOST}),
        "offset": ("Of raw: the first byte of the piece", {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}),
        "segment": ("Of cast and events: what x-console-segment-next said", TEXT),
    },
    tells=("x-console-offset-start", "x-console-offset-next", "x-console-offset-end", "x-console-segment-next"),
    media=tuple(_MEDIA.values()),
)
for function, address in (("read_transcript", VM), ("read_transcript_of_instance", INSTANCE)):
    at(bp, function, "GET", f"{address}/transcript", _trigger("read_transcript"), about=_READING)
