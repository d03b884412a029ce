"""Reads what a console printed and what happened to it: as bytes, as a recording to play, as events.

Every answer is a page of bounded size; each says where the next one begins.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from shared.access.flows.examine_vm import READING, RequiredRight, admit_to_remains, admit_to_vm
from shared.access.rights import Right
from shared.base import time_limit
from shared.base.caller import Caller
from shared.base.refusals import Code, Refusal
from shared.base.vm import VmId
from shared.session.dependencies import Dependencies
from shared.transcript.flows.find_end import find_end
from shared.transcript.flows.read_segments import SegmentReader, header_of, lines, place_before, segment_of
from shared.transcript.plain_text import plain, whole
from shared.transcript.playback import Cursor, code_of, printed, retimed, time_us
from shared.transcript.segment import CHECKPOINT, EVENT, PRINTED, cast_header, read_line

_SCANNED = 16 << 20
"""Bytes of segments that are read for one page, at most."""
_LEAST_SECONDS = 2.0
"""Of the request, for what follows the last look."""
_LOOK_SECONDS = 0.5
"""Between two looks for something new."""
_US = 1_000_000


async def permitted(dependencies: Dependencies, caller: Caller, vm: VmId) -> Refusal | None:
    """Why the caller may not read this VM's transcript, which outlives the VM. Raises Unavailable."""
    examined = await admit_to_vm(dependencies, caller, vm, RequiredRight(Right.READ, READING))
    if not isinstance(examined, Refusal):
        return None
    return (
        await admit_to_remains(dependencies, caller, vm, Right.READ) if examined.code is Code.VM_NOT_FOUND else examined
    )


@dataclass(frozen=True, slots=True)
class Bytes:
    """Printed bytes `start` to `next` of `end` that were printed so far. `start` is later than asked for where the
    ring has dropped what was before.
    """

    content: bytes
    start: int
    next: int
    end: int


async def read_bytes(segments: SegmentReader, console: str, offset: int, limit: int) -> Bytes:
    """Exactly what was printed. Raises DamagedSegment, Unavailable."""
    end = (await find_end(console, segments)).offset
    ordinals = [ordinal async for ordinal in segments.segments(console)]
    if not ordinals or offset >= end:
        return Bytes(b"", end, end, end)
    start, content = offset, bytearray()
    for ordinal in ordinals[await segment_of(segments, console, ordinals, offset) :]:
        place = await place_before(segments, console, ordinal, offset)
        if place is None or len(content) >= limit:
            break
        if not content:
            start = max(start, place.offset)
        await _collect(lines(segments, console, ordinal, place.position), start - place.offset, limit, content)
    del content[limit:]
    return Bytes(bytes(content), start, start + len(content), max(end, start + len(content)))


async def _collect(found: AsyncGenerator[tuple[int, bytes]], skip: int, limit: int, content: bytearray) -> None:
    """Adds printed bytes, all but the first `skip`, until there are `limit`."""
    async with aclosing(found):
        async for _, line in found:
            if code_of(line) != PRINTED:
                continue
            body = printed(line)
            content += body[max(0, skip) :]
            skip -= len(body)
            if len(content) >= limit:
                return


@dataclass(frozen=True, slots=True)
class Text:
    """As Bytes, without escape sequences: `content` is what bytes `start` to `next` showed."""

    content: str
    start: int
    next: int
    end: int


async def read_text(segments: SegmentReader, console: str, offset: int, limit: int) -> Text:
    """Ends with a whole line, but at the end of what there is. Raises DamagedSegment, Unavailable."""
    found = await read_bytes(segments, console, offset, limit)
    lines_end = found.content.rfind(b"\n") + 1 if found.next < found.end else 0
    count = lines_end or whole(found.content) or (len(found.content) if found.next < found.end else 0)
    return Text(plain(found.content[:count]), found.start, found.start + count, found.end)


@dataclass(frozen=True, slots=True)
class Page:
    """Lines, and where the next page begins; None when this is the last."""

    content: bytes
    next: Cursor | None


@dataclass(frozen=True, slots=True)
class Until:
    """Where a reading ends before the transcript does."""

    time_us: int | None = None
    """Nothing later."""
    epoch: str | None = None
    """Nothing of another recording, and nothing after this one's end."""
    tail: bool = False
    """The last page, too, says where the next begins: for those who wait for more."""


EVERYTHING = Until()


@dataclass(frozen=True, slots=True)
class _TextLine:
    at: Cursor
    segment_us: int
    """When its segment began, us since 1970."""
    is_header: bool
    text: bytes

    @property
    def time_us(self) -> int:
        return self.segment_us if self.is_header else time_us(self.text, self.segment_us)


async def read_recording(
    segments: SegmentReader, console: str, cursor: Cursor, limit: int, until: Until = EVERYTHING
) -> Page:
    """One asciicast v2 recording out of all segments, or of a part: pages read one after the other are one file.

    Raises DamagedSegment, Unavailable.
    """
    content, last_us, size, end = bytearray(), 0, 0, cursor
    async with aclosing(_walk(segments, console, cursor, until)) as walked:
        async for line in walked:
            size += len(line.text)
            made = b""
            recording_us = line.at.recording_us or line.time_us
            if line.is_header:
                made = line.text + b"\n" if line.at.recording_us is None else b""
            elif code_of(line.text) != CHECKPOINT:
                # Players want times that never go back; clocks of relays may.
                last_us = max(last_us, line.time_us - recording_us)
                made = cast_header(console, recording_us) if line.at.recording_us is None else b""
                made += retimed(line.text, last_us) + b"\n"
            if content and (len(content) + len(made) > limit or size > _SCANNED):
                return Page(bytes(content), line.at)
            content += made
            end = _behind(line)
    return Page(bytes(content), end if until.tail else None)


async def read_events(
    segments: SegmentReader, console: str, cursor: Cursor, limit: int, until: Until = EVERYTHING
) -> Page:
    """What happened, a JSON object a line, with its time in seconds since 1970. Raises DamagedSegment, Unavailable."""
    content, size, end = bytearray(), 0, cursor
    async with aclosing(_walk(segments, console, cursor, until)) as walked:
        async for line in walked:
            made = b"" if line.is_header else _event(line)
            if (content and len(content) + len(made) > limit) or size > _SCANNED:
                return Page(bytes(content), line.at)
            size += len(line.text)
            content += made
            end = _behind(line)
    return Page(bytes(content), end if until.tail else None)


def _behind(line: _TextLine) -> Cursor:
    return Cursor(line.at.ordinal, line.at.position + len(line.text) + 1, line.at.recording_us or line.time_us)


def _event(line: _TextLine) -> bytes:
    if code_of(line.text) != EVENT:
        return b""
    event = {"time": line.time_us / _US, "segment": line.at.ordinal, **_event_fields(line)}
    return json.dumps(event, separators=(",", ":")).encode() + b"\n"


def _event_fields(line: _TextLine) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(read_line(line.text)[2])
    return event


async def _walk(segments: SegmentReader, console: str, cursor: Cursor, until: Until) -> AsyncGenerator[_TextLine]:
    """The lines that are asked for from the cursor on, each with the cursor by which it would be found again."""
    epoch = until.epoch
    async with aclosing(_every_line(segments, console, cursor)) as walked:
        async for line in walked:
            if until.time_us is not None and line.time_us > until.time_us:
                return
            event = {} if line.is_header or code_of(line.text) != EVENT else _event_fields(line)
            epoch = event.get("epoch", epoch)
            if until.epoch is None or line.is_header or epoch == until.epoch:
                yield line
            if until.epoch is not None and (event.get("event"), epoch) == ("end", until.epoch):
                return


async def _every_line(segments: SegmentReader, console: str, cursor: Cursor) -> AsyncGenerator[_TextLine]:
    recording_us = cursor.recording_us
    async for ordinal in segments.segments(console):
        if ordinal < cursor.ordinal:
            continue
        found = await header_of(segments, console, ordinal)
        if found is None:
            return
        header, _ = found
        start = cursor.position if ordinal == cursor.ordinal else 0
        async with aclosing(lines(segments, console, ordinal, start)) as walked:
            async for position, text in walked:
                line = _TextLine(Cursor(ordinal, position, recording_us), header.started_us, position == 0, text)
                yield line
                recording_us = recording_us or line.time_us


async def when_there_is_more[P: Bytes | Text | Page](
    read: Callable[[], Awaitable[P]], seconds: float, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> P:
    """What is read as soon as there is any of it, within so many seconds; then nothing. Looking costs the request its
    time, waiting does not: a storage that answers slowly is looked at less often, and nothing new is no failure.
    """
    left = seconds
    while not (found := await read()).content and left > 0 and time_limit.left() > _LEAST_SECONDS:
        with time_limit.put_off(_LOOK_SECONDS):
            await sleep(_LOOK_SECONDS)
        left -= _LOOK_SECONDS
    return found
