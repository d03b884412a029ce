"""Checks one VM for a caller. A caller who may not read it gets a refusal that reveals nothing."""

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
"""All but the reason, which comes with the request itself."""
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
"""Checks of a command like a restart, which a VM in any state may need."""
ASKING = (*POLICY, CheckName.REASON)
"""Checks of a request for approval."""
ENTRANCE = (CheckName.SIGN_IN, CheckName.PERMISSION, CheckName.NETWORK)
"""Checks of actions that do not touch the serial port: approving, administering."""
READING = (*ENTRANCE, CheckName.STORAGE)
LIVE = (
    CheckName.PERMISSION, CheckName.CLOUD, CheckName.REGION, CheckName.SWITCH, CheckName.PORT, CheckName.TAG,
    CheckName.BOOT_DIAGNOSTICS, CheckName.STORAGE, CheckName.APPROVAL,
)  # fmt: skip
"""Checks of an open session. Its serial port shows when the VM stops. Network, sign-in and reason were checked when the
session was opened.
"""
_CONSTRAINT_CHECKS = frozenset({CheckName.SWITCH, CheckName.PORT, CheckName.LOCK})


@dataclass(frozen=True, slots=True)
class RequiredRight:
    """The right that a request needs, and the checks that it must pass."""

    right: Right = Right.WRITE
    checks: Sequence[CheckName] = SESSION
    reason: str | None = None
    fresh: bool = False
    """Ignore cached answers of Azure."""


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
    """Makes the checks of a VM, and returns it with their results and its warnings. Raises Unavailable.

    An application's VM is read with the service's own identity, so its right to read is checked here: without it, the
    VM does not exist. Unknown and forbidden VMs cost the same calls, so their answers take equally long.
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
    """Returns the VM if all checks pass, else one refusal that holds all that failed. Raises Unavailable."""
    examined = await examine_vm(dependencies, caller, vm, required)
    if isinstance(examined, Refusal) or not examined.refusals:
        return examined
    return together(examined.refusals)


async def admit_to_remains(dependencies: AccessDependencies, caller: Caller, vm: VmId, right: Right) -> Refusal | None:
    """Checks the right to the transcripts of a deleted VM: the right on its group, or on its subscription, counts.

    While the VM exists, only rights on the VM itself count, and this refuses. Raises Unavailable.
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
    """Reads everything that the checks need, all at the same time. Raises Unavailable."""
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
    if isinstance(described, Refusal):  # its reason is only for callers who may read the VM
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
    """Looks up the VM's own diagnostics account. None if there is none, diagnostics are off, or the check is off."""
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
