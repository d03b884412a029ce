"""Transcripts as append blobs: `{console}/{ordinal:08d}.cast` in the container `transcripts`.

An append carries its position as a condition, so two archivers or a repeated append can never write twice.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from azure.core import MatchConditions
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import ContentSettings
from azure.storage.blob.aio import BlobClient, BlobServiceClient, ContainerClient

from shared.ports import AppendConflict, Blob, Unavailable

CONTAINER = "transcripts"
DEAD_LETTER = "dead-letter"
PIECE = 4 * 1024 * 1024
"""Bytes asked for at once: a reader's memory, and the emulator's open files, stay bounded."""
EDGE = 64 * 1024
TIMEOUT_SECONDS = 30.0
_WHAT = "storage blobs"
_CAST = ContentSettings(content_type="application/x-asciicast")
_RETRIES: dict[str, Any] = {"retry_total": 2, "initial_backoff": 1, "increment_base": 2, "connection_timeout": 5}
_POSITION_TAKEN = 412
_RANGE_PAST_END = 416


class BlobTranscripts:
    """`storage` is a connection string, or the name of an account that the credential opens."""

    def __init__(self, storage: str, credential: AsyncTokenCredential | None = None) -> None:
        if "=" in storage:
            self._service = BlobServiceClient.from_connection_string(storage, **_RETRIES)
        else:
            self._service = BlobServiceClient(f"https://{storage}.blob.core.windows.net", credential, **_RETRIES)
        self._container: ContainerClient = self._service.get_container_client(CONTAINER)
        self._making = asyncio.Lock()
        self._there = False

    async def newest(self, console: str) -> Blob | None:
        ordinals = [ordinal async for ordinal in self.segments(console)]
        if not ordinals:
            return None
        blob = self._segment(console, ordinals[-1])
        async with self._asking():
            about = await blob.get_blob_properties()
            head = await self._range(blob, 0, min(EDGE, about.size))
            start = max(0, about.size - EDGE)
            tail = await self._range(blob, start, about.size - start)
        return Blob(ordinals[-1], about.size, about.append_blob_committed_block_count or 0, head, tail)

    async def create(self, console: str, ordinal: int) -> None:
        async with self._asking():
            try:
                await self._segment(console, ordinal).create_append_blob(
                    _CAST, match_condition=MatchConditions.IfMissing
                )
            except ResourceExistsError:
                return

    async def append(self, console: str, ordinal: int, position: int, data: bytes) -> None:
        async with self._asking():
            try:
                await self._segment(console, ordinal).append_block(data, appendpos_condition=position)
            except ResourceNotFoundError as error:
                raise AppendConflict(f"segment {ordinal} is not there") from error
            except HttpResponseError as error:
                if error.status_code == _POSITION_TAKEN:
                    raise AppendConflict(f"segment {ordinal} does not end at {position}") from error
                raise

    async def set_aside(self, name: str, data: bytes) -> None:
        async with self._asking():
            await self._container.upload_blob(f"{DEAD_LETTER}/{name.lstrip('/')}", data, overwrite=True)

    async def segments(self, console: str) -> AsyncIterator[int]:
        folder = f"{console.lstrip('/')}/"
        names: list[str] = []
        async with self._asking():
            async for name in self._container.list_blob_names(name_starts_with=folder):
                names.append(name)  # noqa: PERF401 - the adapter's types hide that this is an async iterator
        for name in names:
            stem = name.removeprefix(folder).removesuffix(".cast")
            if stem.isdigit():
                yield int(stem)

    async def read(self, console: str, ordinal: int) -> AsyncIterator[bytes]:
        blob, at = self._segment(console, ordinal), 0
        while True:
            async with self._asking():
                piece = await self._range(blob, at, PIECE)
            if not piece:
                return
            yield piece
            at += len(piece)

    async def close(self) -> None:
        await self._service.close()

    def _segment(self, console: str, ordinal: int) -> BlobClient:
        return self._container.get_blob_client(f"{console.lstrip('/')}/{ordinal:08d}.cast")

    @staticmethod
    async def _range(blob: BlobClient, start: int, length: int) -> bytes:
        """Empty at the end of the blob, whichever way the service says so."""
        if not length:
            return b""
        try:
            return bytes(await (await blob.download_blob(start, length)).readall())
        except HttpResponseError as error:
            if error.status_code == _RANGE_PAST_END:
                return b""
            raise

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[None]:
        """Bounds one question and translates breakage. Raises Unavailable."""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await self._make_container()
                yield
        except (AzureError, TimeoutError) as error:
            raise Unavailable(_WHAT, type(error).__name__) from None

    async def _make_container(self) -> None:
        if self._there:
            return
        async with self._making:
            if not self._there:
                try:
                    await self._container.create_container()
                except ResourceExistsError:
                    self._there = True
                self._there = True
