"""Changes for tests and demonstrations. Azure has nothing like it. No token: loopback alone protects it.

POST /admin/vms/{name}             what `_OF_THE_VM` and `_OF_THE_UNIT` name, and `power`
POST /admin/assignments            all role assignments: principal, role, scope, condition
POST /admin/denials                all deny assignments: principals, scope, actions, not_actions, excluded,
                                   only_this_scope
POST /admin/locks                  all locks: name, scope, level
PUT  /admin/roles/{id}             a custom role: name, actions, not_actions
PUT  /admin/groups/{id}            who is in a group: object ids
PUT  /admin/accounts/{name}        a storage account: group, subscription, default_action, public_access, hidden,
                                   shared_keys, hierarchical, ip_rules
DELETE /admin/accounts/{name}      no such account anywhere
POST /admin/subscriptions/{id}     console_disabled
POST /admin/faults                 all faults to come: see faults.Fault
POST /admin/throttle               scale: how full the buckets are of what ARM has, null for none
POST /admin/reset                  the fleet as it was
"""

from dataclasses import asdict, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dev.arm.bodies import read_body, read_records, record
from dev.arm.faults import Fault
from dev.arm.refusals import invalid_request, resource_not_found
from dev.arm.roles import Role
from dev.arm.routing import world_of
from dev.arm.throttle import Throttle
from dev.arm.world import Denial, Lock, StorageAccount
from dev.demo import Assignment, Login

_OF_THE_VM = {
    "provisioning": str,
    "boot_diagnostics": bool,
    "storage_account": str | None,
    "storage_uri": str | None,
    "location": str,
    "tags": dict,
    "os": str,
    "login": str,
    "image": list | None,
}
"""`storage_uri` is handed on as it is, however malformed; `login` is password or ssh-keys; `image` is publisher and
offer.
"""
_OF_THE_UNIT = {"port_enabled": bool, "latest_model": bool}
_POWER = ("running", "stopped", "deallocated")


async def _change_vm(request: Request) -> Response:
    """An instance of the uniform scale set is `workers_0`."""
    world = world_of(request)
    name, changes = request.path_params["name"], await read_body(request, dict)
    unit = world.units.get(name.lower())
    if unit is None:
        raise resource_not_found("Microsoft.Compute/virtualMachines", name, "any")
    power = changes.pop("power", unit.power)
    if power not in _POWER:
        raise invalid_request(f"power is one of {', '.join(_POWER)}")
    known = _OF_THE_VM | _OF_THE_UNIT
    for key, value in changes.items():
        if key not in known or not isinstance(value, known[key]):
            raise invalid_request(f"'{key}' cannot be set to {value!r}")
    unit.vm = replace(unit.vm, **_of_the_vm(changes))
    unit.power, unit.seen_running = power, False
    for key in _OF_THE_UNIT & changes.keys():
        setattr(unit, key, changes[key])
    told = {key: getattr(unit.vm, key) for key in _OF_THE_VM} | {key: getattr(unit, key) for key in _OF_THE_UNIT}
    return JSONResponse({"name": unit.vm.name, "power": power, **told})


def _of_the_vm(changes: dict[str, Any]) -> dict[str, Any]:
    """In the fleet's own types. Raises RefusedError (400)."""
    wanted = {key: changes[key] for key in _OF_THE_VM if key in changes}
    try:
        if "login" in wanted:
            wanted["login"] = Login(wanted["login"])
        if wanted.get("image") is not None:
            publisher, offer = map(str, wanted["image"])
            wanted["image"] = publisher, offer
    except ValueError as broken:
        raise invalid_request(str(broken)) from broken
    return wanted


async def _replace_assignments(request: Request) -> Response:
    """`role` is the id of a built-in role, or of one that was PUT here."""
    world = world_of(request)
    assignments = await read_records(request, Assignment)
    if unknown := [one.role for one in assignments if one.role not in world.known_roles]:
        raise invalid_request(f"no role here has the id {unknown[0]}")
    world.assignments = assignments
    return JSONResponse({"count": len(assignments)})


async def _replace_denials(request: Request) -> Response:
    world = world_of(request)
    world.denials = await read_records(request, Denial)
    return JSONResponse({"count": len(world.denials)})


async def _replace_locks(request: Request) -> Response:
    """ReadOnly where no level is named."""
    world = world_of(request)
    world.locks = await read_records(request, Lock)
    return JSONResponse({"count": len(world.locks)})


async def _put_role(request: Request) -> Response:
    named = request.path_params["id"].lower()
    role = record(Role, {"name": named, "about": "", **await read_body(request, dict), "id": named})
    world_of(request).roles[named] = role
    return JSONResponse(asdict(role))


async def _put_group(request: Request) -> Response:
    members = tuple(map(str, await read_body(request, list)))
    world_of(request).members[request.path_params["id"]] = members
    return JSONResponse({"count": len(members)})


async def _put_account(request: Request) -> Response:
    """`hidden`: it exists, where the service sees nothing."""
    account = record(StorageAccount, await read_body(request, dict))
    world_of(request).accounts[request.path_params["name"].lower()] = account
    return JSONResponse(asdict(account))


async def _delete_account(request: Request) -> Response:
    world_of(request).accounts.pop(request.path_params["name"].lower(), None)
    return Response(status_code=204)


async def _switch(request: Request) -> Response:
    disabled = (await read_body(request, dict)).get("console_disabled")
    if not isinstance(disabled, bool):
        raise invalid_request("console_disabled is true or false")
    world_of(request).switch_console(request.path_params["id"], disabled=disabled)
    return JSONResponse({"console_disabled": disabled})


async def _order_faults(request: Request) -> Response:
    world = world_of(request)
    world.faults = list(await read_records(request, Fault))
    return JSONResponse({"count": len(world.faults)})


async def _set_throttle(request: Request) -> Response:
    """With buckets that are full again."""
    scale = (await read_body(request, dict)).get("scale")
    if scale is not None and not (isinstance(scale, int | float) and 0 < scale <= 1):
        raise invalid_request("scale is null, or above 0 and at most 1")
    world_of(request).throttle = Throttle(scale)
    return JSONResponse({"scale": scale})


async def _reset(request: Request) -> Response:
    """The machines themselves stay as they are."""
    world_of(request).reset()
    return Response(status_code=204)


ROUTES = [
    Route("/admin/vms/{name}", _change_vm, methods=["POST"]),
    Route("/admin/assignments", _replace_assignments, methods=["POST"]),
    Route("/admin/denials", _replace_denials, methods=["POST"]),
    Route("/admin/locks", _replace_locks, methods=["POST"]),
    Route("/admin/roles/{id}", _put_role, methods=["PUT"]),
    Route("/admin/groups/{id}", _put_group, methods=["PUT"]),
    Route("/admin/accounts/{name}", _put_account, methods=["PUT"]),
    Route("/admin/accounts/{name}", _delete_account, methods=["DELETE"]),
    Route("/admin/subscriptions/{id}", _switch, methods=["POST"]),
    Route("/admin/faults", _order_faults, methods=["POST"]),
    Route("/admin/throttle", _set_throttle, methods=["POST"]),
    Route("/admin/reset", _reset, methods=["POST"]),
]
