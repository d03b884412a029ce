"""Evaluates Azure's role-based access control: which actions a caller lacks on a resource.

The rules are Azure's documented ones. `*` spans slashes, and letter case is free. `notActions` subtract only inside
their own role. A deny assignment wins over every role. A condition cannot be evaluated here, so it counts as not met.
Data actions do not matter for a console.
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
    """Returns the app roles that count. In every tenant but the service's own, that tenant's administrators assign
    them: there, the roles of administrators and relays do not count.
    """
    return roles if at_home else roles - {ADMINISTRATOR_ROLE, RELAY_ROLE}


def may_use_consoles(caller: Caller) -> bool:
    """Returns True if the caller may use the API. A user's scope was checked with the token; an application needs a
    role.
    """
    return caller.kind is CallerKind.USER or not caller.roles.isdisjoint({AUTOMATION_ROLE, ADMINISTRATOR_ROLE})


def may_relay(caller: Caller) -> bool:
    return caller.kind is CallerKind.APPLICATION and RELAY_ROLE in caller.roles


@dataclass(frozen=True, slots=True)
class Permission:
    """The actions of one role, as they apply to the VM."""

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
        """Azure lists only deny assignments that apply, so an unknown scope counts as one above the resource."""
        above = reaches(self.scope, resource_id) or not self.scope.lower().startswith(_SUBSCRIPTIONS)
        return self.scope.lower().rstrip("/") == resource_id.lower() or (above and not self.only_this_scope)


def reaches(scope: str, resource_id: str) -> bool:
    """Returns True if an assignment at a scope applies to a resource. Azure must have listed it for the subscription.

    The root and management groups lie above a subscription, although its id does not begin with theirs.
    """
    outer, its = scope.lower().rstrip("/"), resource_id.lower()
    return scope == "/" or outer.startswith(_MANAGEMENT_GROUPS) or f"{its}/".startswith(f"{outer or '?'}/")


def missing(
    actions: Sequence[str], permissions: Iterable[Permission], denials: Iterable[Denial], resource_id: str, oid: str
) -> tuple[str, ...]:
    """Returns the actions that no role allows on a resource, or that a deny assignment takes away.

    `denials` are those that Azure lists for this principal, its groups included: membership is not checked here.
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
    """Compiles a pattern with stars. Atomic groups match each piece once, from the left, without backtracking.

    Everybody who may write a role writes patterns; a pattern that backtracks would delay all requests.
    """
    first, *others = (re.escape(piece) for piece in pattern.split("*"))
    between = "".join(f"(?>.*?{piece})" for piece in others[:-1])
    rest = f"{between}.*{others[-1]}" if others else ""
    return re.compile(first + rest, re.IGNORECASE | re.DOTALL | re.ASCII)
