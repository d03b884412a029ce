"""Reads what a console printed and what happened to it: as bytes, as a recording to play, as events.

Every answer is a page of bounded size; each says where the next one begins.
"""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from shared.domain.caller import Caller
from shared.domain.playback import Cursor, code_of, printed, retimed, time_us
from shared.domain.refusals import Refusal
from shared.domain.rights import Right
from shared.domain.segment import CHECKPOINT, EVENT, PRINTED, read_line
from shared.domain.vm import VmId
from shared.flows.examine_vm import READING, Wanted, admit_to_vm
from shared.flows.find_tail import find_tail
from shared.flows.walk_segments import Segments, header_of, lines, place_before, segment_of
from shared.flows.world import World

_SCANNED = 16 << 20
"""Bytes of segments that are read for one page, at most."""
_US = 1_000_000


async def permitted(world: World, caller: Caller, vm: VmId) -> Refusal | None:
    """Why the caller may not read this VM's transcript. Raises Unavailable."""
    examined = await admit_to_vm(world, caller, vm, Wanted(Right.READ, READING))
    return examined if isinstance(examined, Refusal) else None


@dataclass(frozen=True, slots=True)
class Bytes:
    """Printed bytes `start` to `next` of `end` that were printed so far. `start` is later than asked for where the
    ring has dropped what was before.
    """

    content: bytes
    start: int
    next: int
    end: int


async def read_bytes(segments: Segments, console: str, offset: int, limit: int) -> Bytes:
    """Exactly what was printed. Raises DamagedSegment, Unavailable."""
    end = (await find_tail(console, segments)).offset
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
class Page:
    """Lines, and where the next page begins; None when this is the last."""

    content: bytes
    next: Cursor | None


@dataclass(frozen=True, slots=True)
class _Line:
    at: Cursor
    segment_us: int
    """When its segment began, us since 1970."""
    is_header: bool
    text: bytes


async def read_recording(segments: Segments, console: str, cursor: Cursor, limit: int) -> Page:
    """One asciicast v2 recording out of all segments: pages read one after the other are one file.

    Raises DamagedSegment, Unavailable.
    """
    content, last_us, size = bytearray(), 0, 0
    async with aclosing(_walk(segments, console, cursor)) as walked:
        async for line in walked:
            size += len(line.text)
            made = b""
            recording_us = line.at.recording_us or line.segment_us
            if line.is_header:
                made = line.text + b"\n" if line.at.recording_us is None else b""
            elif code_of(line.text) != CHECKPOINT:
                # Players want times that never go back; clocks of relays may.
                last_us = max(last_us, time_us(line.text, line.segment_us) - recording_us)
                made = retimed(line.text, last_us) + b"\n"
            if content and (len(content) + len(made) > limit or size > _SCANNED):
                return Page(bytes(content), line.at)
            content += made
    return Page(bytes(content), None)


async def read_events(segments: Segments, console: str, cursor: Cursor, limit: int) -> Page:
    """What happened, a JSON object a line, with its time in seconds since 1970. Raises DamagedSegment, Unavailable."""
    content, size = bytearray(), 0
    async with aclosing(_walk(segments, console, cursor)) as walked:
        async for line in walked:
            made = b"" if line.is_header else _event(line)
            if (content and len(content) + len(made) > limit) or size > _SCANNED:
                return Page(bytes(content), line.at)
            size += len(line.text)
            content += made
    return Page(bytes(content), None)


def _event(line: _Line) -> bytes:
    if code_of(line.text) != EVENT:
        return b""
    said = json.loads(read_line(line.text)[2])
    event = {"time": time_us(line.text, line.segment_us) / _US, "segment": line.at.ordinal, **said}
    return json.dumps(event, separators=(",", ":")).encode() + b"\n"


async def _walk(segments: Segments, console: str, cursor: Cursor) -> AsyncGenerator[_Line]:
    """Every line from the cursor on, with the cursor by which it would be found again."""
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
                is_header = position == 0
                at = Cursor(ordinal, position, recording_us)
                yield _Line(at, header.started_us, is_header, text)
                recording_us = recording_us or header.started_us
