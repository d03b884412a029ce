"""Recordings of a console as people look for them: who was there, when, and what happened.

A recording is one epoch: from the opening of the VM's port to its end. `Scan` reads the lines of a segment and knows
what is worth a mark; what it learns is an `Indexed`, a function of the segment's bytes and of the one before, so that
an index that is lost can be made again. `merged` makes recordings of the pieces.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from shared.transcript.playback import code_of, printed, time_us
from shared.transcript.segment import EVENT, PRINTED, DamagedSegment, read_event, read_header, read_line

MARKS_KEPT = 200
"""Of one recording in one segment; the same for people."""
_TEXT = 120
_DESCRIBED_FIELDS = ("by", "user", "command", "act", "from", "to")
_AGAIN_US = 30_000_000
"""Signs of one kind that follow sooner are one happening: a panic prints many lines, a boot has several voices."""
_SIGNS = re.compile(
    rb"(?P<panic>Kernel panic - not syncing|Oops: |BUG: unable to handle|Unable to mount root fs|\*\*\* STOP: 0x"
    rb"|A problem has been detected and Windows)"
    rb"|(?P<boot>Linux version [0-9]|SeaBIOS \(|BdsDxe: (?:loading|starting)|Booting `|Computer is booting, SAC)"
)
SIGNS = {
    "boot": "`Linux version`, SeaBIOS, UEFI's `BdsDxe:`, GRUB's `Booting`, or Windows' `Computer is booting, SAC`",
    "panic": "`Kernel panic - not syncing`, `Oops:`, `BUG: unable to handle`, `Unable to mount root fs`, or the "
    "text of a Windows stop error",
}
"""What is looked for, in words."""
_CARRY = 64
"""Longer than any sign: what may be the beginning of one at the end of a record."""


@dataclass(frozen=True, slots=True)
class Person:
    session: str
    name: str
    mode: str
    began_us: int
    ended_us: int | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    kind: str
    """boot, panic, takeover, reset, nmi, sysrq, power, lost, hole."""
    offset: int
    """Printed bytes before it."""
    time_us: int
    text: str

    @property
    def printed(self) -> bool:
        """Its text is what the VM printed."""
        return self.kind in _SIGNS.groupindex


@dataclass(frozen=True, slots=True)
class Recording:
    """Times in microseconds since 1970, offsets in printed bytes of the console."""

    id: str
    """The epoch."""
    segment: int
    """Where its first line is."""
    position: int
    began_us: int
    last_us: int
    start: int
    end: int
    ended_us: int | None = None
    reason: str | None = None
    people: tuple[Person, ...] = ()
    marks: tuple[Mark, ...] = ()
    relay: str = ""
    """Who recorded it; empty of one that is older than this field."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """What is known of a segment after so many of its bytes."""

    ordinal: int
    length: int = 0
    started_us: int = 0
    last_us: int = 0
    start: int = 0
    """Printed bytes before the segment."""
    end: int = 0
    previous: str = ""
    """The running hash before the segment, in hexadecimal digits."""
    current: str = ""
    """The epoch that the next printed line belongs to."""
    carry: bytes = b""
    """The last printed bytes."""
    pieces: tuple[Recording, ...] = ()
    signed: int = 0
    """The length at which a checkpoint was signed last."""
    announced: bool = False
    """It is signed that the segments before this one are dropped."""

    def next_segment(self, ordinal: int) -> "Indexed":
        """What is known of the segment after this one before it is read."""
        return Indexed(ordinal, last_us=self.last_us, current=self.current, carry=self.carry)


class Scan:
    """Goes on with a segment where an Indexed ends."""

    def __init__(self, known: Indexed) -> None:
        self._known = known
        self._pieces = {piece.id: piece for piece in known.pieces}
        self._printed_to: dict[str, tuple[int, int]] = {}
        """Of pieces to which something was printed: where they end, and when that was."""
        self._length, self._last_us, self._end = known.length, known.last_us, known.end
        self._current, self._carry = known.current, known.carry

    def line(self, position: int, raw: bytes) -> None:
        """A line without its end. What cannot be read is passed over: to find damage is not the index's task."""
        with suppress(DamagedSegment, UnicodeEncodeError, RecursionError):
            self._read(position, raw)
        self._length = position + len(raw) + 1

    def known(self) -> Indexed:
        for epoch in tuple(self._printed_to):
            self._update_piece(epoch)
        return replace(
            self._known, length=self._length, last_us=self._last_us, end=self._end, current=self._current,
            carry=self._carry, pieces=tuple(self._pieces.values()),
        )  # fmt: skip

    def _read(self, position: int, raw: bytes) -> None:
        if not position:
            header = read_header(raw)
            self._end = header.offset
            self._known = replace(
                self._known, started_us=header.started_us, previous=header.previous.hex(), start=header.offset
            )
            return
        code = code_of(raw)
        if code not in (PRINTED, EVENT):
            return  # the checkpoint that closes a segment bears the time of what comes after it
        at = time_us(raw, self._known.started_us)
        self._last_us = max(at, self._last_us)
        if code == PRINTED:
            self._printed(position, at, printed(raw))
        else:
            self._event(position, at, read_event(read_line(raw)[2]))

    def _printed(self, position: int, at: int, body: bytes) -> None:
        epoch = self._current
        if epoch not in self._pieces:
            self._pieces[epoch] = self._piece(epoch, position, at)
        before = self._end - len(self._carry)
        text = self._carry + body
        sign_end = 0
        for sign in _SIGNS.finditer(text):
            mark = Mark(sign.lastgroup or "", before + sign.start(), at, _words(text, sign))
            self._pieces[epoch] = _marked(self._pieces[epoch], mark)
            sign_end = sign.end()
        self._end += len(body)
        self._printed_to[epoch] = self._end, max(at, self._printed_to.get(epoch, (0, at))[1])
        self._carry = text[max(sign_end, len(text) - _CARRY) :]

    def _event(self, position: int, at: int, event: dict[str, Any]) -> None:
        epoch = event.get("epoch")
        if not isinstance(epoch, str):
            return
        if epoch != self._current:
            self._current, self._carry = epoch, b""
        self._update_piece(epoch)
        piece = self._pieces.get(epoch) or self._piece(epoch, position, at)
        piece = replace(piece, last_us=max(at, piece.last_us))
        piece = _with_person(piece, event, at)
        if description := _describe(event):
            piece = _marked(piece, Mark(description[0], self._end, at, description[1]))
        if event.get("event") == "port-open":
            piece = replace(piece, relay=_text(event, "relay"))
        if event.get("event") == "end":
            piece = replace(piece, ended_us=at, reason=_text(event, "reason"))
        self._pieces[epoch] = piece

    def _update_piece(self, epoch: str) -> None:
        """Lets a piece know what was printed to it: not for every line, of which there are millions."""
        if epoch in self._printed_to:
            end, last_us = self._printed_to.pop(epoch)
            piece = self._pieces[epoch]
            self._pieces[epoch] = replace(piece, end=end, last_us=max(last_us, piece.last_us))

    def _piece(self, epoch: str, position: int, at: int) -> Recording:
        return Recording(epoch, self._known.ordinal, position, at, at, self._end, self._end)


def merged(segments: Iterable[Indexed]) -> tuple[Recording, ...]:
    """Recordings in the order of their beginning, out of rising segments."""
    recordings: dict[str, Recording] = {}
    for piece in (piece for each in segments for piece in each.pieces):
        earlier = recordings.get(piece.id)
        recordings[piece.id] = _joined(earlier, piece) if earlier else piece
    return tuple(recordings.values())


def _joined(one: Recording, two: Recording) -> Recording:
    people = {person.session: person for person in one.people}
    for person in two.people:
        earlier = people.get(person.session)
        people[person.session] = replace(earlier, ended_us=person.ended_us) if earlier else person
    return replace(
        one, last_us=max(one.last_us, two.last_us), end=two.end, ended_us=two.ended_us or one.ended_us,
        reason=two.reason or one.reason, relay=one.relay or two.relay, people=tuple(people.values()),
        marks=one.marks + two.marks,
    )  # fmt: skip


def _with_person(piece: Recording, event: dict[str, Any], at: int) -> Recording:
    session = _text(event, "session")
    people = {person.session: person for person in piece.people}
    if event.get("event") == "attach" and session not in people and len(people) < MARKS_KEPT:
        people[session] = Person(session, _text(event, "user"), _text(event, "mode"), at)
    elif event.get("event") == "detach":
        # Of somebody who came in an earlier segment only the end is known here; `merged` has the beginning.
        earlier = people.get(session) or Person(session, _text(event, "user"), "", piece.began_us)
        people[session] = replace(earlier, ended_us=at)
    return replace(piece, people=tuple(people.values()))


def _marked(piece: Recording, mark: Mark) -> Recording:
    """Signs of the same kind in quick succession are one mark; what people did is told each time."""
    last = next((each for each in reversed(piece.marks) if each.kind == mark.kind), None)
    again = mark.kind in ("boot", "panic") and last is not None and mark.time_us - last.time_us < _AGAIN_US
    return piece if again or len(piece.marks) >= MARKS_KEPT else replace(piece, marks=(*piece.marks, mark))


def _describe(event: dict[str, Any]) -> tuple[str, str] | None:
    """The kind and the words of an event that is worth a mark."""
    description = {
        "takeover": ("takeover", "{by} took the console from {user}"),
        "command": (_text(event, "command"), "{command} by {by}"),
        "power": ("power", "{act} by {by}"),
        "port-lost": ("lost", "the connection to the VM was lost"),
        "relay-lost": ("lost", "the relay ended unexpectedly"),
        "record-failed": ("lost", "the relay could not record any more"),
        "hole": ("hole", "records {from} to {to} never arrived"),
    }.get(_text(event, "event"))
    return description and (
        description[0],
        description[1].format_map({name: _text(event, name) for name in _DESCRIBED_FIELDS}),
    )


def _text(event: dict[str, Any], name: str) -> str:
    return str(event.get(name, ""))[:_TEXT]


def _words(text: bytes, sign: re.Match[bytes]) -> str:
    """The line from the sign on, as far as it has arrived."""
    return text[sign.start() : sign.start() + _TEXT].partition(b"\n")[0].decode("utf-8", "replace").rstrip("\r")
