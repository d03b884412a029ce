"""Lists the VMs that the caller may read, each with the refusals that keep its console from opening."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.access import checks, console_warnings, rights
from shared.access.checks import CheckName
from shared.access.dependencies import AccessDependencies
from shared.access.flows.examine_vm import service
from shared.access.flows.tell_unavailable import tell_unavailable
from shared.access.rights import Right
from shared.base.caller import Caller, CallerKind
from shared.base.ports import Unavailable
from shared.base.refusals import Refusal
from shared.base.vm import Vm

AT_ONCE = 8
"""Calls about permissions in flight for one caller: ARM throttles by principal."""
MOST = 200
"""VMs in one answer: it bounds the work of a request, however many VMs there are."""
BRIEFLY = (
    CheckName.PERMISSION, CheckName.CLOUD, CheckName.REGION, CheckName.SWITCH, CheckName.TAG, CheckName.PROVISIONING,
    CheckName.POWER, CheckName.BOOT_DIAGNOSTICS,
)  # fmt: skip
"""Checks that need no further call for each VM. The others are made when one VM is shown."""


@dataclass(frozen=True, slots=True)
class ListedVm:
    vm: Vm
    refusals: tuple[Refusal, ...]
    warnings: tuple[console_warnings.ConsoleWarning, ...]


@dataclass(frozen=True, slots=True)
class VmPage:
    """One page of VMs. `unasked`: subscriptions that could not be read, and why; a missing VM may be in one of them."""

    listed: Sequence[ListedVm]
    unasked: Mapping[str, Refusal]
    next: str | None = None
    """The last console of this page, to pass as `after` for the next one; None after the last page."""


async def list_consoles(
    dependencies: AccessDependencies, caller: Caller, after: str = "", most: int = MOST
) -> VmPage | Refusal:
    """Lists at most `most` VMs behind the console `after`, in the order of their consoles.

    An empty list is returned only if everything could be read. Raises Unavailable if nothing can be listed and
    something could not be read. If the rights on one VM cannot be read, only that VM is refused.
    """
    visible = await dependencies.vms.visible(caller)
    if isinstance(visible, Refusal):
        return visible
    vms = sorted((vm for vm in visible.vms if vm.id.console > after), key=lambda vm: vm.id.console)
    chosen, gate = vms[:most], asyncio.Semaphore(AT_ONCE)
    results = await asyncio.gather(*(_list(dependencies, caller, vm, gate) for vm in chosen))
    listed = [each for each in results if isinstance(each, ListedVm)]
    unasked = dict(visible.unasked)
    for vm, result in zip(chosen, results, strict=True):
        if isinstance(result, Unavailable):
            unasked[vm.id.subscription] = result
    if unasked and not listed and len(chosen) == len(visible.vms):
        raise next(iter(unasked.values()))
    unasked_refusals = {name: tell_unavailable(result, f"/subscriptions/{name}") for name, result in unasked.items()}
    return VmPage(listed, unasked_refusals, chosen[-1].id.console if len(vms) > len(chosen) else None)


async def _list(
    dependencies: AccessDependencies, caller: Caller, vm: Vm, gate: asyncio.Semaphore
) -> ListedVm | Unavailable | None:
    """Returns None for a VM that the service may read and the caller may not.

    Returns Unavailable if an application's right to read is not known: the service's identity has read the VM for it.
    """
    warnings, actions = console_warnings.warnings(vm), rights.on_vm(dependencies.settings.rights, Right.WRITE, vm.id)
    try:
        async with gate:
            missing, levels = await asyncio.gather(
                dependencies.rights.missing(caller, vm.id.resource_id, actions), dependencies.policies.over(vm.id)
            )
    except Unavailable as error:
        if caller.kind is CallerKind.APPLICATION:
            return error
        return ListedVm(vm, (tell_unavailable(error, vm.id.resource_id),), warnings)
    if isinstance(missing, Refusal):
        return ListedVm(vm, (missing,), warnings)
    if rights.read_action(vm.id) in missing:
        return None
    inspected = checks.Inspected(vm, caller, Right.WRITE, missing, service(dependencies), levels)
    return ListedVm(vm, tuple(checks.refusals(checks.check(inspected, BRIEFLY))), warnings)
