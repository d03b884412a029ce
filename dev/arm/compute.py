"""Microsoft.Compute: VMs and the scale set, their instance views, boot diagnostics and power.

Source: https://learn.microsoft.com/rest/api/compute/
"""

from functools import partial

from starlette.responses import JSONResponse, Response

from dev.arm import documents, power
from dev.arm.boot_blobs import signed
from dev.arm.paging import page
from dev.arm.refusals import RefusedError, group_not_found, instance_not_found, resource_not_found
from dev.arm.routing import Call, Route
from dev.arm.world import SCALE_SET, SCALE_SET_GROUP, SCALE_SET_ID, Unit
from dev.demo import SUBSCRIPTION
from dev.stack import Port

_SUBSCRIPTION = "/subscriptions/{subscription}"
_GROUP = f"{_SUBSCRIPTION}/resourceGroups/{{group}}"
_COMPUTE = "/providers/Microsoft.Compute"
_VM = f"[{_GROUP}{_COMPUTE}/virtualMachines/{{vm}}]"
_SET = f"{_GROUP}{_COMPUTE}/virtualMachineScaleSets/{{set}}"
_INSTANCE = f"[{_SET}/virtualMachines/{{instance}}]"
_VM_ACTION = "Microsoft.Compute/virtualMachines"
_SET_ACTION = "Microsoft.Compute/virtualMachineScaleSets"


def find_unit(call: Call) -> Unit:
    """Return the VM or the instance that the path names; raise RefusedError (404)."""
    parts = call.parts
    return _instance(call) if "instance" in parts else _vm(call, parts["vm"])


def _vm(call: Call, name: str) -> Unit:
    where = call.parts["group"]
    _check_group(call)
    for unit in call.world.vms():
        if (unit.machine, unit.vm.group.lower()) == (name.lower(), where.lower()):
            return unit
    raise resource_not_found(_VM_ACTION, name, where)


def _instance(call: Call) -> Unit:
    """An instance of a flexible set is the VM itself, and says so by its id."""
    if call.parts["instance"].lower() in call.world.flexible.get(call.parts["set"].lower(), ()):
        return _vm(call, call.parts["instance"])
    _check_scale_set(call)
    for unit in call.world.instances():
        if unit.instance == call.parts["instance"]:
            return unit
    raise instance_not_found(call.parts["instance"])


def in_fleet(call: Call) -> bool:
    """The other subscription holds no VM, and no group that we know by name."""
    return call.parts["subscription"].lower() == SUBSCRIPTION


def _check_group(call: Call) -> None:
    if not in_fleet(call) or call.parts["group"].lower() not in call.world.groups:
        raise group_not_found(call.parts["group"])


def _check_scale_set(call: Call) -> None:
    _check_group(call)
    name, where = call.parts["set"], call.parts["group"]
    if (name.lower(), where.lower()) != (SCALE_SET, SCALE_SET_GROUP):
        raise resource_not_found(_SET_ACTION, name, where)


async def _list_vms(call: Call) -> Response:
    """List what the caller may read, of a group or of all; `statusOnly=true` adds the instance views."""
    where = call.parts.get("group", "").lower()
    if where:
        _check_group(call)
    units = [
        unit
        for unit in (call.world.vms() if in_fleet(call) else ())
        if (not where or unit.vm.group.lower() == where) and call.may(f"{_VM_ACTION}/read", unit.id)
    ]
    with_status = call.request.query_params.get("statusOnly", "").lower() == "true"
    states = await call.machines.states() if with_status else {}
    if with_status:
        return page(call, [documents.status(unit, power.state_of(unit, states)) for unit in units])
    return page(call, [documents.in_a_list(unit) for unit in units])


async def _get_vm(call: Call) -> Response:
    unit = find_unit(call)
    return JSONResponse(documents.vm(unit, await _power_if_asked(call, unit)))


async def _get_scale_set(call: Call) -> Response:
    _check_scale_set(call)
    return JSONResponse(documents.scale_set(len(call.world.instances())))


async def _list_scale_sets(call: Call) -> Response:
    here = in_fleet(call) and call.parts.get("group", SCALE_SET_GROUP).lower() == SCALE_SET_GROUP
    shown = here and call.may(f"{_SET_ACTION}/read", SCALE_SET_ID)
    return page(call, [documents.scale_set(len(call.world.instances()))] if shown else [])


async def _list_instances(call: Call) -> Response:
    _check_scale_set(call)
    return page(call, [documents.instance(unit, await _power_if_asked(call, unit)) for unit in call.world.instances()])


async def _get_instance(call: Call) -> Response:
    unit = find_unit(call)
    return JSONResponse(documents.instance(unit, await _power_if_asked(call, unit)))


async def _instance_view(call: Call) -> Response:
    unit = find_unit(call)
    return JSONResponse(documents.instance_view(unit, await power_now(call, unit)))


async def _boot_diagnostics(call: Call) -> Response:
    unit = find_unit(call)
    if not unit.vm.boot_diagnostics:  # status, code and sentence are believed: docs/fidelity.md, A7
        raise RefusedError(409, "OperationNotAllowed", f"Boot diagnostics is not enabled on VM '{unit.vm.name}'.")
    here = call.stack.https(Port.ARM)
    places = documents.blob_uris(unit).items()
    return JSONResponse({name: signed(place, here, call.world.links, unit.machine) for name, place in places})


async def _change_power(call: Call, *, action: str) -> Response:
    if call.world.busy is not None:
        return JSONResponse(call.world.busy, 409)
    operation = power.begin(call.world, call.machines, find_unit(call), action)
    url, version = call.request.url, call.request.query_params["api-version"]
    where = f"/subscriptions/{call.parts['subscription']}{_COMPUTE}/locations/westeurope/operations/{operation.id}"
    asked_at = f"{url.scheme}://{url.netloc}{where}?api-version={version}"
    headers = {
        "Azure-AsyncOperation": asked_at,
        "Location": f"{asked_at}&monitor=true",
        "Retry-After": str(call.world.retry_seconds),
    }
    return Response(status_code=202, headers=headers)


async def power_now(call: Call, unit: Unit) -> str:
    return power.state_of(unit, await call.machines.states())


async def _power_if_asked(call: Call, unit: Unit) -> str | None:
    expanded = call.request.query_params.get("$expand", "").lower()
    return await power_now(call, unit) if "instanceview" in expanded else None


def _unit_routes(path: str, actions: str) -> list[Route]:
    """Return what a VM and an instance have in common."""
    changes = [
        Route("POST", f"{path}/{action}", f"{actions}/{action}/action", partial(_change_power, action=action))
        for action in power.ACTIONS
    ]
    diagnostics = "retrieveBootDiagnosticsData"
    return [
        Route("GET", f"{path}/instanceView", f"{actions}/instanceView/read", _instance_view),
        Route("POST", f"{path}/{diagnostics}", f"{actions}/{diagnostics}/action", _boot_diagnostics),
        *changes,
    ]


ROUTES = [
    Route("GET", f"{_SUBSCRIPTION}{_COMPUTE}/virtualMachines", None, _list_vms),
    Route("GET", f"[{_GROUP}]{_COMPUTE}/virtualMachines", f"{_VM_ACTION}/read", _list_vms),
    Route("GET", _VM, f"{_VM_ACTION}/read", _get_vm),
    *_unit_routes(_VM, _VM_ACTION),
    Route("GET", f"{_SUBSCRIPTION}{_COMPUTE}/virtualMachineScaleSets", None, _list_scale_sets),
    Route("GET", f"[{_GROUP}]{_COMPUTE}/virtualMachineScaleSets", f"{_SET_ACTION}/read", _list_scale_sets),
    Route("GET", f"[{_SET}]", f"{_SET_ACTION}/read", _get_scale_set),
    Route("GET", f"[{_SET}]/virtualMachines", f"{_SET_ACTION}/virtualMachines/read", _list_instances),
    Route("GET", _INSTANCE, f"{_SET_ACTION}/virtualMachines/read", _get_instance),
    *_unit_routes(_INSTANCE, f"{_SET_ACTION}/virtualMachines"),
]
