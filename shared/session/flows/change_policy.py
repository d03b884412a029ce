"""Shows, sets and clears the policies of scopes. Switching a console off also ends its live sessions at once."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.access import checks, rights
from shared.access.azure_roles import ADMINISTRATOR_ROLE
from shared.access.checks import switch_refusal
from shared.access.flows.check_rate_limit import check_caller_rate
from shared.access.flows.examine_vm import service
from shared.access.policy import TENANT, Level, Policy, Scope, Switch
from shared.access.ports import StoredPolicy
from shared.access.rights import SCOPE_ACTIONS, Right
from shared.base.caller import Caller
from shared.base.ports import Unavailable
from shared.base.refusals import Code, Refusal, refuse
from shared.session.dependencies import Dependencies
from shared.session.flows.close_session import end_session
from shared.session.ports import Session

AT_ONCE = 32
END_SECONDS = 4.0
"""Seconds of a request that may be spent on ending live sessions."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ShownPolicy:
    """A scope's own policy, and the ones that it inherits."""

    scope: Scope
    stored: StoredPolicy | None
    inherited: Sequence[Level]


async def show_policy(dependencies: Dependencies, caller: Caller, scope: Scope) -> ShownPolicy | Refusal:
    """Raises Unavailable."""
    if refusal := await administers(dependencies, caller, scope):
        return refusal
    return await _shown(dependencies, scope)


async def set_policy(
    dependencies: Dependencies, caller: Caller, scope: Scope, policy: Policy, version: str | None
) -> ShownPolicy | Refusal:
    """Sets a policy. `version` makes it conditional: the version of the stored policy, "" if there must be none.

    Raises Unavailable.
    """
    if refusal := await check_caller_rate(dependencies, caller) or await administers(dependencies, caller, scope):
        return refusal
    vm = await dependencies.vms.find(caller, scope.vm) if scope.vm else None
    if isinstance(vm, Refusal):
        return vm
    now = dependencies.clock.now()
    if await dependencies.policies.set(scope, policy, caller.subject, now, version=version) is None:
        return refuse(Code.POLICY_CHANGED, target=scope.text)
    if policy.console is Switch.OFF:
        await _end_all(dependencies, caller, scope)
    return await _shown(dependencies, scope)


async def clear_policy(dependencies: Dependencies, caller: Caller, scope: Scope) -> Refusal | None:
    """Raises Unavailable."""
    if refusal := await check_caller_rate(dependencies, caller) or await administers(dependencies, caller, scope):
        return refusal
    await dependencies.policies.clear(scope)
    return None


async def administers(dependencies: Dependencies, caller: Caller, scope: Scope) -> Refusal | None:
    """Returns a refusal if the caller may not administer a scope. Raises Unavailable.

    The app role suffices for every scope, whatever policies demand: somebody must be able to correct them. Below the
    tenant, rights in Azure suffice too, if the demands of the policies there are met.
    """
    if ADMINISTRATOR_ROLE in caller.roles:
        return None
    if scope.text == TENANT:  # no role of Azure's would help, so no command is offered
        return replace(refuse(Code.ADMINISTRATION_DENIED, target=scope.text), fix_command=None)
    missing, levels = await asyncio.gather(
        _missing(dependencies, caller, scope), dependencies.policies.over(scope.some_vm)
    )
    if isinstance(missing, Refusal):
        return missing
    if scope.vm and rights.read_action(scope.vm) in missing:
        return refuse(Code.VM_NOT_FOUND, target=scope.text)
    if missing:
        return refuse(Code.ADMINISTRATION_DENIED, target=scope.text, caller=caller.oid)
    here = [level for level in levels if level.scope in (*scope.above, scope.text)]
    return checks.entrance(caller, here, Right.ADMINISTER, scope.text)


async def _missing(dependencies: Dependencies, caller: Caller, scope: Scope) -> Sequence[str] | Refusal:
    actions = rights.on_vm(dependencies.settings.rights, Right.ADMINISTER, scope.vm) if scope.vm else SCOPE_ACTIONS
    return await dependencies.rights.missing(caller, scope.text, actions)


async def _shown(dependencies: Dependencies, scope: Scope) -> ShownPolicy:
    stored, levels = await asyncio.gather(dependencies.policies.find(scope), dependencies.policies.over(scope.some_vm))
    return ShownPolicy(scope, stored, [level for level in levels if level.scope in scope.above])


async def _end_all(dependencies: Dependencies, caller: Caller, scope: Scope) -> None:
    """Ends the live sessions of a scope. A session that cannot be ended in time ends with its relay's next heartbeat,
    which checks the switch.
    """
    since, gate = dependencies.clock.now() - dependencies.settings.session_seconds, asyncio.Semaphore(AT_ONCE)
    try:
        async with asyncio.timeout(END_SECONDS):
            live = await dependencies.sessions.live(scope, since)
            await asyncio.gather(*(_end(dependencies, caller, session, gate) for session in live))
    except (TimeoutError, Unavailable):
        _log.warning("not all sessions of %s were ended at once", scope.text)


async def _end(dependencies: Dependencies, caller: Caller, session: Session, gate: asyncio.Semaphore) -> None:
    try:
        async with gate:
            refusal = switch_refusal(session.vm, await dependencies.policies.over(session.vm), service(dependencies))
            await end_session(dependencies, session, refusal.code if refusal else Code.SESSION_ENDED, caller.name)
    except Unavailable as error:
        _log.warning("session %s was not ended at once: %s", session.id, error)
