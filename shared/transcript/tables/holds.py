"""Legal holds: a row per console. It is never kept in memory: each deletion asks again."""

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableServiceClient

from shared.base.tables import Table, key_of
from shared.transcript.ports import Hold

TABLE = "holds"
_PARTITION = "hold"


class TableHolds:
    """A Holds."""

    def __init__(self, service: TableServiceClient) -> None:
        self._table = Table(service, TABLE)

    async def find(self, console: str) -> Hold | None:
        async with self._table.open() as table:
            try:
                row = await table.get_entity(_PARTITION, key_of(console))
            except ResourceNotFoundError:
                return None
        return Hold(row["By"], float(row["Since"]), row["Why"])

    async def place(self, console: str, hold: Hold) -> None:
        row = {
            "PartitionKey": _PARTITION,
            "RowKey": key_of(console),
            "By": hold.by,
            "Since": hold.since,
            "Why": hold.why,
        }
        async with self._table.open() as table:
            await table.upsert_entity(row, UpdateMode.REPLACE)

    async def lift(self, console: str) -> None:
        async with self._table.open() as table:
            try:
                await table.delete_entity(_PARTITION, key_of(console))
            except ResourceNotFoundError:
                return
