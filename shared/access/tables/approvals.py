"""Requests for approval as rows: one partition per console, and an index of those that wait.

A request is decided once: the first conditional write on the row's version wins. A crash between two writes may leave
a row of the index behind; it names a request whose own row says that it is decided or expired.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from azure.data.tables.aio import TableClient, TableServiceClient

from shared.access.approval import GOOD_SECONDS, WAITS_SECONDS, Approval, State
from shared.access.rights import Right
from shared.base.ports import Clock, Dependency, Unavailable
from shared.base.tables import Table, console_key, find_row, insert_own, merge_unchanged
from shared.base.vm import VmId

TABLE = "approvals"
MOST = 200
"""Requests that are listed at once."""
WAITING = "waiting"
"""Partition of the index."""
_TRIES = 5


class TableApprovals:
    def __init__(self, service: TableServiceClient, clock: Clock) -> None:
        self._table, self._clock = Table(service, TABLE), clock

    async def add(self, approval: Approval) -> None:
        """Writes the index first: a reader skips an entry without a request, but never sees a request without entry."""
        waiting = {"PartitionKey": WAITING, "RowKey": approval.id, "Vm": approval.vm.resource_id}
        async with self._table.open() as table:
            await table.upsert_entity({**waiting, "AskedAt": approval.asked_at})
            await insert_own(table, _row(approval))

    async def find(self, vm: VmId, approval: str) -> Approval | None:
        async with self._table.open() as table:
            row = await find_row(table, console_key(vm), approval)
        return _approval(row) if row else None

    async def of(self, vm: VmId, subject: str) -> Sequence[Approval]:
        query = "PartitionKey eq @partition and Subject eq @subject and AskedAt gt @since"
        since = self._clock.now() - WAITS_SECONDS - GOOD_SECONDS
        parameters = {"partition": console_key(vm), "subject": subject, "since": since}
        async with self._table.open() as table:
            mine = [_approval(row) async for row in table.query_entities(query, parameters=parameters)]
        return sorted(mine, key=lambda each: each.asked_at, reverse=True)

    async def pending(self) -> Sequence[Approval]:
        query = "PartitionKey eq @partition and AskedAt gt @since"  # what is older has expired, whoever left it here
        parameters = {"partition": WAITING, "since": self._clock.now() - WAITS_SECONDS}
        async with self._table.open() as table:
            listed = [row async for row in table.query_entities(query, parameters=parameters)]
        oldest = sorted(listed, key=lambda row: float(row["AskedAt"]))[:MOST]
        rows = await asyncio.gather(*(self.find(VmId.parse(row["Vm"]), row["RowKey"]) for row in oldest))
        return [each for each in rows if each and each.at(self._clock.now()).state is State.PENDING]

    async def settle(self, decided: Approval) -> Approval:
        """Stores a decision, unless the request was decided before. Returns the request as it is now.

        Raises Unavailable.
        """
        async with self._table.open() as table:
            for _ in range(_TRIES):
                row = await find_row(table, console_key(decided.vm), decided.id)
                if row is None:
                    raise Unavailable(Dependency.STORAGE_TABLES, "a request for approval is not there any more")
                if row["State"] != State.PENDING or await merge_unchanged(table, row, _row(decided)):
                    await _unlist(table, decided.id)
                    return _approval(row) if row["State"] != State.PENDING else decided
        raise Unavailable(Dependency.STORAGE_TABLES, "a request's row changes all the time")


async def _unlist(table: TableClient, approval: str) -> None:
    await table.delete_entity(WAITING, approval)


def _row(approval: Approval) -> dict[str, Any]:
    row = {
        "PartitionKey": console_key(approval.vm),
        "RowKey": approval.id,
        "Vm": approval.vm.resource_id,
        "Right": approval.right.value,
        "Subject": approval.subject,
        "Name": approval.name,
        "Reason": approval.reason,
        "AskedAt": approval.asked_at,
        "WaitsUntil": approval.waits_until,
        "GoodSeconds": float(approval.good_seconds),
        "State": approval.state.value,
        "DecidedBy": approval.decided_by,
        "Decider": approval.decider,
        "DecidedAt": approval.decided_at,
        "Comment": approval.comment,
    }
    return {name: value for name, value in row.items() if value is not None}


def _approval(row: Mapping[str, Any]) -> Approval:
    return Approval(
        id=row["RowKey"],
        vm=VmId.parse(row["Vm"]),
        right=Right(row["Right"]),
        subject=row["Subject"],
        name=row["Name"],
        reason=row["Reason"],
        asked_at=float(row["AskedAt"]),
        waits_until=float(row["WaitsUntil"]),
        good_seconds=float(row["GoodSeconds"]),
        state=State(row["State"]),
        decided_by=row.get("DecidedBy"),
        decider=row.get("Decider"),
        decided_at=row.get("DecidedAt"),
        comment=row.get("Comment"),
    )
