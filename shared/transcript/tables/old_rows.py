"""Deletes rows by their age. A pass through a table goes page by page; how far it came is a row of table `upkeep`.

Nothing but age decides, and each deletion is conditional on the row as it was read: a row that somebody writes to
meanwhile stays. So it may be interrupted, and done twice at once, at any moment.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import TableTransactionError, UpdateMode
from azure.data.tables.aio import TableClient, TableServiceClient

from shared.access.tables import approvals, rate_limits
from shared.base.ports import Unavailable
from shared.base.tables import Table
from shared.session.tables import notices, sessions, used_tokens
from shared.transcript.old_rows import Rows
from shared.transcript.ports import RemovedRows
from shared.transcript.tables import reads

TABLE = "upkeep"
_PARTITION = "rows"
_PAGE_ROWS = 1000
_TRANSACTION_ROWS = 100
"""The service takes no more at a time, and those of one partition only."""


@dataclass(frozen=True, slots=True)
class _RowPlace:
    table: str
    time: str
    """The property that is compared."""
    whole: bool = False
    """It is a whole number: the service compares none with a broken one."""
    partition: str | None = None


_PLACES = {
    Rows.USED_TOKENS: _RowPlace(used_tokens.TABLE, "ExpiresAt", whole=True),
    Rows.RATE_LIMITS: _RowPlace(rate_limits.TABLE, "Due"),
    Rows.NOTICES: _RowPlace(notices.TABLE, "At"),
    Rows.LIVE_SESSIONS: _RowPlace(sessions.LIVE, "RequestedAt"),
    Rows.WAITING_APPROVALS: _RowPlace(approvals.TABLE, "AskedAt", partition=approvals.WAITING),
    Rows.SESSIONS: _RowPlace(sessions.TABLE, "RequestedAt"),
    Rows.APPROVALS: _RowPlace(approvals.TABLE, "AskedAt"),
    Rows.READS: _RowPlace(reads.TABLE, "At"),
}


@dataclass(frozen=True, slots=True)
class _Pass:
    """One way through a table: what is asked stays the same, so that a continuation means the same."""

    before: float
    token: Mapping[str, str] | None = None


class TableOldRows:
    """An OldRows."""

    def __init__(self, service: TableServiceClient) -> None:
        self._upkeep = Table(service, TABLE)
        self._tables = {rows: Table(service, place.table) for rows, place in _PLACES.items()}

    async def remove(self, rows: Rows, before: float) -> RemovedRows:
        under_way = await self._resume(rows, before) or _Pass(before)
        try:
            entities, token = await self._read(rows, under_way)
        except Unavailable:
            if under_way.token:
                await self._remember(rows, None)  # should it be the continuation that is refused
            raise
        count = sum([await self._delete(rows, run) for run in _runs(entities)])
        await self._remember(rows, _Pass(under_way.before, token) if token else None)
        return RemovedRows(count, last=token is None)

    async def _read(self, rows: Rows, under_way: _Pass) -> tuple[Sequence[Any], Mapping[str, str] | None]:
        """A page, which may be empty, and where the next begins."""
        place = _PLACES[rows]
        query = f"{place.time} lt @before" + (" and PartitionKey eq @partition" if place.partition else "")
        values = {"before": int(under_way.before) if place.whole else under_way.before, "partition": place.partition}
        async with self._tables[rows].open() as table:
            entities = table.query_entities(query, parameters=values, results_per_page=_PAGE_ROWS)
            token: Any = under_way.token  # a mapping, whatever the library's types say
            pages: Any = entities.by_page(token)
            return [row async for row in await anext(pages)], pages.continuation_token

    async def _delete(self, rows: Rows, run: Sequence[Any]) -> int:
        """Rows of one partition. How many are gone by this."""
        async with self._tables[rows].open() as table:
            try:
                await table.submit_transaction([("delete", row, _unchanged(row)) for row in run])
            except TableTransactionError:  # one of them is gone already, or was written to
                return sum([await _delete_one(table, row) for row in run])
        return len(run)

    async def _resume(self, rows: Rows, before: float) -> _Pass | None:
        """None as well for a pass that would take younger rows than now may go: a clock was ahead as it began, or rows
        are kept for longer since.
        """
        async with self._upkeep.open() as table:
            try:
                row = await table.get_entity(_PARTITION, rows.value)
            except ResourceNotFoundError:
                return None
        under_way = _Pass(float(row["Before"]), json.loads(row["Token"]))
        return under_way if under_way.before <= before else None

    async def _remember(self, rows: Rows, under_way: _Pass | None) -> None:
        async with self._upkeep.open() as table:
            if under_way is None:
                await table.delete_entity(_PARTITION, rows.value)
                return
            row = {"PartitionKey": _PARTITION, "RowKey": rows.value, "Before": under_way.before}
            await table.upsert_entity(row | {"Token": json.dumps(under_way.token)}, UpdateMode.REPLACE)


def _runs(entities: Sequence[Any]) -> Sequence[Sequence[Any]]:
    partitions = defaultdict[str, list[Any]](list)
    for row in entities:
        partitions[row["PartitionKey"]].append(row)
    return [
        each[at : at + _TRANSACTION_ROWS]
        for each in partitions.values()
        for at in range(0, len(each), _TRANSACTION_ROWS)
    ]


def _unchanged(row: Any) -> dict[str, Any]:
    return {"etag": row.metadata["etag"], "match_condition": MatchConditions.IfNotModified}


async def _delete_one(table: TableClient, row: Any) -> int:
    try:
        await table.delete_entity(row, **_unchanged(row))
    except (ResourceNotFoundError, ResourceModifiedError):
        return 0
    return 1
