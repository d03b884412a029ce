"""Triggers at the addresses of consoles: a VM's, and a scale-set instance's, whose work is the same."""

from collections.abc import Awaitable, Callable
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from functions.answering import Work, answer
from functions.describing import About, describe

_GROUP = "subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/"
VM = _GROUP + "virtualMachines/{name}/serialConsole"
INSTANCE = _GROUP + "virtualMachineScaleSets/{scale_set}/virtualMachines/{name}/serialConsole"
SCALE_SET = _GROUP + "virtualMachineScaleSets/{scale_set}/serialConsole/{*rest}"
POLICIES = {
    "tenant": "policy",
    "subscription": "subscriptions/{subscription}/serialConsole/policy",
    "group": "subscriptions/{subscription}/resourceGroups/{group}/serialConsole/policy",
    "scale_set": _GROUP + "virtualMachineScaleSets/{scale_set}/serialConsole/policy",
    "vm": f"{VM}/policy",
    "instance": f"{INSTANCE}/policy",
}
"""Where the policy of each kind of scope is."""


def starter(bp: df.Blueprint) -> Callable[..., Any]:
    """Binds the durable client as text, to `starter`: of it one client is made per process, not one per call."""
    binding: Callable[..., Any] = bp.generic_input_binding(
        arg_name="starter", type="durableClient", durableRequiresGrpc=True
    )
    return binding


type Trigger = Callable[[func.HttpRequest, str], Awaitable[func.HttpResponse]]


def at(bp: df.Blueprint, name: str, method: str, address: str, trigger: Trigger, *, about: About) -> None:
    """Registers a trigger, and describes it."""
    bp.function_name(name)(bp.route(route=address, methods=[method])(starter(bp)(trigger)))
    describe(name, method, address, about)


def at_console(bp: df.Blueprint, name: str, method: str, work: Work, tail: str = "", *, about: About) -> None:
    """Registers the work as two functions: `name`, and `name_of_instance`."""
    for function, address in ((name, VM), (f"{name}_of_instance", INSTANCE)):
        at(bp, function, method, address + tail, calling(name, work), about=about)


def calling(name: str, work: Work) -> Trigger:
    """The work as a trigger for callers; `name` is what the audit event calls it."""

    async def trigger(req: func.HttpRequest, starter: str) -> func.HttpResponse:
        return await answer(name, req, starter, work)

    return trigger
