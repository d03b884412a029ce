"""One VM as the caller meets it: all checks at once, or a refusal that tells nothing."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from shared.access import checks, diagnostics_account, rights
from shared.access.approval import Approval
from shared.access.checks import OPEN, AzureConstraints, Check, CheckName, Inspected, Service, StorageCheck
from shared.access.console_warnings import ConsoleWarning, warnings
from shared.access.dependencies import AccessDependencies
from shared.access.diagnostics_account import DiagnosticsAccount, NoDiagnosticsAccount
from shared.access.policy import Level
from shared.access.rights import Right
from shared.base.caller import Caller
from shared.base.refusals import Code, Refusal, refuse, together
from shared.base.vm import Vm, VmId

SESSION = tuple(CheckName)
PREFLIGHT = tuple(what for what in CheckName if what is not CheckName.REASON)
"""A reason is given with the request itself."""
POLICY = (
    CheckName.SIGN_IN,
    CheckName.PERMISSION,
    CheckName.CLOUD,
    CheckName.REGION,
    CheckName.SWITCH,
    CheckName.NETWORK,
    CheckName.TAG,
)
ACT = (*POLICY, CheckName.LOCK, CheckName.REASON, CheckName.APPROVAL)
"""Of an act like a restart, which a VM in any state may need."""
ASKING = (*POLICY, CheckName.REASON)
"""Of a request for approval."""
ENTRANCE = (CheckName.SIGN_IN, CheckName.PERMISSION, CheckName.NETWORK)
"""Of what touches no line: approving, administering."""
READING = (*ENTRANCE, CheckName.STORAGE)
LIVE = (
    CheckName.PERMISSION, CheckName.CLOUD, CheckName.REGION, CheckName.SWITCH, CheckName.PORT, CheckName.TAG,
    CheckName.BOOT_DIAGNOSTICS, CheckName.STORAGE, CheckName.APPROVAL,
)  # fmt: skip
"""Of a session that is open. That a VM stops, its port tells; where somebody comes from, how they signed in and why was
asked when they came.
"""
_CONSTRAINT_CHECKS = frozenset({CheckName.SWITCH, CheckName.PORT, CheckName.LOCK})


@dataclass(frozen=True, slots=True)
class RequiredRight:
    """What for, and how it is asked."""

    right: Right = Right.WRITE
    checks: Sequence[CheckName] = SESSION
    reason: str | None = None
    fresh: bool = False
    """Nothing that was answered before will do."""


@dataclass(frozen=True, slots=True)
class Examined:
    vm: Vm
    checks: tuple[Check, ...]
    warnings: tuple[ConsoleWarning, ...]
    levels: Sequence[Level] = ()
    approvals: Sequence[Approval] = ()

    @property
    def refusals(self) -> list[Refusal]:
        return checks.refusals(self.checks)


async def examine_vm(
    dependencies: AccessDependencies, caller: Caller, vm: VmId, required: RequiredRight
) -> Examined | Refusal:
    """Raises Unavailable.

    An application's VM is read with the service's own identity, so its right to read is asked here: without it,
    the VM does not exist. Unknown and forbidden VMs are asked the same questions, so their answers take as long.
    """
    inspected = await inspect_vm(dependencies, caller, vm, required)
    if isinstance(inspected, Refusal):
        return inspected
    if rights.read_action(vm) in inspected.missing:
        return refuse(Code.VM_NOT_FOUND, target=vm.resource_id)
    made = checks.check(inspected, required.checks)
    return Examined(inspected.vm, made, warnings(inspected.vm), inspected.levels, inspected.approvals)


async def admit_to_vm(
    dependencies: AccessDependencies, caller: Caller, vm: VmId, required: RequiredRight
) -> Examined | Refusal:
    """The VM, when nothing stands in the way; else all that does as one refusal. Raises Unavailable."""
    examined = await examine_vm(dependencies, caller, vm, required)
    if isinstance(examined, Refusal) or not examined.refusals:
        return examined
    return together(examined.refusals)


async def admit_to_remains(dependencies: AccessDependencies, caller: Caller, vm: VmId, right: Right) -> Refusal | None:
    """To what is kept of a VM that is gone: whoever holds the right at what enclosed it held it there, too. As long as
    the VM is there, only its own rights count. Raises Unavailable.
    """
    actions = rights.on_vm(dependencies.settings.rights, right, vm)
    place, missing, levels = await asyncio.gather(
        dependencies.around.remains(vm),
        dependencies.rights.missing(caller, vm.group_id, actions),
        dependencies.policies.over(vm),
    )
    if place is not None and place != vm.group_id:
        missing = await dependencies.rights.missing(caller, place, actions)
    if isinstance(missing, Refusal):
        return missing
    if place is None or missing:
        return refuse(Code.VM_NOT_FOUND, target=vm.resource_id)
    return checks.entrance(caller, levels, right, vm.resource_id)


async def inspect_vm(
    dependencies: AccessDependencies, caller: Caller, vm: VmId, required: RequiredRight
) -> Inspected | Refusal:
    """What the checks look at, all asked for at the same time. Raises Unavailable."""
    actions = rights.on_vm(dependencies.settings.rights, required.right, vm)
    described, missing, levels, constraints, approvals = await asyncio.gather(
        dependencies.vms.find(caller, vm),
        dependencies.rights.missing(caller, vm.resource_id, actions, fresh=required.fresh),
        dependencies.policies.over(vm),
        _get_constraints(dependencies, vm, required),
        _get_approvals(dependencies, caller, vm, required),
    )
    if isinstance(missing, Refusal):
        return missing
    if isinstance(described, Refusal):  # what else there is to say of it is for those who may read it
        hidden = rights.read_action(vm) in missing
        return refuse(Code.VM_NOT_FOUND, target=vm.resource_id) if hidden else described
    storage = (
        None if rights.read_action(vm) in missing else await _check_storage(dependencies, caller, described, required)
    )
    if isinstance(storage, Refusal):
        return storage
    return Inspected(
        described,
        caller,
        required.right,
        missing,
        service(dependencies),
        levels,
        constraints,
        storage,
        required.reason,
        approvals,
        dependencies.clock.now(),
    )


def service(dependencies: AccessDependencies) -> Service:
    settings = dependencies.settings
    return Service(
        settings.cloud, frozenset(settings.clouds), frozenset(settings.closed_regions), settings.console_default
    )


async def _get_constraints(dependencies: AccessDependencies, vm: VmId, required: RequiredRight) -> AzureConstraints:
    return await dependencies.around.of(vm, fresh=required.fresh) if _CONSTRAINT_CHECKS & {*required.checks} else OPEN


async def _get_approvals(
    dependencies: AccessDependencies, caller: Caller, vm: VmId, required: RequiredRight
) -> Sequence[Approval]:
    return await dependencies.approvals.of(vm, caller.subject) if CheckName.APPROVAL in required.checks else ()


async def _check_storage(
    dependencies: AccessDependencies, caller: Caller, vm: Vm, required: RequiredRight
) -> StorageCheck | Refusal | None:
    """None where there is nothing to ask: diagnostics are off or the platform's own, or the service does not mind."""
    uri = vm.storage_uri
    if not (
        uri and vm.boot_diagnostics and dependencies.settings.storage_check and CheckName.STORAGE in required.checks
    ):
        return None
    name = diagnostics_account.account_of(uri, dependencies.settings.storage_suffix)
    if name is None:
        return StorageCheck(NoDiagnosticsAccount.MALFORMED, "")
    account = await dependencies.around.account(name, vm.id, fresh=required.fresh)
    return (
        await _check_account(dependencies, caller, account, required)
        if isinstance(account, DiagnosticsAccount)
        else StorageCheck(account, name)
    )


async def _check_account(
    dependencies: AccessDependencies, caller: Caller, account: DiagnosticsAccount, required: RequiredRight
) -> StorageCheck | Refusal:
    actions = rights.on_storage(dependencies.settings.rights, required.right)
    missing = (
        await dependencies.rights.missing(caller, account.resource_id, actions, fresh=required.fresh) if actions else ()
    )
    return missing if isinstance(missing, Refusal) else StorageCheck(account, account.name, missing)
