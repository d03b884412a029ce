"""What a caller may do on a VM, as Azure Resource Manager resolves it (Microsoft.Authorization).

A user asks for themselves: ARM resolves groups, privileged identity management and inheritance. An application's
roles are read with the service's own identity, which needs Reader. Deny assignments are read so for both: the list of
a caller's permissions leaves them out.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from azure.core.exceptions import ClientAuthenticationError, HttpResponseError

from shared.adapters.arm_clients import ArmAccess, asking_arm
from shared.adapters.on_behalf_of import sign_in_refusal
from shared.domain.access import Denial, Permission, missing
from shared.domain.caller import Caller, Kind
from shared.domain.refusals import Refusal
from shared.domain.vm import VmId

_ROLE_SECONDS = 600.0
"""How long a role's definition is kept; definitions change rarely, assignments are always asked."""


class ArmRights:
    def __init__(self, access: ArmAccess) -> None:
        self._access = access
        self._roles: dict[str, tuple[float, Any]] = {}

    async def missing(self, caller: Caller, vm: VmId, actions: Sequence[str]) -> Sequence[str] | Refusal:
        try:
            async with asking_arm():
                granted, denied = await asyncio.gather(self._granted(caller, vm), self._denied(caller, vm))
        except ClientAuthenticationError as error:
            return sign_in_refusal(error)
        except HttpResponseError:
            return tuple(actions)  # who may not even ask has no rights here
        return missing(actions, granted, denied, vm, caller.oid)

    async def _granted(self, caller: Caller, vm: VmId) -> list[Permission]:
        if caller.kind is Kind.APPLICATION:
            return await self._assigned(caller.oid, vm)
        parent = f"virtualMachineScaleSets/{vm.scale_set}" if vm.scale_set else ""
        client = self._access.of(caller).authorization(vm.subscription)
        found = client.permissions.list_for_resource(vm.group, "Microsoft.Compute", parent, "virtualMachines", vm.name)
        return [_permission(each, getattr(each, "condition", None)) async for each in found]

    async def _assigned(self, oid: str, vm: VmId) -> list[Permission]:
        client = self._access.service.authorization(vm.subscription)
        wanted = f"atScope() and assignedTo('{oid}')"
        assignments = [a async for a in client.role_assignments.list_for_scope(vm.resource_id.lstrip("/"), wanted)]
        roles = await asyncio.gather(*(self._role(client, a.role_definition_id) for a in assignments))
        return [
            _permission(each, assignment.condition or getattr(each, "condition", None))
            for assignment, role in zip(assignments, roles, strict=True)
            for each in role.permissions or ()
        ]

    async def _role(self, client: Any, role_id: str) -> Any:
        kept = self._roles.get(role_id.lower())
        if kept is None or time.monotonic() - kept[0] > _ROLE_SECONDS:
            kept = time.monotonic(), await client.role_definitions.get_by_id(role_id)
            self._roles[role_id.lower()] = kept
        return kept[1]

    async def _denied(self, caller: Caller, vm: VmId) -> list[Denial]:
        client = self._access.service.authorization(vm.subscription)
        wanted = f"assignedTo('{caller.oid}')"
        found = client.deny_assignments.list_for_scope(vm.resource_id.lstrip("/"), wanted)
        return [_denial(each) async for each in found]


def _permission(found: Any, condition: str | None) -> Permission:
    return Permission(tuple(found.actions or ()), tuple(found.not_actions or ()), condition)


def _denial(found: Any) -> Denial:
    """A condition on a denial is not kept: unable to evaluate it, we let the denial stand."""
    return Denial(
        tuple(_permission(each, None) for each in found.permissions or ()),
        found.scope or "",
        frozenset(each.id for each in found.exclude_principals or ()),
        only_this_scope=bool(found.do_not_apply_to_child_scopes),
    )
