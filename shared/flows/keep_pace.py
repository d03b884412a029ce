"""Nobody asks for more than their share: callers by themselves, and each VM whoever asks."""

import math
from dataclasses import replace

from shared.access.dependencies import AccessDependencies
from shared.domain.caller import Caller
from shared.domain.pace import Pace
from shared.domain.refusals import Code, Refusal, refuse
from shared.domain.rights import Right
from shared.domain.vm import VmId
from shared.flows.examine_vm import Examined, Wanted, admit_to_vm


async def pace_caller(dependencies: AccessDependencies, caller: Caller) -> Refusal | None:
    """Raises Unavailable."""
    return await _paced(dependencies, f"caller {caller.subject}", dependencies.settings.caller_rate)


async def admit_paced(dependencies: AccessDependencies, caller: Caller, vm: VmId, wanted: Wanted) -> Examined | Refusal:
    """For what is done on a VM's line: nobody's share used up, and all checks between. Raises Unavailable."""
    if hasty := await pace_caller(dependencies, caller):
        return hasty
    examined = await admit_to_vm(dependencies, caller, vm, wanted)
    if isinstance(examined, Refusal):
        return examined
    return await pace_vm(dependencies, vm, wanted.right) or examined


async def pace_vm(dependencies: AccessDependencies, vm: VmId, right: Right) -> Refusal | None:
    """To be asked only once the caller may do this on the VM: else anybody could keep others out. Each right has its
    own, so that who may only watch keeps no writer out. Raises Unavailable.
    """
    return await _paced(dependencies, f"vm {vm.console} {right}", dependencies.settings.vm_rate)


async def _paced(dependencies: AccessDependencies, key: str, per_minute: int) -> Refusal | None:
    wait = await dependencies.paces.take(key, Pace(per_minute, max(1, per_minute // 2)))
    return replace(refuse(Code.TOO_MANY_REQUESTS), retry_after=math.ceil(wait)) if wait else None
