"""Notices for relays about sessions that have ended: a partition per relay, read with each of its heartbeats."""

from collections.abc import Collection, Sequence

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableServiceClient

from shared.base.refusals import Code
from shared.base.tables import Table
from shared.session.ports import Notice

TABLE = "relaynotices"
MOST = 5000
"""Notices that one heartbeat reads; the others follow after these are dropped."""


class TableNotices:
    def __init__(self, service: TableServiceClient) -> None:
        self._table = Table(service, TABLE)

    async def add(self, relay: str, notice: Notice) -> None:
        row = {
            "PartitionKey": relay, "RowKey": notice.session,
            "Code": notice.code.value, "By": notice.by, "At": notice.at,
        }  # fmt: skip
        async with self._table.open() as table:
            await table.upsert_entity(row, UpdateMode.REPLACE)

    async def of(self, relay: str) -> Sequence[Notice]:
        async with self._table.open() as table:
            rows = table.query_entities("PartitionKey eq @relay", parameters={"relay": relay})
            notices: list[Notice] = []
            async for row in rows:
                notices.append(Notice(row["RowKey"], _code(row["Code"]), row["By"], float(row["At"])))
                if len(notices) >= MOST:
                    break
            return notices

    async def drop(self, relay: str, sessions: Collection[str]) -> None:
        async with self._table.open() as table:
            for session in sessions:
                try:
                    await table.delete_entity(relay, session)
                except ResourceNotFoundError:
                    continue


def _code(stored: str) -> Code:
    """Reads a code. One that only a newer function app knows becomes SESSION_ENDED: it ends a session as well."""
    try:
        return Code(stored)
    except ValueError:
        return Code.SESSION_ENDED
