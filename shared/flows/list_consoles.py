"""Every VM the caller may read, each with what stands in the way of its console."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain import cautions, checks, rights
from shared.domain.caller import Caller, Kind
from shared.domain.checks import Checked
from shared.domain.refusals import Code, Refusal, refuse
from shared.domain.rights import Right
from shared.domain.vm import Vm
from shared.flows.examine_vm import service
from shared.flows.world import World
from shared.ports import Unavailable

AT_ONCE = 8
"""Permission questions in flight for one caller: ARM throttles by principal."""
BRIEFLY = (
    Checked.PERMISSION, Checked.CLOUD, Checked.REGION, Checked.SWITCH, Checked.TAG, Checked.PROVISIONING,
    Checked.POWER, Checked.BOOT_DIAGNOSTICS,
)  # fmt: skip
"""What is known of every VM without a question more for each; the others are asked when one of them is looked at."""


@dataclass(frozen=True, slots=True)
class Listed:
    vm: Vm
    refusals: tuple[Refusal, ...]
    warnings: tuple[cautions.Warn, ...]


async def list_consoles(world: World, caller: Caller) -> Sequence[Listed] | Refusal:
    """Raises Unavailable when the list itself cannot be had; one VM's rights that cannot be had only close that VM."""
    vms = await world.vms.visible(caller)
    if isinstance(vms, Refusal):
        return vms
    gate = asyncio.Semaphore(AT_ONCE)
    listed = await asyncio.gather(*(_list(world, caller, vm, gate) for vm in vms))
    return sorted((each for each in listed if each), key=lambda each: each.vm.id.console)


async def _list(world: World, caller: Caller, vm: Vm, gate: asyncio.Semaphore) -> Listed | None:
    """None for a VM that the service may read and the caller may not."""
    warnings, actions = cautions.warnings(vm), rights.on_vm(world.settings.rights, Right.WRITE, vm.id)
    try:
        async with gate:
            missing, levels = await asyncio.gather(
                world.rights.missing(caller, vm.id.resource_id, actions), world.policies.over(vm.id)
            )
    except Unavailable:
        if caller.kind is Kind.APPLICATION:  # what the service sees is not yet theirs to see
            return None
        return Listed(vm, (refuse(Code.AZURE_UNAVAILABLE, target=vm.id.resource_id),), warnings)
    if isinstance(missing, Refusal):
        return Listed(vm, (missing,), warnings)
    if rights.read_action(vm.id) in missing:
        return None
    seen = checks.Inspected(vm, caller, Right.WRITE, missing, service(world), levels)
    return Listed(vm, tuple(checks.refusals(checks.check(seen, BRIEFLY))), warnings)
