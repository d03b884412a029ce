"""The API of Microsoft.SerialConsole, served by this service for Azure's own clients. Off when COMPATIBILITY is off.

The switch of a subscription and the state of a port are policies of this service; `connect` opens a session. Addresses
and JSON shapes are those of the published API; every api-version, 2023-01-01 among them, is treated alike.
"""

import asyncio
import re
from typing import Any
from urllib.parse import urlsplit

import azure.durable_functions as df
import azure.functions as func

from functions.http.operations import AT_THE_LINE, AZURES, CHANGES, READS, Description
from functions.http.pipeline import RequestContext, Result, Work, answer_stray, settings_of
from functions.http.requests import InvalidRequest, body_of, scope_of, vm_id
from functions.http.responses import time_text
from functions.http.routes import Trigger, at, make_trigger
from functions.http.schemas import Schema, ref, whole
from functions.sessions import audit_fields_of
from shared.access.compatibility import Compatibility
from shared.access.flows.list_vms import list_consoles
from shared.access.policy import Scope
from shared.base.refusals import Refusal
from shared.base.vm import VmId
from shared.session.flows.open_session import Opened, OpenSessionRequest, open_session
from shared.session.flows.switch_console import SwitchedPort, show_port, show_switch, turn_switch

bp = df.Blueprint(http_auth_level=func.AuthLevel.ANONYMOUS)
_PROVIDER = "providers/Microsoft.SerialConsole"
_SUBSCRIPTION = "subscriptions/{subscription}/"
_SERVICE = f"{_SUBSCRIPTION}{_PROVIDER}/consoleServices/default"
_COMPUTE = _SUBSCRIPTION + "resourceGroups/{group}/providers/Microsoft.Compute/"
_PORTS = f"/{_PROVIDER}/serialPorts"
_AT_ONCE = 8
"""VMs whose port is read at the same time for one list: ARM throttles by principal."""
_ALL = 1 << 20
"""Page size in VMs, in effect no limit: this API has no pages. Above `_MOST` the request is refused."""
_MOST = 500
"""The most VMs of one list; its clients read no further pages."""
OWNERS = {
    "vm": f"{_COMPUTE}{{kind}}/{{name}}{_PORTS}",
    "instance": f"{_COMPUTE}virtualMachineScaleSets/{{scale_set}}/virtualMachines/{{name}}{_PORTS}",
}
"""A scale-set instance is four segments. Clients that were generated encode the slashes of what they take for one:
of the kind `virtualMachineScaleSets/{set}/virtualMachines`, or, as Azure's command line does, of the name
`{set}/virtualMachines/{id}` (azure-cli-extensions, serial-console, custom.py). The host leaves those as they are.
"""
_SLASH = re.compile("%2f", re.IGNORECASE)


def _vm(context: RequestContext) -> VmId:
    """Returns the VM of the address and sets it on the context. Raises InvalidRequest."""
    parts = context.req.route_params
    kind = f"virtualMachineScaleSets/{parts['scale_set']}/virtualMachines" if "scale_set" in parts else parts["kind"]
    if parts.get("port", "0") != "0":
        raise InvalidRequest.because("a VM has one serial port, 0")
    place = f"/subscriptions/{parts['subscription']}/resourceGroups/{parts['group']}/providers/Microsoft.Compute"
    context.vm = vm_id(f"{place}/{_SLASH.sub('/', kind)}/{_SLASH.sub('/', parts['name'])}", "the address")
    return context.vm


async def _status(context: RequestContext) -> Result | Refusal:
    on = await show_switch(context.dependencies, context.caller, scope_of(context.req))
    return on if isinstance(on, Refusal) else Result({"properties": {"disabled": not on}})


def _switching(*, on: bool) -> Work:
    async def work(context: RequestContext) -> Result | Refusal:
        context.audit_fields |= {"scope": scope_of(context.req).text, "console": "on" if on else "off"}
        turned = await turn_switch(context.dependencies, context.caller, scope_of(context.req), on=on)
        return turned if isinstance(turned, Refusal) else Result({"properties": {"disabled": not on}})

    return work


async def _get(context: RequestContext) -> Result | Refusal:
    vm = _vm(context)
    port = await show_port(context.dependencies, context.caller, vm)
    return port if isinstance(port, Refusal) else Result(_port(vm, port))


async def _list(context: RequestContext) -> Result | Refusal:
    vm = _vm(context)
    port = await show_port(context.dependencies, context.caller, vm)
    return port if isinstance(port, Refusal) else Result({"value": [_port(vm, port)]})


async def _list_all(context: RequestContext) -> Result | Refusal:
    """Lists the ports in one subscription that the caller could open, or refuses if they cannot be listed."""
    subscription, consoles = (
        scope_of(context.req).text,
        await list_consoles(context.dependencies, context.caller, most=_ALL),
    )
    if isinstance(consoles, Refusal):
        return consoles
    for name, refusal in consoles.unasked.items():
        if f"/subscriptions/{name}".lower() == subscription:
            return refusal
    vms = [vm for vm in (each.vm.id for each in consoles.listed) if vm.subscription_id.lower() == subscription]
    if len(vms) > _MOST:
        raise InvalidRequest.because(f"there are more than {_MOST} VMs: ask for the ports of each")
    gate = asyncio.Semaphore(_AT_ONCE)

    async def show(vm: VmId) -> SwitchedPort | Refusal:
        async with gate:
            return await show_port(context.dependencies, context.caller, vm)

    ports = await asyncio.gather(*map(show, vms))
    return Result(
        {"value": [_port(vm, port) for vm, port in zip(vms, ports, strict=True) if isinstance(port, SwitchedPort)]}
    )


async def _put(context: RequestContext) -> Result | Refusal:
    vm, fields = _vm(context), body_of(context.req)
    properties = fields.object("properties")
    if (state := properties.get("state")) not in ("enabled", "disabled"):
        raise InvalidRequest.because("properties.state must be enabled or disabled")
    turned = await turn_switch(context.dependencies, context.caller, Scope.of_vm(vm), on=state == "enabled")
    if isinstance(turned, Refusal):
        return turned
    return Result(_port(vm, SwitchedPort(enabled=state == "enabled", active=False)), 201)


async def _connect(context: RequestContext) -> Result | Refusal:
    vm = _vm(context)
    opened = await open_session(context.dependencies, context.caller, vm, OpenSessionRequest())
    if isinstance(opened, Refusal):
        return opened
    context.audit_fields |= audit_fields_of(opened)
    connection = {
        "connectionString": _address(opened),
        "token": opened.token,
        "expiresAt": time_text(opened.expires_at),
    }
    return Result(connection, headers={"x-ms-serial-console-token": opened.token})


def _address(opened: Opened) -> str:
    """Returns the relay's WebSocket address for the protocol of Azure's own gateway."""
    relay = urlsplit(opened.address)
    path = f"{relay.path.rstrip('/')}/n/connector/{opened.session.relay}/sessions/{opened.session.id}/client"
    return relay._replace(path=path).geturl()


def _port(vm: VmId, port: SwitchedPort) -> dict[str, Any]:
    return {
        "id": f"{vm.resource_id}{_PORTS}/0",
        "name": "0",
        "type": "Microsoft.SerialConsole/serialPorts",
        "properties": {
            "state": "enabled" if port.enabled else "disabled",
            "connectionState": "active" if port.active else "inactive",
        },
    }


async def _operations(_: RequestContext) -> Result | Refusal:
    return Result({"value": [_operation(action, does) for action, does in _ACTIONS.items()]})


def _operation(action: str, does: str) -> dict[str, Any]:
    provider, resource, _ = action.split("/", 2)
    display = {"provider": provider, "resource": resource, "operation": does, "description": does}
    return {"name": action, "isDataAction": "false", "display": display}


_ACTIONS = {
    "Microsoft.SerialConsole/consoleServices/read": "Tells whether the console is on for a subscription",
    "Microsoft.SerialConsole/consoleServices/disableConsole/action": "Switches the console off for a subscription",
    "Microsoft.SerialConsole/consoleServices/enableConsole/action": "Switches the console on for a subscription",
    "Microsoft.SerialConsole/serialPorts/read": "Tells the state of a serial port",
    "Microsoft.SerialConsole/serialPorts/write": "Enables or disables a serial port",
    "Microsoft.SerialConsole/serialPorts/connect/action": "Connects to a serial port",
}


def _at(name: str, method: str, address: str, work: Work, description: Description) -> None:
    operation = f"azure_{name}"
    at(
        bp,
        operation,
        method,
        address,
        _where_it_is_on(operation, make_trigger(operation, work, None)),
        description=description,
    )


def _where_it_is_on(operation: str, trigger: Trigger) -> Trigger:
    """Wraps a trigger: while COMPATIBILITY is off it answers every caller as an unknown address would."""

    async def where_it_is_on(req: func.HttpRequest, starter: str) -> func.HttpResponse:
        settings = settings_of(starter)
        off = settings is not None and settings.compatibility is Compatibility.OFF
        return await (answer_stray(operation, req, starter) if off else trigger(req, starter))

    return where_it_is_on


def _describe(summary: str, schema: Schema, refuses: tuple[int, ...] = READS, status: int = 200) -> Description:
    return Description(summary, {status: schema}, refuses, dialect=AZURES)


_SWITCH = ref("AzureSwitch")
_at("operations", "GET", f"{_PROVIDER}/operations", _operations, _describe("Every action", whole("AzureOperation")))
_at("console_status", "GET", _SERVICE, _status, _describe("Whether the console is on", _SWITCH))
for verb, on in (("disable", False), ("enable", True)):
    turning = _describe(f"Turns the console {'on' if on else 'off'} for a subscription", _SWITCH, CHANGES)
    _at(f"{verb}_console", "POST", f"{_SERVICE}/{verb}Console", _switching(on=on), turning)
_at(
    "all_ports", "GET", f"{_SUBSCRIPTION}{_PROVIDER}/serialPorts", _list_all,
    _describe("The ports that one could open", whole("AzurePort")),
)  # fmt: skip
for owner, ports in OWNERS.items():
    port = f"{ports}/{{port}}"
    put = Description(
        "Enables or disables a port", {201: ref("AzurePort")}, CHANGES, body="AzurePortWish", dialect=AZURES
    )
    connecting = _describe("Opens a session", ref("AzureConnection"), AT_THE_LINE)
    _at(f"ports_of_{owner}", "GET", ports, _list, _describe("The ports of a VM", whole("AzurePort")))
    _at(f"port_of_{owner}", "GET", port, _get, _describe("One port", ref("AzurePort")))
    _at(f"put_port_of_{owner}", "PUT", port, _put, put)
    _at(f"connect_{owner}", "POST", f"{port}/connect", _connect, connecting)
