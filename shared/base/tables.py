"""Azure Table Storage. Each table is created on first use, once; failures become Unavailable."""

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
"""Seconds for a call by work that belongs to no request."""
_RETRIES: dict[str, Any] = {
    "retry_total": 2,
    "retry_backoff_factor": 0.3,
    "retry_backoff_max": 2,
}


def table_service(
    storage: str, credential: AsyncTokenCredential, suffix: str = "core.windows.net"
) -> TableServiceClient:
    """Returns a client. `storage` is a connection string, or the name of an account that the credential opens.

    `suffix` is the cloud's, like core.windows.net.
    """
    if "=" in storage:
        return TableServiceClient.from_connection_string(storage, **_options())
    return TableServiceClient(f"https://{storage}.table.{suffix}", credential=credential, **_options())


def _options() -> dict[str, Any]:
    return {**_RETRIES, "transport": StorageTransport(TABLES)}


def key_of(scope: str) -> str:
    """Returns a console or another scope as a key: keys hold no slash, scopes hold no bar."""
    return scope.replace("/", "|")


def console_key(vm: VmId) -> str:
    """Returns the partition key of a console: ids hold no bar."""
    return key_of(vm.console.strip("/"))


async def find_row(table: TableClient, partition: str, row: str) -> Any:
    """Returns a row; None if it does not exist."""
    try:
        return await table.get_entity(partition, row)
    except ResourceNotFoundError:
        return None


async def merge_unchanged(table: TableClient, row: Any, changed: Mapping[str, Any]) -> bool:
    """Merges `changed` into a row that was read. Returns False if the row was written or deleted since."""
    entity = {**changed, "PartitionKey": row["PartitionKey"], "RowKey": row["RowKey"]}
    try:
        await table.update_entity(
            entity, UpdateMode.MERGE, etag=row.metadata["etag"], match_condition=MatchConditions.IfNotModified
        )
    except (ResourceModifiedError, ResourceNotFoundError):
        return False
    return True


async def insert_own(table: TableClient, row: Mapping[str, Any]) -> None:
    """Inserts a row whose key nobody else can have. An existing row is no error: the SDK sends an insert again if its
    answer was lost, or if it was done although it was reported as timed out.
    """
    with suppress(ResourceExistsError):
        await table.create_entity(row)


class Table:
    """One table, created on first use."""

    def __init__(self, service: TableServiceClient, name: str) -> None:
        self._service, self._name = service, name
        self._client = service.get_table_client(name)
        self._lock = asyncio.Lock()
        self._there = False

    @asynccontextmanager
    async def open(self) -> AsyncIterator[TableClient]:
        """Yields the client, and bounds the work inside by the request's time. Raises Unavailable; errors of conditions
        (exists, not found, modified) pass through.
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
