"""What a caller may do with a resource, as Azure Resource Manager resolves it (Microsoft.Authorization).

A user asks for themselves: ARM resolves groups, privileged identity management and inheritance. An application's
roles are read with the service's own identity, by its role `looks`; so are a user's at a subscription, for which there
is no list of permissions. Deny assignments are read so for both: the list of a caller's permissions leaves them out.
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
    """What Azure says of a caller at a resource; None when they may not even ask."""

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
        """The same role reaches many: its definition is asked for once in the seconds that answers are kept."""

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
    """That the service may not read roles is nothing that the caller lacks: Unavailable."""
    try:
        yield
    except HttpResponseError as error:
        if error.status_code != _FORBIDDEN or not has_words(error):
            raise
        raise not_allowed(error, "read who has which role") from error


async def _gather_both[A, B](first: Awaitable[A], second: Awaitable[B]) -> tuple[A, B]:
    """Waits for both, also when the first is refused: a refusal that came at once would tell what is not there."""
    one, other = await asyncio.gather(first, second, return_exceptions=True)
    for answer in (one, other):
        if isinstance(answer, BaseException):
            raise answer
    return cast("tuple[A, B]", (one, other))


def _subscription(resource_id: str) -> str:
    return resource_id.split("/")[2]


def _cache_key(caller: Caller) -> Hashable:
    """Nobody's answers are anybody else's: a user's belong to the token that they were asked with."""
    if caller.kind is CallerKind.APPLICATION:
        return caller.subject
    return hashlib.sha256(caller.token.reveal().encode()).digest()


def require_parts(model: Any, *parts: str) -> Any:
    """What the SDKs made of an answer; they leave out what they do not find. Raises Unavailable where a part is missing
    without which it says nothing: a denial that is not understood denies nothing.
    """
    if any(getattr(model, part, None) is None for part in parts):
        raise Unavailable(Dependency.ARM, "its answer cannot be read: it leaves out what it is about")
    return model


def permission(model: Any, condition: str | None) -> Permission:
    """Of a role's definition as the SDK has it."""
    return Permission(tuple(model.actions or ()), tuple(model.not_actions or ()), condition)


def denial(model: Any) -> Denial:
    """Of a deny assignment as the SDK has it. Its condition is not kept: unable to evaluate it, we let it stand.
    Raises Unavailable for what is none.
    """
    require_parts(model, "permissions", "scope")
    return Denial(
        tuple(permission(each, None) for each in model.permissions),
        model.scope,
        frozenset(each.id for each in model.exclude_principals or ()),
        only_this_scope=bool(model.do_not_apply_to_child_scopes),
    )
