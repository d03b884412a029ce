"""The query of a transcript: its format, its range, the size of a piece, and how long to wait."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from functions.http.requests import InvalidRequest, time_of
from functions.http.responses import ANSWER_BYTES
from functions.http.schemas import TEXT, Schema, one_of
from shared.base.vm import VmId
from shared.transcript.flows.archive import Archive
from shared.transcript.flows.read_recorded import last_mark, recording_of, session_of
from shared.transcript.flows.read_segments import place_at
from shared.transcript.flows.read_transcript import Until
from shared.transcript.playback import Cursor, InvalidCursor
from shared.transcript.recordings import SIGNS, Recording

LIMIT = 1 << 20
MOST = ANSWER_BYTES
GROWS = 3
"""Bytes of text that one printed byte becomes at most: a byte that is not UTF-8 becomes U+FFFD."""
WAIT = 20
"""The longest wait, in seconds; well below the time that gateways allow a request."""
_NUMBER = re.compile(r"[0-9]{1,18}")
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_US = 1_000_000
BEHIND = 10**18 - 1
"""An offset beyond the end of every transcript."""


class Format(StrEnum):
    RAW = "raw"
    """The bytes, paged by `offset`."""
    TEXT = "text"
    """Without escape sequences, paged by `offset`."""
    CAST = "cast"
    """An asciicast v2 recording, paged by `segment`."""
    EVENTS = "events"
    """JSON objects, one a line, paged by `segment`."""

    @property
    def by_offset(self) -> bool:
        return self in (Format.RAW, Format.TEXT)


PLACES = ("offset", "segment", "from", "recording", "session", "at")
_COMMON = ("format", "limit", "wait", "from", "to", "recording", "session", "at")
QUERY: dict[str, tuple[str, Schema]] = {
    "format": ("raw if it is left out", one_of([*Format])),
    "limit": ("Bytes of a piece", {"type": "integer", "minimum": 1, "maximum": MOST}),
    "offset": (
        "Of raw and text: the first byte of the piece",
        {"type": "integer", "minimum": 0, "maximum": 10**18 - 1},
    ),
    "segment": ("Of cast and events: what x-console-segment-next said", TEXT),
    "from": ("Begins at this time: ISO 8601, or seconds since 1970", TEXT),
    "to": ("Ends at this time", TEXT),
    "recording": ("Only this recording, by the id that the list of recordings has", TEXT),
    "session": ("Only while this session lasted", TEXT),
    "at": ("Begins at the last one", one_of(["boot", "panic"])),
    "wait": (
        "Seconds to wait for something new, where there is nothing",
        {"type": "integer", "minimum": 0, "maximum": WAIT},
    ),
}


class NotOnRecord(Exception):
    """The recording, session, boot or panic does not exist. `fix` is a special advice for the reader, or None."""

    def __init__(self, why: str, fix: str | None = None) -> None:
        super().__init__(why)
        self.fix = fix


@dataclass(frozen=True, slots=True)
class TranscriptQuery:
    """A valid query. `limit` is in bytes, `wait` in seconds (None if it is absent), `query` its fields as text."""

    format: Format
    limit: int
    wait: int | None
    query: Mapping[str, str]

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "TranscriptQuery":
        """Parses and checks the fields of a query. Raises InvalidRequest."""
        form = query.get("format", Format.RAW)
        if form not in Format:
            raise InvalidRequest.because(f"format must be one of {', '.join(Format)}")
        known = {*_COMMON, "offset" if Format(form).by_offset else "segment"}
        if unknown := query.keys() - known:
            raise InvalidRequest.because(
                f"the query has a field that format={form} does not know: {min(unknown)[:80]!r}"
            )
        limit, wait = number(query, "limit", LIMIT, "bytes"), number(query, "wait", 0, "seconds")
        if not 1 <= limit <= MOST:
            raise InvalidRequest.because(f"limit must be from 1 to {MOST} bytes")
        if wait > WAIT:
            raise InvalidRequest.because(f"wait must be at most {WAIT} seconds")
        _check(query)
        return cls(Format(form), limit, wait if "wait" in query else None, query)

    @property
    def place(self) -> str:
        """The query as the record of reads shows it."""
        bounds = [f"{name}={self.query[name][:80]}" for name in (*PLACES, "to") if name in self.query]
        return " ".join([f"format={self.format}", *bounds])


def _check(query: Mapping[str, str]) -> None:
    begins = [name for name in ("from", "recording", "session", "at") if name in query]
    if len(begins) > 1:
        raise InvalidRequest.because(f"write {begins[0]} or {begins[1]}, not both")
    if "at" in query and query["at"] not in ("boot", "panic"):
        raise InvalidRequest.because("at must be boot or panic")
    for name in ("recording", "session"):
        if name in query and not _NAME.fullmatch(query[name]):
            raise InvalidRequest.because(f"{name} must be an id as the list of recordings has it")
    time_of(query, "from"), time_of(query, "to"), cursor_of(query)
    number(query, "offset", 0, "bytes")


def number(query: Mapping[str, str], name: str, default: int, unit: str) -> int:
    """Reads a whole number of at most 18 digits. Raises InvalidRequest."""
    text = query.get(name, str(default))
    if not _NUMBER.fullmatch(text):
        raise InvalidRequest.because(f"{name} must be a whole number of {unit}")
    return int(text)


def cursor_of(query: Mapping[str, str]) -> Cursor | None:
    """Reads the field `segment`; None if it is absent. Raises InvalidRequest."""
    try:
        return Cursor.parse(query["segment"]) if "segment" in query else None
    except InvalidCursor as error:
        raise InvalidRequest.because(str(error)) from error


@dataclass(frozen=True, slots=True)
class Bounds:
    """A range of printed bytes: its first offset, and the offset behind its last byte (None: no end)."""

    start: int
    end: int | None


async def bounds_of(archive: Archive, vm: VmId, request: TranscriptQuery) -> Bounds:
    """Returns the bytes that a query selects. Raises NotOnRecord, StillIndexing, DamagedSegment, Unavailable."""
    query = request.query
    start, end = 0, None
    if "recording" in query:
        recording = await _recording(archive, vm, query["recording"])
        start, end = recording.start, None if recording.ended_us is None else recording.end
    elif begin_us := await _begin_us(archive, vm, query):
        start = await offset_at(archive, vm, begin_us)
    if (end_us := await _end_us(archive, vm, query)) is not None:
        until = await offset_at(archive, vm, end_us + 1)
        end = until if end is None else min(end, until)
    return Bounds(max(start, number(query, "offset", start, "bytes")), end)


async def part_of(archive: Archive, vm: VmId, request: TranscriptQuery) -> tuple[Cursor, Until]:
    """Returns the first line that a query selects, and where to stop.

    Raises NotOnRecord, StillIndexing, DamagedSegment, Unavailable.
    """
    query, tail = request.query, request.wait is not None
    end_us, cursor = await _end_us(archive, vm, query), cursor_of(query)
    until = Until(end_us, query.get("recording"), tail)
    if "recording" in query:
        recording = await _recording(archive, vm, query["recording"])
        return cursor or Cursor(recording.segment, recording.position), until
    if cursor is None and (begin_us := await _begin_us(archive, vm, query)):
        place = await place_at(archive.transcripts, vm.console, begin_us)
        return (Cursor(place[0], place[1].position) if place else await _behind(archive, vm)), until
    return cursor or Cursor(0), until


async def _behind(archive: Archive, vm: VmId) -> Cursor:
    """Returns the end of the newest segment, where later lines will be."""
    newest = await archive.transcripts.newest(vm.console)
    return Cursor(newest.ordinal, newest.length) if newest else Cursor(0)


async def offset_at(archive: Archive, vm: VmId, moment_us: int) -> int:
    """Returns the printed bytes before the first line at or after a time; BEHIND if there is no such line."""
    place = await place_at(archive.transcripts, vm.console, moment_us)
    return place[1].offset if place else BEHIND


async def _begin_us(archive: Archive, vm: VmId, query: Mapping[str, str]) -> int | None:
    if "session" in query:
        return (await _session(archive, vm, query["session"]))[0]
    if "at" in query:
        mark = await last_mark(archive, vm, query["at"])
        if mark is None:
            raise _no_mark(query["at"])
        return mark.time_us
    begin = time_of(query, "from")
    return None if begin is None else round(begin * _US)


def _no_mark(kind: str) -> NotOnRecord:
    return NotOnRecord(
        f"No {kind} is on record.",
        f"A {kind} is known by what the guest prints: {SIGNS[kind]}. One that prints none of these has no mark: read "
        "with from=TIME or recording=ID (see the list of recordings), or look for its words with transcript/search?q=.",
    )


async def _end_us(archive: Archive, vm: VmId, query: Mapping[str, str]) -> int | None:
    end = time_of(query, "to")
    asked_end = None if end is None else round(end * _US)
    ended = (await _session(archive, vm, query["session"]))[1] if "session" in query else None
    return min((each for each in (asked_end, ended) if each is not None), default=None)


async def _session(archive: Archive, vm: VmId, session: str) -> tuple[int, int | None]:
    if (times := await session_of(archive, vm, session)) is None:
        raise NotOnRecord("No such session is on record.")
    return times


async def _recording(archive: Archive, vm: VmId, epoch: str) -> Recording:
    if (recording := await recording_of(archive, vm, epoch)) is None:
        raise NotOnRecord("No such recording.")
    return recording


def range_of(header: str | None, end: int) -> tuple[int, int] | None:
    """Returns the first offset of a Range header and the one behind its last; None if absent or not understood.

    `end` is the length of the transcript in bytes.
    """
    match = _RANGE.fullmatch(header.replace(" ", "")) if header else None
    if not match or not any(match.groups()):
        return None
    first, last = match.groups()
    if not first:
        return max(0, end - int(last)), end
    return int(first), min(end, int(last) + 1) if last else end
