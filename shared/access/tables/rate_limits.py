"""Rate limits over all instances of the service: one row per key with one number, written conditionally.

Each process caches the rows that it wrote, so the common case is one conditional write. A stale copy costs one read.
"""

import asyncio
import hashlib
import random
from collections import OrderedDict
from dataclasses import dataclass
from weakref import WeakValueDictionary

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient, TableServiceClient

from shared.access import rate_limit as rules
from shared.access.rate_limit import RateLimit
from shared.base.ports import Clock
from shared.base.tables import Table

TABLE = "paces"
CONTENDED_SECONDS = 1.0
"""Wait of a request that loses every race: so many writes of one row are a flood by themselves."""
_TRIES = 6
_KEPT = 4096
_PAUSE_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class _Row:
    due: float
    etag: str


class TableRateLimits:
    def __init__(self, service: TableServiceClient, clock: Clock) -> None:
        self._table, self._clock = Table(service, TABLE), clock
        self._known_rows: OrderedDict[str, _Row] = OrderedDict()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """Requests of this process for one key run one after another, so only other processes can race."""

    async def take(self, key: str, pace: RateLimit) -> float:
        row_key = hashlib.sha256(key.encode()).hexdigest()
        turn = self._turns.setdefault(row_key, asyncio.Lock())
        async with self._table.open() as table, turn:  # this also bounds the wait for the lock
            for attempt in range(_TRIES):
                row = self._known_rows.get(row_key) or await _read(table, row_key)
                due, wait = rules.take(row.due if row else 0.0, pace, self._clock.now())
                if wait:  # a cached row is good enough here: other processes can only have made the wait longer
                    return wait
                if await self._write(table, row_key, due, row):
                    return 0.0
                await asyncio.sleep(random.uniform(0, _PAUSE_SECONDS * 2**attempt))  # noqa: S311 - spreads rivals
        return CONTENDED_SECONDS

    async def _write(self, table: TableClient, key: str, due: float, row: _Row | None) -> bool:
        entity = {"PartitionKey": key[:2], "RowKey": key, "Due": due}
        condition = MatchConditions.IfNotModified
        try:
            if row is None:
                metadata = await table.create_entity(entity)
            else:
                metadata = await table.update_entity(
                    entity, UpdateMode.REPLACE, etag=row.etag, match_condition=condition
                )
        except (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError):
            self._known_rows.pop(key, None)
            return False
        self._known_rows[key] = _Row(due, str(metadata["etag"]))
        self._known_rows.move_to_end(key)
        while len(self._known_rows) > _KEPT:
            self._known_rows.popitem(last=False)
        return True


async def _read(table: TableClient, key: str) -> _Row | None:
    try:
        row = await table.get_entity(key[:2], key)
    except ResourceNotFoundError:
        return None
    return _Row(float(row["Due"]), str(row.metadata["etag"]))
