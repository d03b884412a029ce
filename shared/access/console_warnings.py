"""Warnings about a VM: its console opens, but may not behave as the user expects."""

from dataclasses import dataclass

from shared.base.vm import Os, Vm

_DESKTOP = "microsoftwindowsdesktop"
"""Publisher of the images of Windows client editions."""


@dataclass(frozen=True, slots=True)
class ConsoleWarning:
    code: str
    message: str
    fix: str
    fix_command: str | None = None


def warnings(vm: Vm) -> tuple[ConsoleWarning, ...]:
    result = []
    if vm.os is Os.LINUX and not vm.password_login:
        result.append(_password_login(vm))
    if vm.os is Os.WINDOWS:
        result.append(_CLIENT if vm.publisher.lower() == _DESKTOP else _SAC)
    if vm.storage_uri:
        result.append(_CUSTOM_ACCOUNT)
    if not vm.latest_model:
        result.append(_former_model(vm))
    return tuple(result)


def _password_login(vm: Vm) -> ConsoleWarning:
    return ConsoleWarning(
        "PasswordLoginUnavailable",
        "This VM was created with SSH keys only; a serial console needs a local user with a password.",
        "Give a local user a password with the VM Access extension.",
        f"az vm user update --ids {vm.id.resource_id} --username <user> --password <password>",
    )


_SAC = ConsoleWarning(
    "WindowsSacMayBeOff",
    "The Special Administration Console may be off in this VM; then the console stays silent.",
    "Turn it on inside the VM and restart it.",
    "bcdedit /ems {current} on && bcdedit /emssettings EMSPORT:1 EMSBAUDRATE:115200",
)
_CLIENT = ConsoleWarning(
    "WindowsClientNoConsole",
    "This is a client edition of Windows: it has no Special Administration Console, only its boot can be seen.",
    "Use the boot screenshot, or repair the disk from another VM.",
    "az vm repair create --ids <vm>",
)
_CUSTOM_ACCOUNT = ConsoleWarning(
    "BootDiagnosticsOnCustomAccount",
    "Boot diagnostics of this VM are kept in a storage account of your own; its firewall may stop them.",
    "Consider boot diagnostics with managed storage.",
)


def _former_model(vm: Vm) -> ConsoleWarning:
    return ConsoleWarning(
        "ScaleSetInstanceNotLatestModel",
        "This instance still runs a former model of its scale set; settings changed there since do not hold here.",
        "Bring the instance up to the latest model.",
        f"az vmss update-instances --resource-group {vm.id.group} --name {vm.id.scale_set} --instance-ids {vm.id.name}",
    )
