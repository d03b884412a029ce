"""VMs as Compute describes them.

Source: https://learn.microsoft.com/rest/api/compute/virtual-machines/get
"""

import uuid
from typing import Any

from dev.arm.world import SCALE_SET, SCALE_SET_GROUP, SCALE_SET_ID, Unit
from dev.demo import GUEST_USER, REGION, Login, group

Document = dict[str, Any]
_CREATED = "2026-01-05T08:00:00.000Z"


def vm(unit: Unit, power: str | None = None) -> Document:
    """Describe a VM; with its power state the instance view is included."""
    properties = {
        "vmId": _vm_id(unit),
        "hardwareProfile": {"vmSize": unit.vm.size},
        "timeCreated": _CREATED,
        **_shared_properties(unit, power),
    }
    return {**_resource(unit, "Microsoft.Compute/virtualMachines"), "properties": properties}


def in_a_list(unit: Unit) -> Document:
    """Describe a VM as lists do: Compute writes the group in capitals there, whatever it was made as.

    Sources: Azure/azure-sdk-for-python issue 574, Azure/azure-powershell issue 13516.
    """
    return {**vm(unit), "id": _shouted(unit)}


def status(unit: Unit, power: str) -> Document:
    """Describe a VM as `statusOnly=true` does: where it is, and its instance view.

    Source: azure-rest-api-specs, Microsoft.Compute, virtualMachine.json: "statusOnly=true enables fetching run time
    status of all Virtual Machines in the subscription". That nothing else is told is believed.
    """
    told = {"provisioningState": unit.vm.provisioning, "instanceView": instance_view(unit, power)}
    place = {"id": _shouted(unit), "name": unit.vm.name, "location": unit.vm.location}
    return {**place, "type": "Microsoft.Compute/virtualMachines", "properties": told}


def _shouted(unit: Unit) -> str:
    return unit.id.replace(f"/resourceGroups/{unit.vm.group}/", f"/resourceGroups/{unit.vm.group.upper()}/")


def instance(unit: Unit, power: str | None = None) -> Document:
    """Describe an instance of the scale set; of a flexible one, the VM that it is."""
    if unit.instance is None:
        return vm(unit, power)
    properties = {
        "vmId": _vm_id(unit),
        "latestModelApplied": unit.latest_model,
        **_shared_properties(unit, power),
    }
    kind = "Microsoft.Compute/virtualMachineScaleSets/virtualMachines"
    sku = {"name": unit.vm.size, "tier": "Standard"}
    return {**_resource(unit, kind), "instanceId": unit.instance, "sku": sku, "properties": properties}


def scale_set(capacity: int) -> Document:
    return {
        "id": SCALE_SET_ID,
        "name": SCALE_SET,
        "type": "Microsoft.Compute/virtualMachineScaleSets",
        "location": REGION,
        "sku": {"name": "Standard_B2s", "tier": "Standard", "capacity": capacity},
        "properties": {
            "orchestrationMode": "Uniform",
            "provisioningState": "Succeeded",
            "uniqueId": str(uuid.uuid5(uuid.NAMESPACE_URL, SCALE_SET_ID)),
            "upgradePolicy": {"mode": "Manual"},
        },
    }


def instance_view(unit: Unit, power: str) -> Document:
    provisioning = unit.vm.provisioning
    view: Document = {
        "computerName": unit.vm.name,
        "osName": "windows" if unit.vm.os == "Windows" else "debian",
        "statuses": [
            _status(f"ProvisioningState/{provisioning.lower()}", f"Provisioning {provisioning.lower()}"),
            _status(f"PowerState/{power}", f"VM {power}"),
        ],
    }
    if unit.vm.boot_diagnostics:
        view["bootDiagnostics"] = blob_uris(unit) if unit.vm.storage_account else {}
    return view


def blob_uris(unit: Unit) -> Document:
    """Return where screenshot and log lie: in the custom account, or in one that Azure manages."""
    base = _storage_uri(unit) or f"https://md-{_vm_id(unit)[:12]}.z1.blob.storage.azure.net/"
    folder = f"{base}bootdiagnostics-{unit.machine[:9]}-{_vm_id(unit)}/{unit.vm.name}"
    return {
        "consoleScreenshotBlobUri": f"{folder}.screenshot.bmp",
        "serialConsoleLogBlobUri": f"{folder}.serialconsole.log",
    }


def _resource(unit: Unit, kind: str) -> Document:
    return {"id": unit.id, "name": unit.vm.name, "type": kind, "location": unit.vm.location, "tags": dict(unit.vm.tags)}


def _shared_properties(unit: Unit, power: str | None) -> Document:
    told = {
        "provisioningState": unit.vm.provisioning,
        "osProfile": _os_profile(unit),
        "storageProfile": _storage_profile(unit),
        "networkProfile": {"networkInterfaces": [{"id": _network_interface(unit)}]},
        "diagnosticsProfile": {"bootDiagnostics": _boot_diagnostics(unit)},
    }
    return told if power is None else {**told, "instanceView": instance_view(unit, power)}


def _os_profile(unit: Unit) -> Document:
    profile: Document = {"computerName": unit.vm.name, "adminUsername": GUEST_USER, "allowExtensionOperations": True}
    if unit.vm.os == "Windows":
        return {**profile, "windowsConfiguration": {"provisionVMAgent": True}}
    keys_only = unit.vm.login is Login.SSH_KEYS
    return {**profile, "linuxConfiguration": {"disablePasswordAuthentication": keys_only, "provisionVMAgent": True}}


def _storage_profile(unit: Unit) -> Document:
    disk = {"name": f"{unit.vm.name}_osdisk", "osType": unit.vm.os, "createOption": "FromImage", "diskSizeGB": 30}
    linux = {"publisher": "debian", "offer": "debian-12", "sku": "12-gen2", "version": "latest"}
    windows = {
        "publisher": "MicrosoftWindowsServer",
        "offer": "WindowsServer",
        "sku": "2022-datacenter",
        "version": "latest",
    }
    image = windows if unit.vm.os == "Windows" else linux
    if unit.vm.image is not None:
        image = {"publisher": unit.vm.image[0], "offer": unit.vm.image[1], "sku": "pro", "version": "latest"}
    return {"imageReference": image, "osDisk": disk, "dataDisks": []}


def _boot_diagnostics(unit: Unit) -> Document:
    uri = _storage_uri(unit)
    on = unit.vm.boot_diagnostics
    return {"enabled": on, "storageUri": uri} if on and uri else {"enabled": on}


def _storage_uri(unit: Unit) -> str | None:
    account = unit.vm.storage_account
    if unit.vm.storage_uri is not None:
        return unit.vm.storage_uri
    return f"https://{account}.blob.core.windows.net/" if account else None


def _network_interface(unit: Unit) -> str:
    where = group(unit.vm.group if unit.instance is None else SCALE_SET_GROUP)
    return f"{where}/providers/Microsoft.Network/networkInterfaces/{unit.vm.name}-nic"


def _vm_id(unit: Unit) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, unit.id.lower()))


def _status(code: str, display: str) -> Document:
    return {"code": code, "level": "Info", "displayStatus": display}
