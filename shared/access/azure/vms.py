"""VMs as Azure Resource Manager describes them (Microsoft.Compute)."""

import asyncio
from collections.abc import Sequence
from typing import Any

from azure.core.exceptions import ClientAuthenticationError, HttpResponseError

from shared.access.azure.arm_clients import ArmAccess, ArmClients, asking_arm, signed_out
from shared.access.azure.arm_pages import list_items
from shared.access.ports import Visible
from shared.base.caller import Caller
from shared.base.ports import Unavailable
from shared.base.refusals import Code, Refusal, refuse
from shared.base.vm import InvalidVmId, Os, Power, Vm, VmId

_POWER = "PowerState/"


class ArmVms:
    def __init__(self, access: ArmAccess, subscriptions: Sequence[str]) -> None:
        self._access, self._subscriptions = access, subscriptions

    async def find(self, caller: Caller, vm: VmId) -> Vm | Refusal:
        """Turns ARM's 403 and 404 into one refusal, so that it does not reveal if the VM exists."""
        try:
            async with asking_arm():
                model = await _get(self._access.of(caller), vm)
                return _misnamed(vm, model) or _instance(vm, model)
        except ClientAuthenticationError as error:
            return signed_out(error, caller)
        except HttpResponseError:
            return refuse(Code.VM_NOT_FOUND, target=vm.resource_id)

    async def visible(self, caller: Caller) -> Visible | Refusal:
        """Lists the VMs of all subscriptions. Instances of scale sets are not listed; they are opened by their id."""
        clients, subscriptions = self._access.of(caller), self._subscriptions
        try:
            results = await asyncio.gather(*(_listed_in(clients, subscription) for subscription in subscriptions))
        except ClientAuthenticationError as error:
            return signed_out(error, caller)
        vms = [vm for vms in results if not isinstance(vms, Unavailable) for vm in vms]
        unasked = {name: why for name, why in zip(subscriptions, results, strict=True) if isinstance(why, Unavailable)}
        return Visible(vms, unasked)


def described(model: Any) -> Vm | None:
    """Converts a VM of a plain list, which has no power states; None if its id is not that of a VM."""
    return _listed(model, None)


async def _get(clients: ArmClients, vm: VmId) -> Any:
    compute = clients.compute(vm.subscription)
    if vm.scale_set:
        return await compute.virtual_machine_scale_set_vms.get(vm.group, vm.scale_set, vm.name, expand="instanceView")
    return await compute.virtual_machines.get(vm.group, vm.name, expand="instanceView")


def _misnamed(vm: VmId, model: Any) -> Refusal | None:
    """Refuses an instance of a flexible scale set under its second name: it is a VM of its own, and would have two
    consoles.
    """
    model_id = str(model.id or "")
    if not vm.scale_set or "virtualmachinescalesets" in model_id.lower():
        return None
    because = f"An instance of a flexible scale set is addressed as the VM that it is: {model_id}"
    return refuse(Code.INVALID_REQUEST, because=because, target=vm.resource_id)


async def _listed_in(clients: ArmClients, subscription: str) -> list[Vm] | Unavailable:
    """Lists the VMs of a subscription, or returns why they cannot be read. ARM's own 403 or 404 means none."""
    try:
        async with asking_arm():
            return await _list(clients, subscription)
    except ClientAuthenticationError:
        raise
    except HttpResponseError:
        return []
    except Unavailable as error:
        return error


async def _list(clients: ArmClients, subscription: str) -> list[Vm]:
    """Reads two lists: `statusOnly` returns the power states and little else, the plain one all but power states."""
    machines = clients.compute(subscription).virtual_machines
    models, states = await asyncio.gather(
        list_items(machines.list_all),
        list_items(machines.list_all, status_only="true"),
    )
    views = {str(each.id).lower(): _at(each, "properties", "instance_view") for each in states}
    return [vm for model in models if (vm := _listed(model, views.get(str(model.id).lower())))]


def _listed(model: Any, view: Any) -> Vm | None:
    """Converts a VM; None if its id is not one that VmId.parse accepts: it could not be opened either."""
    try:
        return _described(VmId.parse(model.id), model, view)
    except InvalidVmId:
        return None


def _instance(vm: VmId, model: Any) -> Vm:
    return _described(vm, model, _at(model, "properties", "instance_view"))


def _described(vm: VmId, model: Any, view: Any) -> Vm:
    properties = model.properties
    diagnostics = _at(properties, "diagnostics_profile", "boot_diagnostics")
    return Vm(
        id=vm,
        location=model.location or "",
        os=_os(properties),
        power=_power(view),
        provisioning=_at(properties, "provisioning_state") or "Unknown",
        boot_diagnostics=bool(_at(diagnostics, "enabled")),
        storage_uri=_at(diagnostics, "storage_uri") or None,
        password_login=not _at(properties, "os_profile", "linux_configuration", "disable_password_authentication"),
        tags=dict(model.tags or {}),
        publisher=_at(properties, "storage_profile", "image_reference", "publisher") or "",
        latest_model=_at(properties, "latest_model_applied") is not False,
    )


def _os(properties: Any) -> Os:
    """Returns the OS of the disk, which always names it. A VM made from a specialised disk has no OS profile."""
    os_type = str(_at(properties, "storage_profile", "os_disk", "os_type") or "").rpartition(".")[2]
    return Os.WINDOWS if os_type.lower() == "windows" else Os.LINUX


def _power(view: Any) -> Power:
    codes = (str(status.code or "") for status in _at(view, "statuses") or ())
    state = next((code.removeprefix(_POWER) for code in codes if code.startswith(_POWER)), "")
    return Power(state) if state in Power else Power.UNKNOWN


def _at(model: Any, *path: str) -> Any:
    """Returns the value at a path of optional parts, or None."""
    for name in path:
        model = getattr(model, name, None)
    return model
