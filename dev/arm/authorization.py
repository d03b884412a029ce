"""Microsoft.Authorization: permissions of the caller, assignments of anybody, definitions of roles.

Source: https://learn.microsoft.com/rest/api/authorization/
"""

import re
import uuid
from typing import Any

from starlette.responses import JSONResponse, Response

from dev.arm.paging import page
from dev.arm.refusals import RefusedError, authorization_failed, invalid_request
from dev.arm.rights import is_within
from dev.arm.roles import BUILT_IN, Role
from dev.arm.routing import Call, Route
from dev.arm.world import Denial, Lock, subscription_scope
from dev.demo import Assignment

_HERE = "[{at*}]/providers/Microsoft.Authorization"
_FILTER = re.compile(
    r"(?P<at>atScope\(\))?( and )?(assignedTo\('(?P<assigned>[^']+)'\)|principalId eq '(?P<principal>[^']+)')?"
)


async def _permissions(call: Call) -> Response:
    """List what the caller may at this scope, one entry per role that reaches it.

    That denials are left out, and that of what does not exist it is answered alike, is believed: docs/fidelity.md, A5.
    """
    scope = call.parts["scope"]
    roles = call.world.roles_of(call.caller.oid, scope)
    if not roles:
        action = "Microsoft.Authorization/permissions/read"
        raise authorization_failed(call.caller.name, call.caller.oid, action, scope)
    return page(call, [_permission(role, one.condition) for role, one in roles])


async def _assignments(call: Call) -> Response:
    """List assignments at, above and below the scope; `atScope()` leaves out those below.

    Source: $filter of RoleAssignments_ListForScope (Azure/azure-rest-api-specs, authorization 2022-04-01);
    `assignedTo` with groups, transitively: learn.microsoft.com, role-based-access-control/role-assignments-list-rest.
    """
    asked = call.request.query_params.get("$filter", "")
    found = _FILTER.fullmatch(asked)
    if found is None:
        raise invalid_request(f"The filter '{asked}' is not supported.")
    scope, principal = call.parts["scope"], found["assigned"] or found["principal"]
    above = [one for one in call.world.assignments if is_within(scope, one.scope)]
    below = [one for one in call.world.assignments if one not in above and is_within(one.scope, scope)]
    listed = above if found["at"] else above + below
    mine = call.world.principals(principal) if found["assigned"] else {principal}
    return page(call, [_assignment(one) for one in listed if principal is None or one.principal in mine])


async def _definition(call: Call) -> Response:
    role = call.world.known_roles.get(call.parts["role"].lower())
    if role is None:
        text = f"The specified role definition with ID '{call.parts['role']}' does not exist."
        raise RefusedError(404, "RoleDefinitionDoesNotExist", text)
    return JSONResponse(_role(role))


async def _definitions(call: Call) -> Response:
    wanted = re.fullmatch(r"roleName eq '([^']+)'", call.request.query_params.get("$filter", ""))
    roles = call.world.known_roles.values()
    return page(call, [_role(role) for role in roles if wanted is None or role.name == wanted[1]])


async def _denials(call: Call) -> Response:
    """List the deny assignments at, above and below the scope, of a principal and its groups where one is named;
    `atScope()` leaves out those below.

    Source: MicrosoftDocs/azure-docs, role-based-access-control/deny-assignments (REST, the table of filters).
    """
    found = _FILTER.fullmatch(call.request.query_params.get("$filter", ""))
    if found is None:
        raise invalid_request("The filter is not supported.")
    scope, oid = call.parts["scope"], found["assigned"]
    mine = call.world.principals(oid) if oid else None
    listed = [
        one
        for one in call.world.denials
        if (one.reaches(scope) or (not found["at"] and is_within(one.scope, scope)))
        and (mine is None or mine & {*one.principals})
    ]
    return page(call, [_denial(one) for one in listed])


async def _locks(call: Call) -> Response:
    """List the locks at the scope and above it."""
    return page(call, [_lock(one) for one in call.world.locks if is_within(call.parts["scope"], one.scope)])


def _permission(role: Role, condition: str | None = None) -> dict[str, Any]:
    return {
        "actions": list(role.actions),
        "notActions": list(role.not_actions),
        "dataActions": [],
        "notDataActions": [],
        **({"condition": condition, "conditionVersion": "2.0"} if condition else {}),
    }


def _denial(one: Denial) -> dict[str, Any]:
    name = str(uuid.uuid5(uuid.NAMESPACE_URL, repr(one)))
    return {
        "id": f"{one.scope}/providers/Microsoft.Authorization/denyAssignments/{name}",
        "name": name,
        "type": "Microsoft.Authorization/denyAssignments",
        "properties": {
            "denyAssignmentName": name,
            "permissions": [{"actions": list(one.actions), "notActions": list(one.not_actions)}],
            "scope": one.scope,
            "doNotApplyToChildScopes": one.only_this_scope,
            "principals": [{"id": each, "type": "User"} for each in one.principals],
            "excludePrincipals": [{"id": each, "type": "User"} for each in one.excluded],
            "isSystemProtected": True,
        },
    }


def _lock(one: Lock) -> dict[str, Any]:
    return {
        "id": f"{one.scope}/providers/Microsoft.Authorization/locks/{one.name}",
        "name": one.name,
        "type": "Microsoft.Authorization/locks",
        "properties": {"level": one.level},
    }


def _assignment(one: Assignment) -> dict[str, Any]:
    name = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{one.principal} {one.role} {one.scope}"))
    return {
        "id": f"{one.scope}/providers/Microsoft.Authorization/roleAssignments/{name}",
        "name": name,
        "type": "Microsoft.Authorization/roleAssignments",
        "properties": {
            "roleDefinitionId": f"{subscription_scope()}{_definition_path(one.role)}",
            "principalId": one.principal,
            "principalType": "User",
            "scope": one.scope,
            "condition": one.condition,
        },
    }


def _role(role: Role) -> dict[str, Any]:
    return {
        "id": f"{subscription_scope()}{_definition_path(role.id)}",
        "name": role.id,
        "type": "Microsoft.Authorization/roleDefinitions",
        "properties": {
            "roleName": role.name,
            "description": role.about,
            "type": "BuiltInRole" if role in BUILT_IN else "CustomRole",
            "permissions": [_permission(role)],
            "assignableScopes": ["/"],
        },
    }


def _definition_path(role: str) -> str:
    return f"/providers/Microsoft.Authorization/roleDefinitions/{role}"


ROUTES = [
    Route("GET", f"{_HERE}/permissions", None, _permissions),
    Route("GET", f"{_HERE}/roleAssignments", "Microsoft.Authorization/roleAssignments/read", _assignments),
    # Built-in roles are public knowledge; everybody in the tenant may read them.
    Route("GET", f"{_HERE}/roleDefinitions", None, _definitions),
    Route("GET", f"{_HERE}/roleDefinitions/{{role}}", None, _definition),
    Route("GET", f"{_HERE}/denyAssignments", "Microsoft.Authorization/denyAssignments/read", _denials),
    Route("GET", f"{_HERE}/locks", "Microsoft.Authorization/locks/read", _locks),
]
