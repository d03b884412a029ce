"""The checks of a VM before its console opens. Warnings are in console_warnings.py.

Every check is made, in the order in which a person fixes the causes, so that one answer names them all.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from shared.access import policy
from shared.access.approval import Approval
from shared.access.diagnostics_account import DiagnosticsAccount, NoDiagnosticsAccount
from shared.access.policy import Level
from shared.access.rights import Right
from shared.base.caller import Caller, CallerKind
from shared.base.refusals import TABLE, Code, Refusal, refuse
from shared.base.vm import Power, Vm, VmId

POWER_RETRY_SECONDS = 15
"""Retry-After for a VM that is starting."""
_ON_ITS_WAY = frozenset({Power.STARTING, Power.UNKNOWN})


class CheckName(StrEnum):
    SIGN_IN = "signIn"
    PERMISSION = "permission"
    CLOUD = "cloud"
    REGION = "region"
    SWITCH = "switch"
    PORT = "port"
    NETWORK = "network"
    TAG = "tag"
    LOCK = "lock"
    PROVISIONING = "provisioning"
    POWER = "power"
    BOOT_DIAGNOSTICS = "bootDiagnostics"
    STORAGE = "storage"
    REASON = "reason"
    APPROVAL = "approval"


@dataclass(frozen=True, slots=True)
class Check:
    """One check; `refusal` is None when it passed."""

    what: CheckName
    refusal: Refusal | None


@dataclass(frozen=True, slots=True)
class Service:
    """The clouds and regions that the service serves, as its settings have them."""

    cloud: str
    clouds: frozenset[str]
    closed_regions: frozenset[str]
    on_by_default: bool


@dataclass(frozen=True, slots=True)
class AzureConstraints:
    """Locks and switches of Azure that affect a VM's console, the same for every caller."""

    lock: str | None
    """Name of a read-only lock on the VM or above it; it forbids every action there."""
    subscription_enabled: bool
    port_enabled: bool


OPEN = AzureConstraints(None, subscription_enabled=True, port_enabled=True)


@dataclass(frozen=True, slots=True)
class StorageCheck:
    """The VM's own boot-diagnostics account, and the actions that the caller lacks on it."""

    account: DiagnosticsAccount | NoDiagnosticsAccount
    name: str
    missing: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Inspected:
    """Everything that the checks read. `storage` is None if the platform stores the diagnostics."""

    vm: Vm
    caller: Caller
    right: Right
    missing: Sequence[str]
    """Azure actions that the caller lacks on the VM."""
    service: Service
    levels: Sequence[Level] = ()
    around: AzureConstraints = OPEN
    storage: StorageCheck | None = None
    reason: str | None = None
    approvals: Sequence[Approval] = ()
    now: float = 0.0


def check(inspected: Inspected, checks: Sequence[CheckName] = tuple(CheckName)) -> tuple[Check, ...]:
    """Makes the checks of one VM, all of them by default, and returns them in the given order."""
    return tuple(Check(what, _CHECKS[what](inspected)) for what in checks)


def refusals(checks: Sequence[Check]) -> list[Refusal]:
    """Returns the refusals of the checks that did not pass, in order."""
    return [check.refusal for check in checks if check.refusal]


def _refuse(inspected: Inspected, code: Code, because: str | None = None) -> Refusal:
    return refuse(code, because=because, target=inspected.vm.id.resource_id, caller=inspected.caller.oid)


def _sign_in(inspected: Inspected) -> Refusal | None:
    context = policy.sign_in_wanted(inspected.levels, inspected.right, inspected.caller.contexts)
    return step_up(inspected.caller, context) if context else None


def step_up(caller: Caller, context: str) -> Refusal:
    """Returns a claims challenge for an authentication context, or a refusal if the client cannot handle one."""
    if caller.kind is CallerKind.APPLICATION or not caller.answers_challenges:
        return refuse(Code.STEP_UP_UNSUPPORTED)
    challenge = {"access_token": {"acrs": {"essential": True, "value": context}}}
    return refuse(Code.MFA_REQUIRED, claims=json.dumps(challenge))


_LACKED: Mapping[Right, Code] = {
    Right.WATCH: Code.VM_PERMISSION_DENIED,
    Right.WRITE: Code.VM_PERMISSION_DENIED,
    Right.POWER: Code.POWER_PERMISSION_DENIED,
    Right.NMI: Code.NMI_PERMISSION_DENIED,
    Right.ADMINISTER: Code.ADMINISTRATION_DENIED,
    Right.READ: Code.TRANSCRIPT_PERMISSION_DENIED,
    Right.APPROVE: Code.APPROVER_PERMISSION_DENIED,
}


def _permission(inspected: Inspected) -> Refusal | None:
    return _refuse(inspected, _LACKED[inspected.right]) if inspected.missing else None


def _cloud(inspected: Inspected) -> Refusal | None:
    service = inspected.service
    if service.cloud in service.clouds:
        return None
    return _refuse(inspected, Code.CLOUD_NOT_AVAILABLE, f"The service does not serve the cloud {service.cloud}.")


def _region(inspected: Inspected) -> Refusal | None:
    region = policy.region_name(inspected.vm.location)
    if region in policy.closed_regions([*inspected.service.closed_regions]):
        return _refuse(inspected, Code.REGION_NOT_AVAILABLE, f"The service does not serve the region {region}.")
    level = policy.region_refusing(inspected.levels, region)
    if level is None:
        return None
    because = f"The policy of {level.place} does not allow the region {region}."
    return _refuse(inspected, Code.REGION_NOT_AVAILABLE, because)


def _switch(inspected: Inspected) -> Refusal | None:
    """Checks Azure's own switch of the subscription, and ours at every scope."""
    if not inspected.around.subscription_enabled:
        return _refuse(inspected, Code.CONSOLE_DISABLED_FOR_SUBSCRIPTION)
    return switch_refusal(inspected.vm.id, inspected.levels, inspected.service)


def switch_refusal(vm: VmId, levels: Sequence[Level], service: Service) -> Refusal | None:
    """Checks only our own switch. It calls nothing, so every heartbeat can do it."""
    level = policy.switched_off(levels, by_default=not service.on_by_default)
    if level is None:
        return None
    if level.scope == vm.subscription_id.lower():
        refusal = refuse(Code.CONSOLE_DISABLED_FOR_SUBSCRIPTION, target=vm.resource_id)
        fix = TABLE[Code.CONSOLE_DISABLED_BY_POLICY].fix  # the command of the other is for Azure's own switch
        return replace(refusal, fix=fix, fix_command=None)
    because = f"The policy of {level.place} has switched the console off."
    return refuse(Code.CONSOLE_DISABLED_BY_POLICY, because=because, target=vm.resource_id)


def entrance(caller: Caller, levels: Sequence[Level], right: Right, target: str) -> Refusal | None:
    """Checks sign-in and network, the demands of policies that need no VM. `target` is a resource id or a scope."""
    if context := policy.sign_in_wanted(levels, right, caller.contexts):
        return step_up(caller, context)
    level = policy.network_refusing(levels, caller.address)
    return refuse(Code.NETWORK_NOT_ALLOWED, because=_from_elsewhere(level), target=target) if level else None


def _from_elsewhere(level: Level) -> str:
    return f"The policy of {level.place} does not allow this from your network."


def _port(inspected: Inspected) -> Refusal | None:
    return None if inspected.around.port_enabled else _refuse(inspected, Code.SERIAL_PORT_DISABLED)


def _network(inspected: Inspected) -> Refusal | None:
    level = policy.network_refusing(inspected.levels, inspected.caller.address)
    if level is None:
        return None
    return _refuse(inspected, Code.NETWORK_NOT_ALLOWED, _from_elsewhere(level))


def _tag(inspected: Inspected) -> Refusal | None:
    tag = policy.tag_missing(inspected.levels, inspected.vm.tags)
    because = tag and f"A policy allows consoles only of VMs with the tag {tag}."
    return _refuse(inspected, Code.TAG_NOT_ALLOWED, because) if tag else None


def _lock(inspected: Inspected) -> Refusal | None:
    lock = inspected.around.lock
    return (
        _refuse(inspected, Code.RESOURCE_LOCKED, f"The read-only lock {lock} stops the serial console.")
        if lock
        else None
    )


def _provisioning(inspected: Inspected) -> Refusal | None:
    return None if inspected.vm.provisioning == "Succeeded" else _refuse(inspected, Code.VM_PROVISIONING)


def _power(inspected: Inspected) -> Refusal | None:
    """Refuses a VM that does not run. One that is starting has no serial port yet; its refusal has a Retry-After."""
    if inspected.vm.power is Power.RUNNING:
        return None
    refusal = _refuse(inspected, Code.VM_NOT_RUNNING)
    return replace(refusal, retry_after=POWER_RETRY_SECONDS) if inspected.vm.power in _ON_ITS_WAY else refusal


def _boot_diagnostics(inspected: Inspected) -> Refusal | None:
    return None if inspected.vm.boot_diagnostics else _refuse(inspected, Code.BOOT_DIAGNOSTICS_DISABLED)


_NO_ACCOUNT: Mapping[NoDiagnosticsAccount, Code] = {
    NoDiagnosticsAccount.MALFORMED: Code.BOOT_DIAGNOSTICS_URI_INVALID,
    NoDiagnosticsAccount.DELETED: Code.BOOT_DIAGNOSTICS_STORAGE_NOT_FOUND,
    NoDiagnosticsAccount.UNSEEN: Code.STORAGE_RESOURCE_GROUP_UNKNOWN,
}


def _storage(inspected: Inspected) -> Refusal | None:
    """Checks that the account exists, then the caller's rights on it, then its configuration."""
    if inspected.storage is None:
        return None
    account, target = inspected.storage.account, inspected.vm.id.resource_id
    if isinstance(account, NoDiagnosticsAccount):
        return refuse(_NO_ACCOUNT[account], target=target, account=inspected.storage.name)
    code = Code.STORAGE_PERMISSION_DENIED if inspected.storage.missing else _unfit(account)
    if code is None:
        return None
    nearby = account.resource_id.lower().startswith(f"/subscriptions/{inspected.vm.id.subscription}/".lower())
    storage = {"storage": account.resource_id} if nearby else {}  # where it lies elsewhere, not everybody may know
    return refuse(code, target=target, caller=inspected.caller.oid, account=account.name, **storage)


def _unfit(account: DiagnosticsAccount) -> Code | None:
    """Returns why Azure's console cannot use the account, the same for every caller (SupportArticles-docs:
    serial-console-errors.md on firewalls and hierarchical namespaces, issues 557 and 748 on keys).
    """
    if account.hierarchical:
        return Code.BOOT_DIAGNOSTICS_STORAGE_UNSUPPORTED
    if account.firewalled:
        return Code.BOOT_DIAGNOSTICS_STORAGE_FORBIDDEN
    return Code.BOOT_DIAGNOSTICS_STORAGE_KEYLESS if account.keyless else None


def _reason(inspected: Inspected) -> Refusal | None:
    because = policy.reasons_wanted(inspected.levels, inspected.reason)
    return _refuse(inspected, Code.REASON_REQUIRED, because) if because else None


def _approval(inspected: Inspected) -> Refusal | None:
    if policy.approval_seconds(inspected.levels, inspected.right) is None:
        return None
    subject, right, now = inspected.caller.subject, inspected.right, inspected.now
    if any(each.covers(subject, right, now) for each in inspected.approvals):
        return None
    waiting = any(each.awaits(subject, right, now) for each in inspected.approvals)
    return _refuse(inspected, Code.APPROVAL_PENDING if waiting else Code.APPROVAL_REQUIRED)


_CHECKS: Mapping[CheckName, Callable[[Inspected], Refusal | None]] = {
    CheckName.SIGN_IN: _sign_in,
    CheckName.PERMISSION: _permission,
    CheckName.CLOUD: _cloud,
    CheckName.REGION: _region,
    CheckName.SWITCH: _switch,
    CheckName.PORT: _port,
    CheckName.NETWORK: _network,
    CheckName.TAG: _tag,
    CheckName.LOCK: _lock,
    CheckName.PROVISIONING: _provisioning,
    CheckName.POWER: _power,
    CheckName.BOOT_DIAGNOSTICS: _boot_diagnostics,
    CheckName.STORAGE: _storage,
    CheckName.REASON: _reason,
    CheckName.APPROVAL: _approval,
}
