"""Just-in-time approval: request it, show it, decide about another person's request."""

import asyncio
from collections.abc import Sequence

from shared.access import approval as rules
from shared.access import policy
from shared.access.approval import Approval
from shared.access.dependencies import AccessDependencies
from shared.access.flows.check_rate_limit import check_caller_rate
from shared.access.flows.examine_vm import ASKING, ENTRANCE, Examined, RequiredRight, admit_to_vm
from shared.access.rights import Right
from shared.base.caller import Caller
from shared.base.ports import Unavailable
from shared.base.refusals import Code, Refusal, refuse
from shared.base.vm import VmId

AT_ONCE = 8
"""VMs that are checked at the same time for one caller's list: ARM throttles by principal."""


async def ask_approval(
    dependencies: AccessDependencies, caller: Caller, vm: VmId, right: Right, reason: str
) -> Approval | Refusal:
    """Requests approval of a right. If the caller has such a request waiting, it is returned. Raises Unavailable."""
    if refusal := await check_caller_rate(dependencies, caller):
        return refusal
    examined = await admit_to_vm(dependencies, caller, vm, RequiredRight(right, ASKING, reason))
    if isinstance(examined, Refusal):
        return examined
    seconds = policy.approval_seconds(examined.levels, right)
    if seconds is None:
        return refuse(Code.INVALID_REQUEST, because=f"No policy demands approval for {right} here: just do it.")
    now = dependencies.clock.now()
    earlier = await dependencies.approvals.of(vm, caller.subject)
    waiting = next((each for each in earlier if each.awaits(caller.subject, right, now)), None)
    if waiting:
        return waiting
    request = Approval(
        id=dependencies.ids.session(),
        vm=vm,
        right=right,
        subject=caller.subject,
        name=caller.name,
        reason=reason,
        asked_at=now,
        waits_until=now + seconds,
        good_seconds=seconds,
    )
    await dependencies.approvals.ask(request)
    return request


async def show_approval(
    dependencies: AccessDependencies, caller: Caller, vm: VmId, approval: str
) -> Approval | Refusal:
    """Returns the caller's own request, or one that they may decide. Others are not found. Raises Unavailable."""
    stored = await dependencies.approvals.find(vm, approval)
    if stored and (stored.subject == caller.subject or await _may_approve(dependencies, caller, vm)):
        return stored.at(dependencies.clock.now())
    return refuse(Code.APPROVAL_NOT_FOUND, target=vm.resource_id)


async def list_approvals(dependencies: AccessDependencies, caller: Caller) -> Sequence[Approval]:
    """Lists the waiting requests that are the caller's own, or that they may decide. Raises Unavailable."""
    now, gate = dependencies.clock.now(), asyncio.Semaphore(AT_ONCE)
    waiting = [each for each in await dependencies.approvals.pending() if each.at(now).state is rules.State.PENDING]
    shown = await asyncio.gather(*(_concerns(dependencies, caller, each, gate) for each in waiting))
    return [each for each, concerns in zip(waiting, shown, strict=True) if concerns]


async def _concerns(
    dependencies: AccessDependencies, caller: Caller, approval: Approval, gate: asyncio.Semaphore
) -> bool:
    if approval.subject == caller.subject:
        return True
    try:
        async with gate:
            return await _may_approve(dependencies, caller, approval.vm)
    except Unavailable:
        return False


async def _may_approve(dependencies: AccessDependencies, caller: Caller, vm: VmId) -> bool:
    examined = await admit_to_vm(dependencies, caller, vm, RequiredRight(Right.APPROVE, ENTRANCE))
    return isinstance(examined, Examined)


async def decide_approval(
    dependencies: AccessDependencies, caller: Caller, vm: VmId, approval: str, *, allow: bool, comment: str | None
) -> Approval | Refusal:
    """Approves or denies another person's request, once. Raises Unavailable."""
    if too_many := await check_caller_rate(dependencies, caller):
        return too_many
    examined = await admit_to_vm(dependencies, caller, vm, RequiredRight(Right.APPROVE, ENTRANCE))
    if isinstance(examined, Refusal):
        return examined
    stored = await dependencies.approvals.find(vm, approval)
    if stored is None:
        return refuse(Code.APPROVAL_NOT_FOUND, target=vm.resource_id)
    now = dependencies.clock.now()
    if refusal := rules.may_decide(stored, caller.subject, now):
        return refusal
    decision = rules.decided(stored, allow=allow, subject=caller.subject, name=caller.name, comment=comment, now=now)
    settled = await dependencies.approvals.decide(decision)
    mine = (settled.decided_by, settled.state) == (decision.decided_by, decision.state)
    return settled if mine else refuse(Code.APPROVAL_CLOSED, target=vm.resource_id)
