"""Reads Azure's constraints on a VM's console: locks, Azure's own switches, the boot-diagnostics account.

All are read with the service's own identity, which needs the role `looks` (docs/identities.md), and cached for some
seconds. The identity may lack the right to read Azure's own switches. A switch that it cannot read counts as on; Azure
itself then refuses.
"""

import asyncio
from collections.abc import AsyncIterator, Container, Sequence
from contextlib import asynccontextmanager
from typing import Any

from azure.core.exceptions import HttpResponseError

from shared.access.azure.arm_clients import ArmAccess, as_the_service, asking_arm
from shared.access.checks import AzureConstraints
from shared.access.diagnostics_account import DiagnosticsAccount, NoDiagnosticsAccount
from shared.base.azure_troubles import REASONED
from shared.base.in_time import in_time
from shared.base.ports import Clock, Dependency, Trouble, Unavailable
from shared.base.ttl_cache import TtlCache
from shared.base.vm import VmId

_LOCKS = "2020-05-01"
_CONSOLE = "2023-01-01"
_STORAGE = "2024-01-01"
_COMPUTE = "2024-07-01"
_ACCOUNTS = "Microsoft.Storage/storageAccounts"
_NOT_FOUND = 404
_UNKNOWN = (403, _NOT_FOUND)
_NOTHING_OF_OURS = ("SubscriptionNotFound", "InvalidSubscriptionId")


class ArmConstraints:
    def __init__(self, access: ArmAccess, subscriptions: Sequence[str], cache_seconds: float, clock: Clock) -> None:
        """`subscriptions`: those that are served. A VM's account may be in another one than the VM."""
        self._access, self._subscriptions = access, tuple(subscriptions)
        self._locks: TtlCache[str | None] = TtlCache(cache_seconds, clock)
        self._switches: TtlCache[bool] = TtlCache(cache_seconds, clock)
        self._accounts: TtlCache[DiagnosticsAccount | NoDiagnosticsAccount] = TtlCache(cache_seconds, clock)

    async def of(self, vm: VmId, *, fresh: bool = False) -> AzureConstraints:
        async with in_time(Dependency.ARM):
            lock, subscription, port = await asyncio.gather(
                self._locks.get(vm.console, lambda: self._lock(vm), fresh=fresh),
                self._switches.get(vm.subscription.lower(), lambda: self._subscription(vm), fresh=fresh),
                self._switches.get(vm.console, lambda: self._port(vm), fresh=fresh),
            )
        return AzureConstraints(lock, subscription, port)

    async def account(self, name: str, near: VmId, *, fresh: bool = False) -> DiagnosticsAccount | NoDiagnosticsAccount:
        key = name, near.subscription.lower()
        async with in_time(Dependency.ARM):
            return await self._accounts.get(key, lambda: self._account(name, near), fresh=fresh)

    async def remains(self, vm: VmId) -> str | None:
        try:
            async with asking_arm(), as_the_service():
                await self._access.service.ask(vm.resource_id, _COMPUTE)
        except HttpResponseError as error:
            code = error.error.code if error.error else None
            if error.status_code != _NOT_FOUND or code in _NOTHING_OF_OURS:
                return None
            return vm.subscription_id if code == "ResourceGroupNotFound" else vm.group_id
        return None

    async def _lock(self, vm: VmId) -> str | None:
        """Returns the name of a read-only lock. A VM that does not exist has none; another call finds that out."""
        path = f"{vm.resource_id}/providers/Microsoft.Authorization/locks"
        async with _asking() as question:
            locks = await self._access.service.ask_all(path, _LOCKS, **{"$filter": "atScope()"})
            question.answer = next((lock["name"] for lock in locks if lock["properties"]["level"] == "ReadOnly"), None)
        return question.answer and str(question.answer)

    async def _subscription(self, vm: VmId) -> bool:
        path = f"{vm.subscription_id}/providers/Microsoft.SerialConsole/consoleServices/default"
        async with _asking(_UNKNOWN) as question:
            question.answer = (await self._access.service.ask(path, _CONSOLE))["properties"]["disabled"]
        return not question.answer

    async def _port(self, vm: VmId) -> bool:
        path = f"{vm.resource_id}/providers/Microsoft.SerialConsole/serialPorts/0"
        async with _asking(_UNKNOWN) as question:
            question.answer = (await self._access.service.ask(path, _CONSOLE))["properties"]["state"]
        return bool(question.answer != "disabled")

    async def _account(self, name: str, near: VmId) -> DiagnosticsAccount | NoDiagnosticsAccount:
        for subscription in dict.fromkeys((near.subscription.lower(), *map(str.lower, self._subscriptions))):
            for account in await self._listed(subscription):
                if account.name.lower() == name:
                    return account
        return NoDiagnosticsAccount.DELETED if await self._available(name, near) else NoDiagnosticsAccount.UNSEEN

    async def _listed(self, subscription: str) -> list[DiagnosticsAccount]:
        """Lists the accounts of a subscription; none if it does not exist or the service may not read it. `_available`
        then checks if the name is taken.
        """
        async with _asking(nothing=REASONED) as question:
            path = f"/subscriptions/{subscription}/providers/{_ACCOUNTS}"
            question.answer = [_account(each) for each in await self._access.service.ask_all(path, _STORAGE)]
        return question.answer or []

    async def _available(self, name: str, near: VmId) -> bool:
        """Returns True if no account has this name: names of storage accounts are unique in all of Azure."""
        path = f"/subscriptions/{near.subscription}/providers/Microsoft.Storage/checkNameAvailability"
        async with _asking() as question:
            question.answer = await self._access.service.ask(path, _STORAGE, {"name": name, "type": _ACCOUNTS})
        return bool(question.answer and question.answer["nameAvailable"])


def _account(document: Any) -> DiagnosticsAccount:
    """Reads an account. If `allowSharedKeyAccess` is not set, keys are allowed (Microsoft.Storage's REST reference)."""
    properties = document.get("properties") or {}
    keyless, hierarchical = properties.get("allowSharedKeyAccess") is False, properties.get("isHnsEnabled") is True
    return DiagnosticsAccount(document["id"], document["name"], _firewalled(properties), keyless, hierarchical)


def _firewalled(properties: Any) -> bool:
    """Returns True if the network rules deny everything. Rules with exceptions may have those that the serial console
    needs, which differ by region and over time: only `connect` shows it.
    """
    rules = properties.get("networkAcls") or {}
    closed = rules.get("defaultAction") == "Deny" and not rules.get("ipRules")
    return bool(closed) or properties.get("publicNetworkAccess") == "Disabled"


class _Question:
    answer: Any = None


@asynccontextmanager
async def _asking(nothing: Container[int] = (_NOT_FOUND,)) -> AsyncIterator[_Question]:
    """Bounds a call. A refusal with a status in `nothing` leaves the answer None; every other refusal of the service
    raises Unavailable.
    """
    question = _Question()
    try:
        async with asking_arm(), as_the_service():
            yield question
    except HttpResponseError as error:
        if error.status_code not in nothing:
            why = "refused the service's own identity: it needs the role that is called looks"
            raise Unavailable(Dependency.ARM, why, Trouble.FORBIDDEN) from error
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise Unavailable(Dependency.ARM, "its answer cannot be read") from error
