"""How scopes contain each other and how actions match, by the rules of Azure RBAC.

Source: learn.microsoft.com/azure/role-based-access-control: role-definitions, scope-overview, deny-assignments.
"""

import re
from functools import lru_cache

from dev.arm.roles import Role


def allows(role: Role, action: str) -> bool:
    """Whether a role allows an action. `notActions` subtract inside their own role only: they deny nothing."""
    return matches(role.actions, action) and not matches(role.not_actions, action)


MANAGEMENT_GROUP = "/providers/Microsoft.Management/managementGroups/contoso"
"""Above every subscription here. Source of its form and place: learn.microsoft.com, role-based-access-control,
scope-overview."""


def is_within(scope: str, outer: str) -> bool:
    """Whether a scope is the outer one or below it. Case does not matter; the root scope holds everything."""
    inner, outer = scope.lower().rstrip("/"), outer.lower().rstrip("/")
    managed = outer == MANAGEMENT_GROUP.lower() and inner.startswith("/subscriptions/")
    return inner == outer or inner.startswith(f"{outer}/") or managed


def matches(patterns: tuple[str, ...], action: str) -> bool:
    return any(_expression(pattern).fullmatch(action) for pattern in patterns)


@lru_cache
def _expression(pattern: str) -> re.Pattern[str]:
    """`*` spans slashes: `Microsoft.Authorization/*/read` covers every depth."""
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.IGNORECASE)
