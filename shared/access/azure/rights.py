"""Finds the actions that a caller lacks on a resource, from Azure Resource Manager (Microsoft.Authorization).

A user's permissions are read with the user's identity: ARM resolves groups, privileged identity management and
inheritance. An application's roles are read with the service's own identity, by its role `looks`; so are a user's at a
subscription, for which ARM has no list of permissions. Deny assignments of both are read this way as well: the list of
a caller's permissions leaves them out.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Hashable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

from azure.core.exceptions import ClientAuthenticationError, HttpResponseError

from shared.access.azure.arm_clients import ArmAccess, as_the_service, asking_arm, has_words, signed_out
from shared.access.azure.arm_pages import list_items
from shared.access.azure_roles import Denial, Permission, missing
from shared.base.azure_troubles import not_allowed
from shared.base.caller import Caller, CallerKind
from shared.base.in_time import in_time
from shared.base.ports import Clock, Dependency, Unavailable
from shared.base.refusals import Refusal
from shared.base.ttl_cache import TtlCache

_FORBIDDEN = 403
_ID = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)(?:/resourceGroups/(?P<group>[^/]+)"
    r"(?:/providers/(?P<provider>[^/]+)/(?:(?P<parent>.+)/)?(?P<type>[^/]+)/(?P<name>[^/]+))?)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Facts:
    """The permissions and deny assignments of a caller at a resource."""

    granted: Sequence[Permission]
    denied: Sequence[Denial]


class ArmRights:
    def __init__(self, access: ArmAccess, cache_seconds: float, clock: Clock) -> None:
        self._access = access
        self._roles: TtlCache[Any] = TtlCache(cache_seconds, clock)
        self._facts_cache: TtlCache[_Facts | Refusal | None] = TtlCache(cache_seconds, clock)

    async def missing(
        self, caller: Caller, resource_id: str, actions: Sequence[str], *, fresh: bool = False
    ) -> Sequence[str] | Refusal:
        key = _cache_key(caller), resource_id.lower()
        async with in_time(Dependency.ARM):
            facts = await self._facts_cache.get(key, lambda: self._facts(caller, resource_id), fresh=fresh)
        if isinstance(facts, Refusal):
            return facts
        if facts is None:
            return tuple(actions)
        return missing(actions, facts.granted, facts.denied, resource_id, caller.oid)

    async def _facts(self, caller: Caller, resource_id: str) -> _Facts | Refusal | None:
        try:
            async with asking_arm():
                granted, denied = await _gather_both(
                    self._granted(caller, resource_id), self._denied(caller, resource_id)
                )
        except ClientAuthenticationError as error:
            return signed_out(error, caller)
        except HttpResponseError:
            return None
        return _Facts(granted, denied)

    async def _granted(self, caller: Caller, resource_id: str) -> list[Permission]:
        parts = _ID.fullmatch(resource_id)
        if caller.kind is CallerKind.APPLICATION or not (parts and parts["group"]):
            return await self._assigned(caller.oid, resource_id)
        permissions = self._access.of(caller).roles(parts["subscription"]).permissions
        if parts["name"] is None:
            listed = await list_items(permissions.list_for_resource_group, parts["group"])
        else:
            arguments = parts["group"], parts["provider"], parts["parent"] or "", parts["type"], parts["name"]
            listed = await list_items(permissions.list_for_resource, *arguments)
        return [permission(each, each.condition) for each in listed]

    async def _assigned(self, oid: str, resource_id: str) -> list[Permission]:
        query_filter = f"atScope() and assignedTo('{oid}')"
        listing = self._service(resource_id).role_assignments.list_for_scope
        definitions = self._access.service.roles(_subscription(resource_id))
        async with as_the_service(), _translate_forbidden():
            listed = await list_items(listing, resource_id.lstrip("/"), query_filter)
            assignments = [require_parts(each, "role_definition_id") for each in listed]
            roles = await asyncio.gather(*(self._role(definitions, each.role_definition_id) for each in assignments))
        return [
            permission(each, assignment.condition or each.condition)
            for assignment, role in zip(assignments, roles, strict=True)
            for each in role.permissions
        ]

    async def _role(self, client: Any, role_id: str) -> Any:
        """Returns a role definition. Many callers share a role, so it is read once while answers are cached."""

        async def ask() -> Any:
            return require_parts(await client.role_definitions.get_by_id(role_id), "permissions")

        return await self._roles.get(role_id.lower(), ask)

    async def _denied(self, caller: Caller, resource_id: str) -> list[Denial]:
        listing, query_filter = (
            self._service(resource_id).deny_assignments.list_for_scope,
            f"assignedTo('{caller.oid}')",
        )
        async with as_the_service(), _translate_forbidden():
            return [denial(each) for each in await list_items(listing, resource_id.lstrip("/"), query_filter)]

    def _service(self, resource_id: str) -> Any:
        return self._access.service.authorization(_subscription(resource_id))


@asynccontextmanager
async def _translate_forbidden() -> AsyncIterator[None]:
    """Translates ARM's refusal to let the service read roles into Unavailable: the caller lacks nothing."""
    try:
        yield
    except HttpResponseError as error:
        if error.status_code != _FORBIDDEN or not has_words(error):
            raise
        raise not_allowed(error, "read who has which role") from error


async def _gather_both[A, B](first: Awaitable[A], second: Awaitable[B]) -> tuple[A, B]:
    """Waits for both, also if the first is refused: a faster refusal would reveal that a resource does not exist."""
    one, other = await asyncio.gather(first, second, return_exceptions=True)
    for answer in (one, other):
        if isinstance(answer, BaseException):
            raise answer
    return cast("tuple[A, B]", (one, other))


def _subscription(resource_id: str) -> str:
    return resource_id.split("/")[2]


def _cache_key(caller: Caller) -> Hashable:
    """Returns the cache key of a caller. A user's answers belong to the token with which they were read."""
    if caller.kind is CallerKind.APPLICATION:
        return caller.subject
    return hashlib.sha256(caller.token.reveal().encode()).digest()


def require_parts(model: Any, *parts: str) -> Any:
    """Returns a model of the SDKs if it has all these parts. The SDKs leave out parts that they do not find.

    Raises Unavailable if one is missing: a deny assignment that was not understood would deny nothing.
    """
    if any(getattr(model, part, None) is None for part in parts):
        raise Unavailable(Dependency.ARM, "its answer cannot be read: it leaves out what it is about")
    return model


def permission(model: Any, condition: str | None) -> Permission:
    """Converts the SDK's model of a permission."""
    return Permission(tuple(model.actions or ()), tuple(model.not_actions or ()), condition)


def denial(model: Any) -> Denial:
    """Converts the SDK's model of a deny assignment. Its condition cannot be evaluated here, so the denial applies
    always. Raises Unavailable if parts are missing.
    """
    require_parts(model, "permissions", "scope")
    return Denial(
        tuple(permission(each, None) for each in model.permissions),
        model.scope,
        frozenset(each.id for each in model.exclude_principals or ()),
        only_this_scope=bool(model.do_not_apply_to_child_scopes),
    )
