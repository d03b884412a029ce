"""What stands in the way of a console, and what is worth a warning.

Every check is made, in the order in which a person mends them, so that nobody mends one only to meet the next.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from shared.domain.refusals import Code, Refusal, refuse
from shared.domain.vm import Os, Power, Vm

POWER_RETRY_SECONDS = 15
"""When to ask again about a VM that is on its way up."""
_ON_ITS_WAY = frozenset({Power.STARTING, Power.UNKNOWN})


class Checked(StrEnum):
    PERMISSION = "permission"
    PROVISIONING = "provisioning"
    POWER = "power"
    BOOT_DIAGNOSTICS = "bootDiagnostics"


@dataclass(frozen=True, slots=True)
class Check:
    """One check; `refusal` is None when it passed."""

    what: Checked
    refusal: Refusal | None


def check(vm: Vm, missing: Sequence[str], caller: str) -> tuple[Check, ...]:
    """All checks of one VM. `missing` are the Azure actions the caller lacks; `caller` is their object id."""
    return (
        Check(Checked.PERMISSION, _permission(vm, missing, caller)),
        Check(Checked.PROVISIONING, _provisioning(vm)),
        Check(Checked.POWER, _power(vm)),
        Check(Checked.BOOT_DIAGNOSTICS, _boot_diagnostics(vm)),
    )


def refusals(checks: Sequence[Check]) -> list[Refusal]:
    """Those that did not pass, in order."""
    return [check.refusal for check in checks if check.refusal]


def _permission(vm: Vm, missing: Sequence[str], caller: str) -> Refusal | None:
    if not missing:
        return None
    return refuse(Code.VM_PERMISSION_DENIED, target=vm.id.resource_id, caller=caller)


def _provisioning(vm: Vm) -> Refusal | None:
    if vm.provisioning == "Succeeded":
        return None
    return refuse(Code.VM_PROVISIONING, target=vm.id.resource_id)


def _power(vm: Vm) -> Refusal | None:
    """A VM that is starting has no serial port yet: refused, but worth asking again."""
    if vm.power is Power.RUNNING:
        return None
    refusal = refuse(Code.VM_NOT_RUNNING, target=vm.id.resource_id)
    return replace(refusal, retry_after=POWER_RETRY_SECONDS) if vm.power in _ON_ITS_WAY else refusal


def _boot_diagnostics(vm: Vm) -> Refusal | None:
    return None if vm.boot_diagnostics else refuse(Code.BOOT_DIAGNOSTICS_DISABLED, target=vm.id.resource_id)


@dataclass(frozen=True, slots=True)
class Warn:
    """Something that opens no less a console, and may still surprise."""

    code: str
    message: str
    fix: str
    fix_command: str | None = None


def warnings(vm: Vm) -> tuple[Warn, ...]:
    found = []
    if vm.os is Os.LINUX and not vm.password_login:
        found.append(_password_login(vm))
    if vm.os is Os.WINDOWS:
        found.append(_SAC)
    if vm.storage_uri:
        found.append(_CUSTOM_ACCOUNT)
    return tuple(found)


def _password_login(vm: Vm) -> Warn:
    return Warn(
        "PasswordLoginUnavailable",
        "This VM was created with SSH keys only; a serial console needs a local user with a password.",
        "Give a local user a password with the VM Access extension.",
        f"az vm user update --ids {vm.id.resource_id} --username <user> --password <password>",
    )


_SAC = Warn(
    "WindowsSacMayBeOff",
    "The Special Administration Console may be off in this VM; then the console stays silent.",
    "Turn it on inside the VM and restart it.",
    "bcdedit /ems {current} on && bcdedit /emssettings EMSPORT:1 EMSBAUDRATE:115200",
)
_CUSTOM_ACCOUNT = Warn(
    "BootDiagnosticsOnCustomAccount",
    "Boot diagnostics of this VM are kept in a storage account of your own; its firewall may stop them.",
    "Consider boot diagnostics with managed storage.",
)
