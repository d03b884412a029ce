"""What `connect` of Microsoft.SerialConsole is refused with.

Status and sentence are those that people met, where a source is named; the codes are not public, nor whether the
sentences of the portal come from here: both are believed. P is the page serial-console-errors.md of
MicrosoftDocs/SupportArticles-docs (07/2025), an issue is one of microsoft/azserialconsole.
"""

from dev.arm.refusals import RefusedError
from dev.arm.routing import Call
from dev.arm.world import StorageAccount, Unit, World

_FORBIDDEN = 'A "Forbidden" response was encountered when accessing this VM\'s boot diagnostic storage account.'
_HIERARCHICAL = (
    "Specified feature is not yet supported for hierarchical namespace accounts.\n"
    "RequestId:0c794bed-601e-0070-7ede-497346000000\nTime:2022-04-06T17:51:06.0857462Z"
)
_NO_ACCOUNT = (
    "The storage account '{}' used for boot diagnostics on this VM could not be found. Verify that boot diagnostics is "
    "enabled for this VM, this storage account has not been deleted, and you have access to this storage account."
)
_RUNNING = (
    "Azure Serial Console requires a virtual machine to be running. Use the Start button above to start your virtual "
    "machine."
)
_PROVISIONING = (
    "Provisioning for this VM has not yet succeeded. Please ensure the VM is fully deployed and retry the serial "
    "console connection."
)
_DIAGNOSTICS = (
    "Azure Serial Console requires boot diagnostics to be enabled. Click here to configure boot diagnostics for your "
    "virtual machine."
)
_SWITCHED_OFF = (
    "Azure Serial Console is not enabled for this subscription, contact your subscription administrator to enable."
)


NO_RIGHT = (
    "You do not have the required permissions to use this VM with the serial console. Ensure you have at least Virtual "
    "Machine Contributor role permissions."
)
_ON_THE_VM = ("start/action", "read", "write")
_ON_THE_ACCOUNT = ("Microsoft.Storage/storageAccounts/listKeys/action", "Microsoft.Storage/storageAccounts/read")


def may_connect(call: Call, unit: Unit) -> bool:
    """Beside `connect` itself, what Microsoft publishes as the least for a connection: serial-console-enable-disable.md
    of MicrosoftDocs/SupportArticles-docs (10/2025). That all of it is asked for, and of an account that is not the
    user's at the VM, is believed; so is that an instance of a scale set has its own kind's actions.
    """
    kind = "virtualMachines" if unit.instance is None else "virtualMachineScaleSets/virtualMachines"
    group = unit.id.split("/providers/")[0]
    name = unit.vm.storage_account if unit.vm.storage_uri is None else None
    wanted = [
        *((f"Microsoft.Compute/{kind}/{each}", unit.id) for each in _ON_THE_VM),
        ("Microsoft.Resources/subscriptions/resourceGroups/read", group),
        *((each, _account_id(call.world, name) or unit.id) for each in _ON_THE_ACCOUNT),
    ]
    return all(call.may(action, scope) for action, scope in wanted)


def _account_id(world: World, name: str | None) -> str | None:
    account = world.accounts.get(name) if name else None
    if account is None:
        return None
    group = f"/subscriptions/{account.subscription}/resourceGroups/{account.group}"
    return f"{group}/providers/Microsoft.Storage/storageAccounts/{name}"


def connect_refusal(world: World, unit: Unit, *, running: bool) -> RefusedError | None:
    """None lets it connect. A read-only lock is ARM's own affair (issue 12: 409 ScopeLocked)."""
    if world.console_disabled:
        return RefusedError(403, "Forbidden", _SWITCHED_OFF)  # the sentence: P
    if not unit.port_enabled:
        return RefusedError(409, "SerialPortDisabled", f"The serial port 0 of '{unit.vm.name}' is disabled.")
    if unit.vm.provisioning != "Succeeded":
        return RefusedError(400, "InvalidRequest", _PROVISIONING)  # issue 45: 'Bad Request' (400)
    if not running:
        return RefusedError(409, "Conflict", _RUNNING)  # the sentence: P
    if not unit.vm.boot_diagnostics:
        return RefusedError(409, "Conflict", _DIAGNOSTICS)  # the sentence: P
    name = unit.vm.storage_account if unit.vm.storage_uri is None else None
    return _of_the_account(name, world.accounts.get(name)) if name else None


def _of_the_account(name: str, account: StorageAccount | None) -> RefusedError | None:
    if account is None:
        return RefusedError(404, "NotFound", _NO_ACCOUNT.format(name))  # the sentence: P
    if account.hierarchical:
        return RefusedError(409, "Conflict", _HIERARCHICAL)  # issue 98: 'Conflict' (409)
    closed = account.default_action == "Deny" and not account.ip_rules
    if closed or account.public_access == "Disabled":
        return RefusedError(403, "Forbidden", _FORBIDDEN)  # issue 53: 'Forbidden' (403)
    if account.shared_keys is False:
        # SupportArticles-docs issue 748: the same sentence as a firewall's
        return RefusedError(403, "Forbidden", _FORBIDDEN)
    return None
