"""Azure tables: made on first use, once; what goes wrong there as Unavailable."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from azure.core import MatchConditions
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient, TableServiceClient

from shared.base.in_time import in_time
from shared.base.storage_troubles import TABLES, StorageTransport, storage_trouble
from shared.base.vm import VmId

TIMEOUT_SECONDS = 10.0
"""Of what is asked a table by work that belongs to no request."""
_RETRIES: dict[str, Any] = {
    "retry_total": 2,
    "retry_backoff_factor": 0.3,
    "retry_backoff_max": 2,
}


def table_service(
    storage: str, credential: AsyncTokenCredential, suffix: str = "core.windows.net"
) -> TableServiceClient:
    """`storage`: a connection string, or the name of an account that the credential opens; `suffix`: the cloud's."""
    if "=" in storage:
        return TableServiceClient.from_connection_string(storage, **_options())
    return TableServiceClient(f"https://{storage}.table.{suffix}", credential=credential, **_options())


def _options() -> dict[str, Any]:
    return {**_RETRIES, "transport": StorageTransport(TABLES)}


def key_of(scope: str) -> str:
    """A console or another scope as a key: keys hold no slash, scopes hold no bar."""
    return scope.replace("/", "|")


def console_key(vm: VmId) -> str:
    """The partition of what belongs to a console: ids hold no bar."""
    return key_of(vm.console.strip("/"))


async def find_row(table: TableClient, partition: str, row: str) -> Any:
    """None where it is not there."""
    try:
        return await table.get_entity(partition, row)
    except ResourceNotFoundError:
        return None


async def merge_unchanged(table: TableClient, row: Any, changed: Mapping[str, Any]) -> bool:
    """Writes what has changed into a row that was read; False where somebody wrote or removed it since."""
    entity = {**changed, "PartitionKey": row["PartitionKey"], "RowKey": row["RowKey"]}
    try:
        await table.update_entity(
            entity, UpdateMode.MERGE, etag=row.metadata["etag"], match_condition=MatchConditions.IfNotModified
        )
    except (ResourceModifiedError, ResourceNotFoundError):
        return False
    return True


async def insert_own(table: TableClient, row: Mapping[str, Any]) -> None:
    """Writes a row whose key nobody else can have. It may be there all the same: an insert whose answer was lost, or
    that was done although it was told to have timed out, is sent again by the SDK.
    """
    with suppress(ResourceExistsError):
        await table.create_entity(row)


class Table:
    """One table, there from the first use on."""

    def __init__(self, service: TableServiceClient, name: str) -> None:
        self._service, self._name = service, name
        self._client = service.get_table_client(name)
        self._lock = asyncio.Lock()
        self._there = False

    @asynccontextmanager
    async def open(self) -> AsyncIterator[TableClient]:
        """Bounds what is done inside by the request's time. What a condition answers (exists, not found, modified)
        passes through. Raises Unavailable.
        """
        try:
            async with in_time(TABLES, TIMEOUT_SECONDS):
                await self._make()
                yield self._client
        except (ResourceExistsError, ResourceNotFoundError, ResourceModifiedError):
            raise
        except AzureError as error:
            raise storage_trouble(error, TABLES) from error

    async def _make(self) -> None:
        if self._there:
            return
        async with self._lock:
            if not self._there:
                await self._service.create_table_if_not_exists(self._name)
                self._there = True
