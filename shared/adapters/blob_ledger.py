"""Signed statements: container `checkpoints`, `{console}/{year}-{month}.jws`, append blobs with a JWT a line.

Nothing here is ever changed or deleted: in Azure the container's immutability policy sees to it, and a key of its own
keeps whoever may write to the transcripts from signing.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob.aio import BlobClient, BlobServiceClient

from shared.adapters.blob_transcripts import asking_blobs, may_be_there, read_range
from shared.adapters.statement_keys import StatementKeys, StatementSigner
from shared.domain.ledger import BadStatement, Statement
from shared.ports import StatementPlace, Statements

CONTAINER = "checkpoints"
_SUFFIX = ".jws"
_PIECE = 4 << 20
"""Bytes read at a time; a statement is half a kilobyte."""


class BlobLedger:
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

    async def read(self, console: str) -> Statements:
        lines: list[str] = []
        place: StatementPlace | None = StatementPlace()
        while place:
            more, place = await self.page(console, place, _PIECE)
            lines += more
        return await asyncio.to_thread(_checked, await self._signer.reader(), lines)

    async def page(self, console: str, place: StatementPlace, most: int) -> tuple[Sequence[str], StatementPlace | None]:
        lines: list[str] = []
        async with asking_blobs():
            for month in await self._months(console):
                if month < place.month:
                    continue
                if most <= 0:
                    return lines, StatementPlace(month)
                start = place.start if month == place.month else 0
                content = await read_range(self._blob(console, month), start, most)
                while len(content) >= most and b"\n" not in content:  # at least one line, or nobody comes further
                    most *= 2
                    content = await read_range(self._blob(console, month), start, most)
                if len(content) >= most:
                    cut = content.rfind(b"\n") + 1
                    lines += _lines_of(content[:cut])
                    return lines, StatementPlace(month, start + cut)
                lines += _lines_of(content)
                most -= len(content)
        return lines, None

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


def _lines_of(content: bytes) -> list[str]:
    return content.decode("ascii", "replace").splitlines()


def _checked(keys: StatementKeys, lines: Sequence[str]) -> Statements:
    said: list[Statement] = []
    for line in lines:
        with suppress(BadStatement):
            said.append(keys.read(line))
    return Statements(said, len(lines) - len(said))
