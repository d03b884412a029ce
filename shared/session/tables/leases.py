"""The last heartbeat of each relay, one row per relay: its time, and the sessions of its writers."""

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableServiceClient

from shared.base.tables import Table
from shared.session.lock import Lease

TABLE = "relayleases"
COLUMN_BYTES = 60 * 1024
"""A column holds 64 KiB, a row 1 MiB: room for some 40,000 sessions, ten times what a heartbeat may name."""
_ROW = "heartbeat"
_SESSIONS = "Sessions"


class TableLeases:
    def __init__(self, service: TableServiceClient) -> None:
        self._table = Table(service, TABLE)

    async def renew(self, relay: str, lease: Lease) -> None:
        """Writes the lease unconditionally: a relay's name belongs to the one process that holds its spool."""
        sessions = " ".join(sorted(lease.sessions)).encode()
        columns = {
            f"{_SESSIONS}{number}": sessions[at : at + COLUMN_BYTES]
            for number, at in enumerate(range(0, len(sessions), COLUMN_BYTES))
        }
        row = {"PartitionKey": relay, "RowKey": _ROW, "At": lease.at, "Columns": len(columns), **columns}
        async with self._table.open() as table:
            await table.upsert_entity(row, UpdateMode.REPLACE)

    async def of(self, relay: str) -> Lease | None:
        async with self._table.open() as table:
            try:
                row = await table.get_entity(relay, _ROW)
            except ResourceNotFoundError:
                return None
        sessions = b"".join(bytes(row[f"{_SESSIONS}{number}"]) for number in range(int(row["Columns"])))
        return Lease(float(row["At"]), frozenset(sessions.decode().split()))
