"""What a caller may do, from the actions Azure grants them.

Azure's rules, as documented for role-based access control: `*` spans slashes and letter case is free; `notActions`
subtract only inside their own role; a deny assignment wins over every role; a condition that cannot be evaluated
here counts as not met. Data actions do not matter for a console.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from shared.base.caller import Caller, CallerKind

SCOPE = "Console.Access"
"""Scope of the API that a user's token must carry."""
AUTOMATION_ROLE = "Console.Automation"
"""App role by which an application without a user may open consoles, as far as its Azure roles go."""
ADMINISTRATOR_ROLE = "Console.Administrator"
"""App role by which a person or an application sets the policy of the whole tenant."""
_SUBSCRIPTIONS = "/subscriptions/"
_MANAGEMENT_GROUPS = "/providers/microsoft.management/managementgroups/"
RELAY_ROLE = "Relay.Attach"
"""App role of relays."""


def honoured(roles: frozenset[str], *, at_home: bool) -> frozenset[str]:
    """The app roles that count. In a tenant that is only served, its own administrators hand them out: they may make
    nobody an administrator or a relay of the service.
    """
    return roles if at_home else roles - {ADMINISTRATOR_ROLE, RELAY_ROLE}


def may_use_consoles(caller: Caller) -> bool:
    """A user's scope was checked when the token was; an application needs a role."""
    return caller.kind is CallerKind.USER or not caller.roles.isdisjoint({AUTOMATION_ROLE, ADMINISTRATOR_ROLE})


def may_relay(caller: Caller) -> bool:
    return caller.kind is CallerKind.APPLICATION and RELAY_ROLE in caller.roles


@dataclass(frozen=True, slots=True)
class Permission:
    """One role's actions, as they reach the VM."""

    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()
    condition: str | None = None

    def allows(self, action: str) -> bool:
        return not self.condition and _matches(self.actions, action) and not _matches(self.not_actions, action)


@dataclass(frozen=True, slots=True)
class Denial:
    """A deny assignment that Azure names for the caller. `excluded` are object ids."""

    permissions: tuple[Permission, ...]
    scope: str
    excluded: frozenset[str] = frozenset()
    only_this_scope: bool = False

    def denies(self, action: str, resource_id: str, oid: str) -> bool:
        return (
            self._reaches(resource_id)
            and oid not in self.excluded
            and any(_matches(p.actions, action) and not _matches(p.not_actions, action) for p in self.permissions)
        )

    def _reaches(self, resource_id: str) -> bool:
        """Azure names only what applies: a scope that we cannot place is taken for one above."""
        above = reaches(self.scope, resource_id) or not self.scope.lower().startswith(_SUBSCRIPTIONS)
        return self.scope.lower().rstrip("/") == resource_id.lower() or (above and not self.only_this_scope)


def reaches(scope: str, resource_id: str) -> bool:
    """Whether what is assigned at a scope holds for a resource of a subscription for which Azure names it. The root and
    management groups lie above a subscription, though their ids do not begin its own.
    """
    outer, its = scope.lower().rstrip("/"), resource_id.lower()
    return scope == "/" or outer.startswith(_MANAGEMENT_GROUPS) or f"{its}/".startswith(f"{outer or '?'}/")


def missing(
    actions: Sequence[str], permissions: Iterable[Permission], denials: Iterable[Denial], resource_id: str, oid: str
) -> tuple[str, ...]:
    """Those of the actions on a resource that no role allows, or that a deny assignment takes away.

    `denials` are those that Azure names for this principal (its groups included), so membership is not asked again.
    """
    granted, denied = tuple(permissions), tuple(denials)
    return tuple(
        action
        for action in actions
        if not any(p.allows(action) for p in granted) or any(d.denies(action, resource_id, oid) for d in denied)
    )


def _matches(patterns: tuple[str, ...], action: str) -> bool:
    return any(_compiled(pattern).fullmatch(action) for pattern in patterns)


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    """Every piece between two stars is sought once, from the left: more stars cost no more than a longer pattern.

    Whoever may write a role writes patterns, and one that had to be tried in every way would hold up everybody.
    """
    first, *others = (re.escape(piece) for piece in pattern.split("*"))
    between = "".join(f"(?>.*?{piece})" for piece in others[:-1])
    rest = f"{between}.*{others[-1]}" if others else ""
    return re.compile(first + rest, re.IGNORECASE | re.DOTALL | re.ASCII)
