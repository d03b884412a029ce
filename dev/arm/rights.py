"""Role assignments turned into yes or no, by the rules of Azure RBAC."""

import re
from collections.abc import Iterable
from functools import lru_cache

from dev.arm.roles import ROLES, Role
from dev.fleet import Assignment


def permitted(assignments: Iterable[Assignment], oid: str, action: str, scope: str) -> bool:
    """Whether any of the caller's roles at or above the scope allows the action."""
    return any(allows(role, action) for role in roles_at(assignments, oid, scope))


def roles_at(assignments: Iterable[Assignment], oid: str, scope: str) -> list[Role]:
    """List the roles a principal has at a scope, those inherited from above included."""
    return [ROLES[one.role] for one in assignments if one.principal == oid and is_within(scope, one.scope)]


def allows(role: Role, action: str) -> bool:
    """Whether a role allows an action. `notActions` subtract inside their own role only: they deny nothing."""
    return _any_matches(role.actions, action) and not _any_matches(role.not_actions, action)


def is_within(scope: str, outer: str) -> bool:
    """Whether a scope is the outer one or below it. Case does not matter; the root scope holds everything."""
    inner, outer = scope.lower().rstrip("/"), outer.lower().rstrip("/")
    return inner == outer or inner.startswith(f"{outer}/")


def _any_matches(patterns: tuple[str, ...], action: str) -> bool:
    return any(_expression(pattern).fullmatch(action) for pattern in patterns)


@lru_cache
def _expression(pattern: str) -> re.Pattern[str]:
    """`*` spans slashes: `Microsoft.Authorization/*/read` covers every depth."""
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.IGNORECASE)
