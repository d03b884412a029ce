"""The ids of used session tokens: one insert each, which succeeds once."""

import secrets

from azure.core.exceptions import ResourceExistsError
from azure.data.tables.aio import TableServiceClient

from shared.base.tables import Table

TABLE = "burnttokens"


class TableUsedTokens:
    def __init__(self, service: TableServiceClient) -> None:
        self._table = Table(service, TABLE)

    async def burn(self, token_id: str, expires_at: int) -> bool:
        """Marks a token as used. Partitions by the id's first two characters spread inserts. Raises Unavailable."""
        mark = secrets.token_hex(16)
        row = {"PartitionKey": token_id[:2], "RowKey": token_id, "ExpiresAt": expires_at, "Mark": mark}
        async with self._table.open() as table:
            try:
                await table.create_entity(row)
            except ResourceExistsError:  # another insert came first, or the SDK sent this one twice
                return bool((await table.get_entity(token_id[:2], token_id)).get("Mark") == mark)
            return True
