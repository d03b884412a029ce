"""The policies that were set through the API: one row per scope, the policy as JSON.

Heartbeats need the policies of hundreds of consoles every few seconds, so the whole table, which is short, is read at
most once in two seconds and cached. An older copy is never used: if the table cannot be read, Unavailable is raised.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableServiceClient

from shared.access.policy import Level, Policy, Scope, scopes_of
from shared.access.policy_codec import InvalidPolicy, policy_from_json, policy_to_json
from shared.access.ports import StoredPolicy
from shared.base.in_time import in_time
from shared.base.ports import Clock, Dependency, Unavailable
from shared.base.storage_troubles import TABLES
from shared.base.tables import Table, key_of
from shared.base.ttl_cache import TtlCache
from shared.base.vm import VmId

TABLE = "policies"
FRESH_SECONDS = 2.0
_PARTITION = "policy"


class TablePolicies:
    def __init__(self, service: TableServiceClient, settings: Sequence[Level], clock: Clock) -> None:
        """`settings`: policies of the settings. They apply whatever is set through the API, and come first."""
        self._table, self._settings = Table(service, TABLE), tuple(settings)
        self._cache: TtlCache[Mapping[str, Policy | None]] = TtlCache(FRESH_SECONDS, clock)

    async def over(self, vm: VmId) -> Sequence[Level]:
        stored = await self._stored()
        levels: list[Level] = []
        for scope in scopes_of(vm):
            levels += (level for level in self._settings if level.scope == scope)
            if scope in stored:
                levels.append(Level(scope, _readable(stored[scope], scope)))
        return levels

    async def _stored(self) -> Mapping[str, Policy | None]:
        """Returns the policies by scope. Many requests share one read; each waits no longer than its own limit."""
        async with in_time(TABLES):
            return await self._cache.get(TABLE, self._read)

    async def captured(self) -> Sequence[VmId]:
        stored = await self._stored()
        scopes = [level.scope for level in self._settings if level.policy.capture]
        scopes += [scope for scope, policy in stored.items() if policy is not None and policy.capture]
        return [vm for scope in dict.fromkeys(scopes) if (vm := Scope.parse(scope).vm) is not None]

    async def find(self, scope: Scope) -> StoredPolicy | None:
        async with self._table.open() as table:
            try:
                row = await table.get_entity(_PARTITION, key_of(scope.text))
            except ResourceNotFoundError:
                return None
        policy = _readable(_policy(row), scope.text)
        return StoredPolicy(policy, row["SetBy"], float(row["SetAt"]), str(row.metadata["etag"]))

    async def set(
        self, scope: Scope, policy: Policy, by: str, at: float, *, version: str | None
    ) -> StoredPolicy | None:
        text = json.dumps(policy_to_json(policy), ensure_ascii=False)
        row = {"PartitionKey": _PARTITION, "RowKey": key_of(scope.text), "Policy": text, "SetBy": by, "SetAt": at}
        row["Mark"] = secrets.token_hex(16)
        try:
            metadata = await self._write(row, version)
        except (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError):
            return await self._written_before(row, policy)
        finally:
            self._cache.forget(TABLE)
        return StoredPolicy(policy, by, at, metadata["etag"])

    async def _written_before(self, row: Mapping[str, Any], policy: Policy) -> StoredPolicy | None:
        """Returns the policy if this write stored it: the SDK sends a write again if its answer was lost.

        None if another write came first.
        """
        async with self._table.open() as table:
            try:
                stored = await table.get_entity(row["PartitionKey"], row["RowKey"])
            except ResourceNotFoundError:
                return None
        if stored.get("Mark") != row["Mark"]:
            return None
        return StoredPolicy(policy, row["SetBy"], row["SetAt"], str(stored.metadata["etag"]))

    async def _write(self, row: dict[str, Any], version: str | None) -> Mapping[str, Any]:
        async with self._table.open() as table:
            if version is None:
                return await table.upsert_entity(row, UpdateMode.REPLACE)
            if not version:
                return await table.create_entity(row)
            condition = MatchConditions.IfNotModified
            return await table.update_entity(row, UpdateMode.REPLACE, etag=version, match_condition=condition)

    async def clear(self, scope: Scope) -> None:
        try:
            async with self._table.open() as table:
                await table.delete_entity(_PARTITION, key_of(scope.text))
        finally:
            self._cache.forget(TABLE)

    async def _read(self) -> Mapping[str, Policy | None]:
        async with self._table.open() as table:
            rows = table.query_entities("PartitionKey eq @partition", parameters={"partition": _PARTITION})
            return {_scope(row["RowKey"]): _policy(row) async for row in rows}


def _scope(key: str) -> str:
    return key.replace("|", "/")


def _policy(row: Mapping[str, Any]) -> Policy | None:
    """Returns the policy of a row; None if it cannot be read."""
    try:
        return policy_from_json(json.loads(row["Policy"]))
    except (InvalidPolicy, ValueError):
        return None


def _readable(policy: Policy | None, scope: str) -> Policy:
    """Raises Unavailable for a policy that cannot be read. Newer software set it, and its demands are not known; so it
    closes its own scope, and no other.
    """
    if policy is None:
        raise Unavailable(Dependency.STORAGE_TABLES, f"the policy of {scope} cannot be read")
    return policy
