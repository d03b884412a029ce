"""Signed statements: container `checkpoints`, `{console}/{year}-{month}.jws`, append blobs with a JWT a line.

Nothing here is ever changed or deleted: in Azure the container's immutability policy sees to it, and a key of its own
keeps whoever may write to the transcripts from signing.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob.aio import BlobClient, BlobServiceClient

from shared.transcript.blobs.transcripts import asking_blobs, may_be_there, read_range
from shared.transcript.keys.statement_keys import StatementKeys, StatementSigner
from shared.transcript.ports import Said, StatementPlace, Statements
from shared.transcript.signed_statements import InvalidStatement, Statement

CONTAINER = "checkpoints"
_SUFFIX = ".jws"


class BlobStatementLog:
    """A Ledger."""

    def __init__(self, service: BlobServiceClient, signer: StatementSigner) -> None:
        self._service, self._signer = service, signer
        self._container = service.get_container_client(CONTAINER)

    async def add(self, statement: Statement) -> None:
        """Only what was asked for is made: the blob once a month, the container once."""
        month = datetime.fromtimestamp(statement.at, UTC).strftime("%Y-%m")
        blob = self._blob(statement.console, month)
        line = f"{await self._signer.sign(statement)}\n".encode()
        async with asking_blobs():
            try:
                await blob.append_block(line)
            except ResourceNotFoundError:
                with suppress(ResourceExistsError):
                    await self._container.create_container()
                with may_be_there():
                    await blob.create_append_blob(match_condition=MatchConditions.IfMissing)
                await blob.append_block(line)

    async def read(self, console: str, place: StatementPlace, most: int) -> Statements:
        page = await self._read(console, place, most)
        statements = await asyncio.to_thread(_checked, await self._signer.reader(), page.lines)
        return Statements(statements, page.next, page.more)

    async def page(self, console: str, place: StatementPlace, most: int) -> tuple[Sequence[str], StatementPlace | None]:
        page = await self._read(console, place, most)
        return [text for _, text in page.lines], page.next if page.more else None

    async def _read(self, console: str, place: StatementPlace, most: int) -> "_Page":
        """Whole lines: what is cut short at the end of a month is one, for nobody writes on there but by appending."""
        page = _Page([], place, more=False)
        async with asking_blobs():
            for month in await self._months(console):
                if month < place.month:
                    continue
                if most <= 0:
                    return _Page(page.lines, StatementPlace(month), more=True)
                start = place.start if month == place.month else 0
                content, cut = await self._content(console, month, start, most)
                page = _Page(
                    [*page.lines, *_lines_of(content, month, start)],
                    StatementPlace(month, start + len(content)), more=cut,
                )  # fmt: skip
                if cut:
                    return page
                most -= len(content)
        return page

    async def _content(self, console: str, month: str, start: int, most: int) -> tuple[bytes, bool]:
        """Whole lines of a month, and whether more follow."""
        content = await read_range(self._blob(console, month), start, most)
        while len(content) >= most and b"\n" not in content:  # at least one line, or nobody comes further
            most *= 2
            content = await read_range(self._blob(console, month), start, most)
        if len(content) < most:
            return content, False
        return content[: content.rfind(b"\n") + 1], True

    async def _months(self, console: str) -> Sequence[str]:
        folder = f"{console.strip('/')}/"
        try:
            names = [name async for name in self._container.list_blob_names(name_starts_with=folder)]
        except ResourceNotFoundError:
            return ()
        months = (name.removeprefix(folder).removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX))
        return sorted(month for month in months if "/" not in month)

    def _blob(self, console: str, month: str) -> BlobClient:
        return self._container.get_blob_client(f"{console.strip('/')}/{month}{_SUFFIX}")

    async def public_keys(self) -> dict[str, Any]:
        return (await self._signer.reader()).jwks


@dataclass(frozen=True, slots=True)
class _Page:
    lines: Sequence[tuple[StatementPlace, str]]
    next: StatementPlace
    more: bool


def _lines_of(content: bytes, month: str, start: int) -> list[tuple[StatementPlace, str]]:
    """What whoever may write there put into a line may look like several: each counts (shared/verify.py)."""
    lines: list[tuple[StatementPlace, str]] = []
    for line in content.split(b"\n")[: None if content and not content.endswith(b"\n") else -1]:
        place = StatementPlace(month, start)
        lines += [(place, text) for text in line.decode("ascii", "replace").splitlines() or [""]]
        start += len(line) + 1
    return lines


def _checked(keys: StatementKeys, lines: Sequence[tuple[StatementPlace, str]]) -> list[Said]:
    return [Said(place, _statement(keys, text)) for place, text in lines]


def _statement(keys: StatementKeys, text: str) -> Statement | None:
    try:
        return keys.read(text)
    except InvalidStatement:
        return None
