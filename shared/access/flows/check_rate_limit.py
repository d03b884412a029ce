"""Applies rate limits: to each caller, and to each VM and right."""

import math
from dataclasses import replace

from shared.access.dependencies import AccessDependencies
from shared.access.flows.examine_vm import Examined, RequiredRight, admit_to_vm
from shared.access.rate_limit import RateLimit
from shared.access.rights import Right
from shared.base.caller import Caller
from shared.base.refusals import Code, Refusal, refuse
from shared.base.vm import VmId


async def check_caller_rate(dependencies: AccessDependencies, caller: Caller) -> Refusal | None:
    """Counts a request of the caller, and returns a refusal if there were too many. Raises Unavailable."""
    return await _take(dependencies, f"caller {caller.subject}", dependencies.settings.caller_rate)


async def admit_within_rate(
    dependencies: AccessDependencies, caller: Caller, vm: VmId, required: RequiredRight
) -> Examined | Refusal:
    """Checks the caller's rate, then the VM, then the VM's rate. Raises Unavailable."""
    if refusal := await check_caller_rate(dependencies, caller):
        return refusal
    examined = await admit_to_vm(dependencies, caller, vm, required)
    if isinstance(examined, Refusal):
        return examined
    return await check_vm_rate(dependencies, vm, required.right) or examined


async def check_vm_rate(dependencies: AccessDependencies, vm: VmId, right: Right) -> Refusal | None:
    """Counts a request on a VM, and returns a refusal if there were too many. Raises Unavailable.

    Call it only after all checks, or callers without rights could use up the VM's limit. Each right has a limit of its
    own, so that watchers cannot use up the writers' limit.
    """
    return await _take(dependencies, f"vm {vm.console} {right}", dependencies.settings.vm_rate)


async def _take(dependencies: AccessDependencies, key: str, per_minute: int) -> Refusal | None:
    wait = await dependencies.paces.take(key, RateLimit(per_minute, max(1, per_minute // 2)))
    return replace(refuse(Code.TOO_MANY_REQUESTS), retry_after=math.ceil(wait)) if wait else None
