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
from azure.storage.blob.aio import BlobServiceClient

from shared.adapters.blob_transcripts import faults, may_be_there, read_range
from shared.adapters.statement_keys import StatementKeys, StatementSigner
from shared.domain.ledger import BadStatement, Statement
from shared.ports import Statements

CONTAINER = "checkpoints"
_SUFFIX = ".jws"
_MOST = 64 << 20
"""Bytes of one month; a statement is half a kilobyte."""


class BlobLedger:
    """A Ledger."""

    def __init__(self, service: BlobServiceClient, signer: StatementSigner) -> None:
        self._service, self._signer = service, signer
        self._container = service.get_container_client(CONTAINER)

    async def add(self, statement: Statement) -> None:
        """Only what was asked for is made: the blob once a month, the container once."""
        month = datetime.fromtimestamp(statement.at, UTC).strftime("%Y-%m")
        blob = self._container.get_blob_client(f"{statement.console.strip('/')}/{month}{_SUFFIX}")
        line = f"{await self._signer.sign(statement)}\n".encode()
        with faults():
            try:
                await blob.append_block(line)
            except ResourceNotFoundError:
                with suppress(ResourceExistsError):
                    await self._container.create_container()
                with may_be_there():
                    await blob.create_append_blob(match_condition=MatchConditions.IfMissing)
                await blob.append_block(line)

    async def read(self, console: str) -> Statements:
        lines = await self.lines(console)
        return await asyncio.to_thread(_checked, await self._signer.reader(), lines)

    async def lines(self, console: str) -> Sequence[str]:
        lines: list[str] = []
        folder = f"{console.strip('/')}/"
        with faults(), suppress(ResourceNotFoundError):
            async for name in self._container.list_blob_names(name_starts_with=folder):
                if name.endswith(_SUFFIX) and "/" not in name.removeprefix(folder):
                    content = await read_range(self._container.get_blob_client(name), 0, _MOST)
                    lines += content.decode("ascii", "replace").splitlines()
        return lines

    async def public_keys(self) -> dict[str, Any]:
        return (await self._signer.reader()).jwks


def _checked(keys: StatementKeys, lines: Sequence[str]) -> Statements:
    said: list[Statement] = []
    for line in lines:
        with suppress(BadStatement):
            said.append(keys.read(line))
    return Statements(said, len(lines) - len(said))
