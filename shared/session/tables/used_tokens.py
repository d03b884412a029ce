"""Ids of session tokens that were used: one insert each, which succeeds once."""

import secrets

from azure.core.exceptions import ResourceExistsError
from azure.data.tables.aio import TableServiceClient

from shared.base.tables import Table

TABLE = "burnttokens"


class TableUsedTokens:
    def __init__(self, service: TableServiceClient) -> None:
        self._table = Table(service, TABLE)

    async def burn(self, token_id: str, expires_at: int) -> bool:
        """Partitioned by the id's first two characters, so that no partition takes all inserts. Raises Unavailable."""
        mark = secrets.token_hex(16)
        row = {"PartitionKey": token_id[:2], "RowKey": token_id, "ExpiresAt": expires_at, "Mark": mark}
        async with self._table.open() as table:
            try:
                await table.create_entity(row)
            except ResourceExistsError:  # by somebody else, or by this very insert, which the SDK sent twice
                return bool((await table.get_entity(token_id[:2], token_id)).get("Mark") == mark)
            return True
