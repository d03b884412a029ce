"""Changes for tests and demonstrations. Azure has nothing like it. No token: loopback alone protects it."""

from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dev.arm.refusals import invalid_request, resource_not_found
from dev.arm.roles import ROLES
from dev.arm.routing import world_of
from dev.arm.world import Lock
from dev.fleet import Assignment

_OF_THE_VM = {
    "provisioning": str,
    "boot_diagnostics": bool,
    "storage_account": str | None,
    "storage_uri": str | None,
    "location": str,
    "tags": dict,
}
_POWER = ("running", "stopped", "deallocated")


async def change_vm(request: Request) -> Response:
    """Change what `_OF_THE_VM` names, or `power`, of a VM (an instance: `workers_0`)."""
    world = world_of(request)
    name, changes = request.path_params["name"], await _body(request, dict)
    unit = world.units.get(name.lower())
    if unit is None:
        raise resource_not_found("Microsoft.Compute/virtualMachines", name, "any")
    power = changes.pop("power", unit.power)
    if power not in _POWER:
        raise invalid_request(f"power is one of {', '.join(_POWER)}")
    for key, value in changes.items():
        if key not in _OF_THE_VM or not isinstance(value, _OF_THE_VM[key]):
            raise invalid_request(f"'{key}' cannot be set to {value!r}")
    unit.vm, unit.power, unit.seen_running = replace(unit.vm, **changes), power, False
    return JSONResponse({"name": unit.vm.name, "power": power, **{key: getattr(unit.vm, key) for key in _OF_THE_VM}})


async def replace_assignments(request: Request) -> Response:
    """Replace all role assignments: a list of `principal`, `role` (a built-in role's id) and `scope`."""
    world = world_of(request)
    wanted = await _body(request, list)
    try:
        assignments = tuple(Assignment(**one) for one in wanted)
        unknown = [one.role for one in assignments if one.role not in ROLES]
    except TypeError as broken:
        raise invalid_request("every assignment needs principal, role and scope") from broken
    if unknown:
        raise invalid_request(f"no built-in role here has the id {unknown[0]}")
    world.assignments = assignments
    return JSONResponse({"count": len(assignments)})


async def replace_locks(request: Request) -> Response:
    """Replace all locks: a list of `name`, `scope` and `level` (ReadOnly where none is named)."""
    wanted = await _body(request, list)
    try:
        locks = tuple(Lock(**one) for one in wanted)
    except TypeError as broken:
        raise invalid_request("every lock needs a name and a scope") from broken
    world_of(request).locks = locks
    return JSONResponse({"count": len(locks)})


async def _body(request: Request, kind: type) -> Any:
    try:
        body = await request.json()
    except ValueError as broken:
        raise invalid_request("the body is not JSON") from broken
    if not isinstance(body, kind):
        raise invalid_request(f"the body has to be a JSON {'object' if kind is dict else 'list'}")
    return body
