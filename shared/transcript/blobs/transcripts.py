"""The ring of append blobs: container `transcripts`, `{console}/{ordinal:08d}.cast`; beside it `dead-letter/...`."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from http import HTTPStatus
from io import BytesIO
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob.aio import BlobClient, BlobServiceClient

from shared.base.in_time import each_in_time, in_time
from shared.base.ports import Unavailable
from shared.base.storage_troubles import BLOBS, StorageTransport, storage_trouble
from shared.transcript.ports import AppendConflict, Blob, SegmentInfo

CONTAINER = "transcripts"
_SUFFIX = ".cast"
_PROTECTED = (HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED)
"""How the storage refuses to delete: an immutability policy, a legal hold of its own, a lease."""
_TAKEN = frozenset({"BlobAlreadyExists", "BlobImmutableDueToPolicy", "BlobImmutableDueToLegalHold"})
"""How it refuses to write what is there already. In an immutable container a new blob may be written, and none in the
place of another (azure-docs, immutable-container-level-worm-policies.md); which code comes first is not documented.
"""
_LETTERS = 8
"""Letters of one name and other bytes that are stepped over."""
_CONSOLES = "subscriptions/"
"""How the name of every console's folder begins."""
_HEAD_BYTES = 4 * 1024
_TAIL_BYTES = 64 * 1024
_PIECE_BYTES = 4 << 20
_NEWEST_KEPT = 10_000
_RETRIES: dict[str, Any] = {
    "retry_total": 2,
    "initial_backoff": 0.2,
    "increment_base": 1,
    "random_jitter_range": 0.2,
}
"""So a storage that throttles has said so before a request's time is over."""
OWN_SECONDS = 120.0
"""Of one question by work that belongs to no request, with all its tries."""


def blob_service(storage: str, credential: Any = None, suffix: str = "core.windows.net") -> BlobServiceClient:
    """`storage`: a connection string, or the name of an account that the credential opens; `suffix`: the cloud's."""
    if "=" in storage:
        return BlobServiceClient.from_connection_string(storage, **_options())
    return BlobServiceClient(f"https://{storage}.blob.{suffix}", credential, **_options())


def _options() -> dict[str, Any]:
    return {**_RETRIES, "transport": StorageTransport(BLOBS)}


class BlobTranscripts:
    """A Transcripts."""

    def __init__(self, service: BlobServiceClient) -> None:
        self.service = service
        self._container = service.get_container_client(CONTAINER)
        self._making = asyncio.Lock()
        self._made = False
        self._newest: OrderedDict[str, int] = OrderedDict()
        """The newest ordinal seen of each console: a place to start looking, not more."""

    async def newest(self, console: str) -> Blob | None:
        async with asking_blobs():
            ordinal = await self._newest_ordinal(console)
            return None if ordinal is None else await self._show(console, ordinal)

    async def _newest_ordinal(self, console: str) -> int | None:
        ordinal = self._newest.get(console)
        if ordinal is None:
            async for listed in self._list(console):
                ordinal = listed
        else:
            while await self._blob(console, ordinal + 1).exists():
                ordinal += 1
        if ordinal is not None:
            self._remember(console, ordinal)
        return ordinal

    async def _show(self, console: str, ordinal: int) -> Blob:
        blob = self._blob(console, ordinal)
        try:
            properties = await blob.get_blob_properties()
        except ResourceNotFoundError:
            # Deleted since it was seen: the next try lists.
            self._newest.pop(console, None)
            raise
        start = max(0, properties.size - _TAIL_BYTES)
        tail = await read_range(blob, start, properties.size - start)
        head = tail if start == 0 else await read_range(blob, 0, _HEAD_BYTES)
        blocks = properties.append_blob_committed_block_count or 0
        return Blob(ordinal, properties.size, blocks, head[:_HEAD_BYTES], tail)

    async def create(self, console: str, ordinal: int) -> None:
        async with asking_blobs(), self._there():
            with may_be_there():
                await self._blob(console, ordinal).create_append_blob(match_condition=MatchConditions.IfMissing)

    async def append(self, console: str, ordinal: int, position: int, data: bytes) -> None:
        async with asking_blobs():
            try:
                # As a stream: a large body of plain bytes would hold the event loop while it is written.
                await self._blob(console, ordinal).append_block(
                    BytesIO(data), length=len(data), appendpos_condition=position
                )
            except ResourceNotFoundError as error:
                self._newest.pop(console, None)
                raise AppendConflict from error
            except HttpResponseError as error:
                if error.status_code != HTTPStatus.PRECONDITION_FAILED:
                    raise
                raise AppendConflict from error
        self._remember(console, ordinal)

    async def set_aside(self, name: str, data: bytes) -> None:
        """Under the next free name where somebody else's bytes have the name already."""
        async with asking_blobs(), self._there():
            for number in range(_LETTERS):
                letter = f"dead-letter/{name}{f'.{number}' if number else ''}"
                if await _holds(self._container.get_blob_client(letter), data):
                    return
        raise Unavailable(BLOBS, "other letters have the names of this one")

    async def segments(self, console: str) -> AsyncIterator[int]:
        with faults():
            async for ordinal in each_in_time(self._list(console), BLOBS, OWN_SECONDS):
                yield ordinal

    async def read(self, console: str, ordinal: int, start: int = 0) -> AsyncIterator[bytes]:
        """From byte `start` on. The first piece is short, for those who want the header only."""
        blob, size = self._blob(console, ordinal), _TAIL_BYTES
        while True:
            async with asking_blobs():
                piece = await read_range(blob, start, size)
            if piece:
                yield piece
            if len(piece) < size:
                return
            start, size = start + size, _PIECE_BYTES

    async def list_segments(self, console: str = "") -> AsyncIterator[SegmentInfo]:
        """Names sort so that a console's segments follow each other, oldest first."""
        folder = f"{console.strip('/')}/" if console else _CONSOLES
        with faults():
            try:
                names = aiter(self._container.list_blobs(name_starts_with=folder))
                async for blob_item in each_in_time(names, BLOBS, OWN_SECONDS):
                    of, _, number = blob_item.name.removesuffix(_SUFFIX).rpartition("/")
                    if number.isdigit():
                        yield SegmentInfo(f"/{of}", int(number), blob_item.size)
            except ResourceNotFoundError:
                return

    async def drop(self, console: str, ordinal: int) -> bool:
        async with asking_blobs():
            try:
                await self._blob(console, ordinal).delete_blob()
            except ResourceNotFoundError:
                return True
            except HttpResponseError as error:
                if error.status_code not in _PROTECTED:
                    raise
                return False
        return True

    async def _list(self, console: str) -> AsyncIterator[int]:
        """Names sort as ordinals do. Nothing where there is no container yet."""
        folder = f"{console.strip('/')}/"
        try:
            async for name in self._container.list_blob_names(name_starts_with=folder):
                number = name.removeprefix(folder).removesuffix(_SUFFIX)
                if number.isdigit():
                    yield int(number)
        except ResourceNotFoundError:
            return

    @asynccontextmanager
    async def _there(self) -> AsyncIterator[None]:
        """Makes the container where needed, also again after somebody deleted it."""
        async with self._making:
            if not self._made:
                with suppress(ResourceExistsError):
                    await self._container.create_container()
                self._made = True
        try:
            yield
        except ResourceNotFoundError:
            self._made = False
            raise

    def _blob(self, console: str, ordinal: int) -> BlobClient:
        return self._container.get_blob_client(f"{console.strip('/')}/{ordinal:08d}{_SUFFIX}")

    def _remember(self, console: str, ordinal: int) -> None:
        self._newest[console] = ordinal
        self._newest.move_to_end(console)
        if len(self._newest) > _NEWEST_KEPT:
            self._newest.popitem(last=False)


async def read_range(blob: BlobClient, start: int, length: int) -> bytes:
    """Up to `length` bytes; none at or past the end, whether the service answers that with 416 or with nothing."""
    if not length:
        return b""
    try:
        content: bytes = await (await blob.download_blob(offset=start, length=length)).readall()
    except ResourceNotFoundError:
        return b""
    except HttpResponseError as error:
        if error.status_code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        return b""
    return content


async def _holds(blob: BlobClient, data: bytes) -> bool:
    """Written by one request where nothing was; whether the blob then holds exactly these bytes, whoever wrote them."""
    try:
        await blob.upload_blob(data)
    except HttpResponseError as error:
        if not _is_there(error):
            raise
        there = await blob.get_blob_properties()
        return there.size == len(data) and await read_range(blob, 0, len(data)) == data
    return True


def _is_there(error: HttpResponseError) -> bool:
    return error.status_code == HTTPStatus.CONFLICT and getattr(error, "error_code", None) in _TAKEN


@contextmanager
def may_be_there() -> Iterator[None]:
    """Around the creation of a blob: that it is there already is no error."""
    try:
        yield
    except HttpResponseError as error:
        if not _is_there(error):
            raise


@contextmanager
def faults() -> Iterator[None]:
    """Raises Unavailable."""
    try:
        yield
    except AzureError as error:
        raise storage_trouble(error, BLOBS) from error


@asynccontextmanager
async def asking_blobs() -> AsyncIterator[None]:
    """Bounds what is done inside by the request's time. Raises Unavailable."""
    async with in_time(BLOBS, OWN_SECONDS):
        with faults():
            yield
