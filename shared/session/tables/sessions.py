"""The index of sessions: one row each, one partition per console; and a list of the live ones in a table of its own.

The list holds only ids. A row that a crash left behind names a session that does not exist, or whose own row says that
it has ended.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from azure.data.tables.aio import TableServiceClient

from shared.access.policy import Scope
from shared.base.ports import Dependency, Unavailable
from shared.base.tables import Table, console_key, find_row, insert_own, key_of, merge_unchanged
from shared.base.vm import Os, VmId
from shared.session.grant import Mode
from shared.session.ports import Session

TABLE = "sessions"
LIVE = "livesessions"
_AT_ONCE = 16
_TRIES = 5

type _Row = Mapping[str, Any]


class TableSessions:
    def __init__(self, service: TableServiceClient) -> None:
        self._table, self._live = Table(service, TABLE), Table(service, LIVE)

    async def add(self, session: Session) -> None:
        """Writes both rows at the same time; the caller returns the session only after both are written."""
        await asyncio.gather(self._add(session), self._list(session))

    async def _add(self, session: Session) -> None:
        async with self._table.open() as table:
            await insert_own(table, _row(session))

    async def _list(self, session: Session) -> None:
        keys = {"PartitionKey": console_key(session.vm), "RowKey": session.id}
        async with self._live.open() as live:
            await live.upsert_entity({**keys, "Vm": session.vm.resource_id, "RequestedAt": session.requested_at})

    async def find(self, vm: VmId, session: str) -> Session | None:
        async with self._table.open() as table:
            row = await find_row(table, console_key(vm), session)
        return _session(vm, row) if row else None

    async def attached(self, vm: VmId, session: str) -> None:
        await self._change(vm, session, lambda row: {"State": "attached"} if row["State"] == "requested" else None)

    async def ended(self, vm: VmId, session: str, at: float, by: str) -> None:
        end = {"State": "ended", "EndedAt": at, "EndedBy": by}
        await self._change(vm, session, lambda row: end if row["State"] != "ended" else None)
        with suppress(Unavailable):  # the next call of `live` removes it
            await self._unlist(vm, session)

    async def _unlist(self, vm: VmId, session: str) -> None:
        async with self._live.open() as live:
            await live.delete_entity(console_key(vm), session)

    async def live(self, scope: Scope, since: float) -> Sequence[Session]:
        gate = asyncio.Semaphore(_AT_ONCE)
        listed = await self._listed(scope, since)
        sessions = await asyncio.gather(*(self._still(vm, session, gate) for vm, session in listed))
        return [session for session in sessions if session]

    async def _still(self, vm: VmId, session: str, gate: asyncio.Semaphore) -> Session | None:
        async with gate:
            stored = await self.find(vm, session)
            if stored and stored.state == "ended":
                await self._unlist(vm, session)
                return None
            return stored

    async def _listed(self, scope: Scope, since: float) -> Sequence[tuple[VmId, str]]:
        """Lists the sessions of a scope. Its partitions are those whose key is the scope, or the scope and a bar and
        more.
        """
        start = key_of(scope.text.strip("/"))
        query = "RequestedAt gt @since"
        if start:
            query += " and ( PartitionKey eq @start or ( PartitionKey ge @low and PartitionKey lt @high ) )"
        parameters = {"since": since, "start": start, "low": f"{start}|", "high": f"{start}}}"}
        async with self._live.open() as live:
            rows = live.query_entities(query, parameters=parameters)
            return [(VmId.parse(row["Vm"]), row["RowKey"]) async for row in rows]

    async def _change(self, vm: VmId, session: str, change: Callable[[_Row], dict[str, Any] | None]) -> None:
        """Merges what `change` returns for the current row, unless it is None or the row is missing.

        Raises Unavailable.
        """
        async with self._table.open() as table:
            for _ in range(_TRIES):
                row = await find_row(table, console_key(vm), session)
                changed = change(row) if row else None
                if row is None or changed is None or await merge_unchanged(table, row, changed):
                    return
        raise Unavailable(Dependency.STORAGE_TABLES, "a session's row changes all the time")


def _row(session: Session) -> dict[str, Any]:
    row = {
        "PartitionKey": console_key(session.vm),
        "RowKey": session.id,
        "Vm": session.vm.resource_id,
        "Subject": session.subject,
        "Name": session.name,
        "Mode": session.mode.value,
        "Generation": session.generation,
        "RequestedAt": session.requested_at,
        "Relay": session.relay,
        "Reason": session.reason,
        "Os": session.os and session.os.value,
        "State": session.state,
        "EndedAt": session.ended_at,
        "EndedBy": session.ended_by,
    }
    return {name: value for name, value in row.items() if value is not None}


def _session(vm: VmId, row: _Row) -> Session:
    return Session(
        id=row["RowKey"],
        vm=vm,
        subject=row["Subject"],
        name=row["Name"],
        mode=Mode(row["Mode"]),
        generation=int(row["Generation"]),
        requested_at=float(row["RequestedAt"]),
        relay=row["Relay"],
        reason=row.get("Reason"),
        os=Os(row["Os"]) if row.get("Os") else None,
        state=row["State"],
        ended_at=row.get("EndedAt"),
        ended_by=row.get("EndedBy"),
    )
