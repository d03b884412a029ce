"""Who read what of a transcript: a row per read, newest first."""

import secrets
from collections.abc import Sequence

from azure.data.tables.aio import TableServiceClient

from shared.base.tables import Table, insert_own, key_of
from shared.transcript.ports import Read

TABLE = "reads"
_END_US = 10**17
"""Rows sort rising; what is left until then falls."""


class TableReads:
    """A Reads."""

    def __init__(self, service: TableServiceClient) -> None:
        self._table = Table(service, TABLE)

    async def add(self, console: str, read: Read) -> None:
        left = _END_US - int(read.at * 1e6)
        row = {
            "PartitionKey": key_of(console), "RowKey": f"{left:017d}-{secrets.token_hex(4)}", "At": read.at,
            "Subject": read.subject, "Name": read.name, "What": read.what,
        }  # fmt: skip
        async with self._table.open() as table:
            await insert_own(table, row)

    async def newest(self, console: str, most: int) -> Sequence[Read]:
        reads: list[Read] = []
        async with self._table.open() as table:
            rows = table.query_entities("PartitionKey eq @console", parameters={"console": key_of(console)})
            async for row in rows:
                reads.append(Read(float(row["At"]), row["Subject"], row["Name"], row["What"]))
                if len(reads) >= most:
                    break
        return reads
