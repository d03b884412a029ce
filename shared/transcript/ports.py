"""Transcripts, their index, what is signed about them, who holds and who reads them."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from shared.transcript.old_rows import Rows
from shared.transcript.recordings import Indexed
from shared.transcript.signed_statements import Statement


@dataclass(frozen=True, slots=True)
class Blob:
    """The newest segment as it lies: its ordinal, its length in bytes, and its last lines (up to 64 KiB)."""

    ordinal: int
    length: int
    blocks: int
    head: bytes
    tail: bytes


@dataclass(frozen=True, slots=True)
class SegmentInfo:
    """A segment as a listing shows it."""

    console: str
    ordinal: int
    length: int


class AppendConflict(Exception):
    """Somebody else appended first, or the append arrived before and its answer was lost: read the tail again."""


class Transcripts(Protocol):
    """The ring of append blobs, one folder per console."""

    async def newest(self, console: str) -> Blob | None: ...

    async def create(self, console: str, ordinal: int) -> None:
        """An empty segment; no error when it is there already."""
        ...

    async def append(self, console: str, ordinal: int, position: int, data: bytes) -> None:
        """All of `data` at exactly `position`, or nothing. Raises AppendConflict, Unavailable."""
        ...

    async def set_aside(self, name: str, data: bytes) -> None:
        """Keeps bytes that are not a batch where somebody can look at them: never dropped, never in the way."""
        ...

    def segments(self, console: str) -> AsyncIterator[int]:
        """Ordinals, oldest first."""
        ...

    def read(self, console: str, ordinal: int, start: int = 0) -> AsyncIterator[bytes]:
        """A segment's bytes from byte `start` on, in bounded pieces."""
        ...

    def list_segments(self, console: str = "") -> AsyncIterator[SegmentInfo]:
        """Every segment of one console, or of all: those of one console follow each other, oldest first."""
        ...

    async def drop(self, console: str, ordinal: int) -> bool:
        """Deletes a segment; no error when it is gone. False: the storage forbids it. Raises Unavailable."""
        ...


class Index(Protocol):
    """What is known of segments without reading them again. It can be made anew from them at any time."""

    async def rows(self, console: str, first: int = 0, behind: int | None = None) -> Sequence[Indexed]:
        """Rising: of the segments from `first` on, and before `behind`. Raises Unavailable."""
        ...

    async def put(self, console: str, row: Indexed) -> None: ...

    async def forget(self, console: str, ordinal: int) -> None: ...

    async def place(self) -> str:
        """The console after which upkeep goes on; empty where it begins with the first."""
        ...

    async def put_place(self, console: str) -> None: ...


@dataclass(frozen=True, slots=True)
class StatementPlace:
    """A place among a console's statements: a month, like 2026-11, and bytes of it; empty: the beginning."""

    month: str = ""
    start: int = 0


@dataclass(frozen=True, slots=True)
class Said:
    """A line among the statements."""

    place: StatementPlace
    statement: Statement | None
    """None: it is not signed by this service."""


@dataclass(frozen=True, slots=True)
class Statements:
    """Some of what was signed about a console's transcript, in the order in which it was signed."""

    said: Sequence[Said]
    next: StatementPlace
    """Behind them: what is signed later will be there."""
    more: bool
    """There are some now."""


class StatementLog(Protocol):
    """Signed statements, in a container of their own, which only grows."""

    async def add(self, statement: Statement) -> None:
        """Raises Unavailable."""
        ...

    async def read(self, console: str, place: StatementPlace, most: int) -> Statements:
        """Those from a place on: at most `most` bytes, or where not even one fits, a few. Raises Unavailable."""
        ...

    async def page(self, console: str, place: StatementPlace, most: int) -> tuple[Sequence[str], StatementPlace | None]:
        """The same as they lie, each a JWT, and the place of the rest. Raises Unavailable."""
        ...

    async def public_keys(self) -> dict[str, Any]:
        """The JWKS by which the statements can be checked. Raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold: nothing of the console's transcript is dropped."""

    by: str
    since: float
    why: str


@dataclass(frozen=True, slots=True)
class Read:
    """Somebody read something of a transcript."""

    at: float
    subject: str
    """Caller.subject."""
    name: str
    what: str
    """Format and place, as the request's query had them: never what was searched for, never what was read."""


class Reads(Protocol):
    async def add(self, console: str, read: Read) -> None:
        """Raises Unavailable: then nothing must be handed out."""
        ...

    async def newest(self, console: str, most: int) -> Sequence[Read]:
        """The newest first."""
        ...


@dataclass(frozen=True, slots=True)
class RemovedRows:
    count: int
    last: bool
    """That was the last page of this kind; the next call begins anew."""


class OldRows(Protocol):
    async def remove(self, rows: Rows, before: float) -> RemovedRows:
        """Deletes those of one page whose time is before; the next call, whoever makes it, goes on with the next page.

        Raises Unavailable.
        """
        ...


class Holds(Protocol):
    async def find(self, console: str) -> Hold | None: ...

    async def place(self, console: str, hold: Hold) -> None:
        """Replaces the one that is there."""
        ...

    async def lift(self, console: str) -> None: ...
