"""One VM as the caller meets it: all checks at once, or a refusal that tells nothing."""

import asyncio
from dataclasses import dataclass

from shared.domain import access
from shared.domain.caller import Caller
from shared.domain.checks import Check, Warn, check, refusals, warnings
from shared.domain.refusals import Code, Refusal, refuse
from shared.domain.vm import Vm, VmId
from shared.flows.world import World


@dataclass(frozen=True, slots=True)
class Examined:
    vm: Vm
    checks: tuple[Check, ...]
    warnings: tuple[Warn, ...]

    @property
    def refusals(self) -> list[Refusal]:
        return refusals(self.checks)


async def examine_vm(world: World, caller: Caller, vm: VmId) -> Examined | Refusal:
    """Raises Unavailable.

    An application's VM is read with the service's own identity, so its right to read is asked here: without it,
    the VM does not exist.
    """
    found, missing = await asyncio.gather(
        world.vms.find(caller, vm), world.rights.missing(caller, vm, access.console_actions(vm))
    )
    if isinstance(found, Refusal):
        return found
    if isinstance(missing, Refusal):
        return missing
    if access.read_action(vm) in missing:
        return refuse(Code.VM_NOT_FOUND, target=vm.resource_id)
    return Examined(found, check(found, missing, caller.oid), warnings(found))
