"""Microsoft.SerialConsole: the subscription's switch, the ports of a VM or an instance, and the way to COM1.

Source: https://learn.microsoft.com/rest/api/serialconsole/
"""

import uuid
from functools import partial
from typing import Any

from starlette.responses import JSONResponse, Response

from dev.arm.compute import find_unit, in_fleet, power_now
from dev.arm.connect_refusals import NO_RIGHT, connect_refusal, may_connect
from dev.arm.paging import page
from dev.arm.refusals import RefusedError, invalid_request, resource_not_found
from dev.arm.routing import Call, Route
from dev.arm.world import Unit
from dev.stack import Port

_SUBSCRIPTION = "/subscriptions/{subscription}"
_COMPUTE = f"{_SUBSCRIPTION}/resourceGroups/{{group}}/providers/Microsoft.Compute"
_CONSOLE = "/providers/Microsoft.SerialConsole"
_OWNERS = (
    f"[{_COMPUTE}/virtualMachines/{{vm}}]",
    f"[{_COMPUTE}/virtualMachineScaleSets/{{set}}/virtualMachines/{{instance}}]",
)
_SERVICE = f"[{_SUBSCRIPTION}]{_CONSOLE}/consoleServices/default"
_COM1 = "0"
_READ_PORTS = "Microsoft.SerialConsole/serialPorts/read"


async def _console_status(call: Call) -> Response:
    return JSONResponse({"properties": {"disabled": call.parts["subscription"].lower() in call.world.consoles_off}})


async def _switch_console(call: Call, *, disabled: bool) -> Response:
    call.world.switch_console(call.parts["subscription"], disabled=disabled)
    return await _console_status(call)


async def _list_ports(call: Call) -> Response:
    return page(call, [_port(find_unit(call))])


async def _list_all_ports(call: Call) -> Response:
    """Ports are no resources of their own kind that ARM would filter: who lists them needs the action above them all.
    That it is demanded though not registered: Azure/azure-rest-api-specs, issue 23472. That VMs whose port nobody has
    set are named too is believed.
    """
    units = call.world.units.values() if in_fleet(call) else ()
    return page(call, [_port(unit) for unit in units])


async def _get_port(call: Call) -> Response:
    return JSONResponse(_port(_unit_with_port(call)))


async def _put_port(call: Call) -> Response:
    """Enable or disable a port; disabling closes the console for everybody."""
    unit = _unit_with_port(call)
    try:
        state = (await call.request.json())["properties"]["state"]
    except (ValueError, KeyError, TypeError) as broken:
        raise invalid_request("The body needs properties.state, enabled or disabled.") from broken
    unit.port_enabled = state == "enabled"
    return JSONResponse(_port(unit), 201)


async def _connect(call: Call) -> Response:
    """Answer where COM1 is spoken, or refuse in the words that connect_refusals has."""
    unit = _unit_with_port(call)
    if not may_connect(call, unit):
        raise RefusedError(403, "Forbidden", NO_RIGHT)
    running = await power_now(call, unit) == "running"
    if (refusal := connect_refusal(call.world, unit, running=running)) is not None:
        raise refusal
    gateway = f"wss://localhost:{call.stack.port(Port.GATEWAY)}"
    address = f"{gateway}/n/connector/{unit.machine}/sessions/{uuid.uuid4()}/client"
    return JSONResponse({"connectionString": address})


def _unit_with_port(call: Call) -> Unit:
    unit = find_unit(call)
    if call.parts["port"] != _COM1:
        kind = "Microsoft.SerialConsole/serialPorts"
        raise resource_not_found(kind, call.parts["port"], call.parts["group"])
    return unit


def _port(unit: Unit) -> dict[str, Any]:
    return {
        "id": f"{unit.id}{_CONSOLE}/serialPorts/{_COM1}",
        "name": _COM1,
        "type": "Microsoft.SerialConsole/serialPorts",
        "properties": {"state": "enabled" if unit.port_enabled else "disabled", "connectionState": "inactive"},
    }


def _port_routes(owner: str) -> list[Route]:
    actions, ports = "Microsoft.SerialConsole/serialPorts", f"{owner}{_CONSOLE}/serialPorts"
    return [
        Route("GET", ports, f"{actions}/read", _list_ports),
        Route("GET", f"{ports}/{{port}}", f"{actions}/read", _get_port),
        Route("PUT", f"{ports}/{{port}}", f"{actions}/write", _put_port),
        Route("POST", f"{ports}/{{port}}/connect", f"{actions}/connect/action", _connect),
    ]


def _switch(verb: str, *, disabled: bool) -> Route:
    action = f"Microsoft.SerialConsole/consoleServices/{verb}/action"
    return Route("POST", f"{_SERVICE}/{verb}", action, partial(_switch_console, disabled=disabled))


ROUTES = [
    Route("GET", _SERVICE, "Microsoft.SerialConsole/consoleServices/read", _console_status),
    _switch("disableConsole", disabled=True),
    _switch("enableConsole", disabled=False),
    Route("GET", f"[{_SUBSCRIPTION}]{_CONSOLE}/serialPorts", _READ_PORTS, _list_all_ports),
    *(route for owner in _OWNERS for route in _port_routes(owner)),
]
