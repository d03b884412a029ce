"""Finds the actions that people with live sessions lack, from lists of whole subscriptions.

One list has every role assignment of a person in a subscription, through groups and inheritance as well, so it serves
all their sessions there. Deny assignments, which most subscriptions do not have, and role definitions are the same for
everybody. Before a session ends because a person seems to lack an action, their assignments are read anew, and those at
the subscription and above it in a list of their own.

If a subscription has more people than can be read in each period, a person's assignments are cached longer. They count
only while the list of all assignments still has them: so a deleted assignment is noticed in time, and only the end of a
group membership is noticed later.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from azure.core.exceptions import HttpResponseError

from shared.access.azure.arm_pages import list_items
from shared.access.azure.rights import denial, permission, require_parts
from shared.access.azure.shared_questions import PEOPLE_PER_SECOND, SharedQuestions
from shared.access.azure_roles import Denial, missing, reaches
from shared.base.azure_troubles import not_allowed
from shared.base.caller import Caller
from shared.base.in_time import in_time
from shared.base.ports import Dependency
from shared.base.ttl_cache import TtlCache

_LONGEST = 600.0
"""How long a person's assignments are cached at most, however many people there are."""


@dataclass(frozen=True, slots=True)
class _Assignment:
    id: str
    scope: str
    role: str
    condition: str | None


type _Ask = Callable[[str, str], Awaitable[Sequence[_Assignment]]]


class ArmSharedRights:
    def __init__(self, questions: SharedQuestions) -> None:
        self._questions = questions
        seconds, clock = questions.seconds, questions.clock
        self._mine: TtlCache[Sequence[_Assignment]] = TtlCache(_LONGEST, clock)
        self._above: TtlCache[Sequence[_Assignment]] = TtlCache(seconds, clock)
        self._all: TtlCache[frozenset[str]] = TtlCache(seconds, clock)
        self._roles: TtlCache[Any] = TtlCache(seconds, clock)
        self._denials: TtlCache[Sequence[Denial]] = TtlCache(seconds, clock)
        self._people: dict[str, dict[str, float]] = {}
        """When each person's rights were last needed, by subscription."""

    async def missing(
        self,
        caller: Caller,
        resource_id: str,
        actions: Sequence[str],
        *,
        fresh: bool = False,  # noqa: ARG002 - as old as is shared
    ) -> Sequence[str]:
        async with in_time(Dependency.ARM):
            lacking = await self._missing(caller.oid, resource_id, actions, self._assigned)
            return lacking and await self._missing(caller.oid, resource_id, actions, self._surely)

    async def _missing(self, oid: str, resource_id: str, actions: Sequence[str], assigned: _Ask) -> Sequence[str]:
        subscription = resource_id.split("/")[2].lower()
        try:
            mine, denied = await asyncio.gather(assigned(oid, subscription), self._denied(oid, subscription))
            here = [each for each in mine if reaches(each.scope, resource_id)]
            roles = await asyncio.gather(*(self._role(each.role, subscription) for each in here))
        except HttpResponseError as error:
            raise not_allowed(error, "read who has which role") from error
        granted = [
            permission(each, assignment.condition or each.condition)
            for assignment, role in zip(here, roles, strict=True)
            for each in role.permissions
        ]
        return missing(actions, granted, denied, resource_id, oid)

    async def _assigned(self, oid: str, subscription: str) -> Sequence[_Assignment]:
        patience = self._count(oid, subscription) / PEOPLE_PER_SECOND
        key, few = (oid, subscription), patience <= self._questions.period
        within = self._questions.seconds if few else patience
        mine = await self._mine.get(key, lambda: self._list(subscription, f"assignedTo('{oid}')"), within=within)
        if few:
            return mine
        known = await self._all.get(subscription, lambda: self._ids(subscription))
        return [each for each in mine if each.id in known]

    async def _surely(self, oid: str, subscription: str) -> Sequence[_Assignment]:
        key, query_filter = (oid, subscription), f"assignedTo('{oid}')"
        mine, above = await asyncio.gather(
            self._mine.get(key, lambda: self._list(subscription, query_filter), within=self._questions.seconds),
            self._above.get(key, lambda: self._list(subscription, f"atScope() and {query_filter}")),
        )
        return [*mine, *above]

    def _count(self, oid: str, subscription: str) -> int:
        """Counts the people whose sessions are rechecked in a subscription."""
        now, people = self._questions.clock.now(), self._people.setdefault(subscription, {})
        people[oid] = now
        for gone in [each for each, at in people.items() if now - at > 2 * self._questions.period]:
            del people[gone]
        return len(people)

    async def _ids(self, subscription: str) -> frozenset[str]:
        return frozenset(each.id for each in await self._list(subscription, None))

    async def _list(self, subscription: str, query_filter: str | None) -> Sequence[_Assignment]:
        """Lists role assignments at, above and below the subscription."""
        place = f"subscriptions/{subscription}"
        async with self._questions.about(subscription):
            assignments = self._questions.service.authorization(subscription).role_assignments
            listed = await list_items(assignments.list_for_scope, place, query_filter)
        return [_assignment(each) for each in listed]

    async def _role(self, role: str, subscription: str) -> Any:
        return await self._roles.get(role.lower(), lambda: self._definition(role, subscription))

    async def _definition(self, role: str, subscription: str) -> Any:
        async with self._questions.about(subscription):
            definitions = self._questions.service.roles(subscription).role_definitions
            return require_parts(await definitions.get_by_id(role), "permissions")

    async def _denied(self, oid: str, subscription: str) -> Sequence[Denial]:
        """Returns the deny assignments of a person. This list is read only if the subscription has any at all."""
        if not await self._denials.get(subscription, lambda: self._denying(subscription, None)):
            return ()
        key, query_filter = (oid, subscription), f"assignedTo('{oid}')"
        return await self._denials.get(key, lambda: self._denying(subscription, query_filter))

    async def _denying(self, subscription: str, query_filter: str | None) -> Sequence[Denial]:
        place = f"subscriptions/{subscription}"
        async with self._questions.about(subscription):
            denials = self._questions.service.authorization(subscription).deny_assignments
            return [denial(each) for each in await list_items(denials.list_for_scope, place, query_filter)]


def _assignment(model: Any) -> _Assignment:
    """Converts the SDK's model of a role assignment. Raises Unavailable if parts are missing."""
    complete = require_parts(model, "id", "scope", "role_definition_id")
    return _Assignment(complete.id.lower(), complete.scope, complete.role_definition_id, complete.condition)
