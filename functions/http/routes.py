"""Registers triggers at the addresses of consoles. A VM and a scale-set instance share the same work."""

from collections.abc import Awaitable, Callable, Collection
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from functions.http.operations import Description, describe
from functions.http.pipeline import RequestContext, Result, Work, answer, answer_stray
from functions.http.requests import query_of
from shared.base.refusals import Refusal
from shared.base.task_hub import BINDING

_GROUP = "subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/"
VM = _GROUP + "virtualMachines/{name}/serialConsole"
INSTANCE = _GROUP + "virtualMachineScaleSets/{scale_set}/virtualMachines/{name}/serialConsole"
SCALE_SET = _GROUP + "virtualMachineScaleSets/{scale_set}/serialConsole"
POLICIES = {
    "tenant": "policy",
    "subscription": "subscriptions/{subscription}/serialConsole/policy",
    "group": "subscriptions/{subscription}/resourceGroups/{group}/serialConsole/policy",
    "scale_set": f"{SCALE_SET}/policy",
    "vm": f"{VM}/policy",
    "instance": f"{INSTANCE}/policy",
}
"""The address of the policy of each kind of scope."""


def starter(bp: df.Blueprint) -> Callable[..., Any]:
    """Binds the durable client as text to `starter`; from it one client is made per process, not per call."""
    binding: Callable[..., Any] = bp.generic_input_binding(arg_name="starter", type="durableClient", **BINDING)
    return binding


type Trigger = Callable[[func.HttpRequest, str], Awaitable[func.HttpResponse]]


def at(bp: df.Blueprint, name: str, method: str, address: str, trigger: Trigger, *, description: Description) -> None:
    """Registers a trigger and its description.

    No two functions may have the same method at one address: the host tries functions in the order of their names, and
    the first match answers, however exact the others are (Azure/azure-functions-host issues 3153 and 9876).
    """
    methods = [method, *description.extra_methods, *_preflight_at(address)]
    bp.function_name(name)(bp.route(route=address, methods=methods)(starter(bp)(_named(name, _preflighted(trigger)))))
    describe(name, method, address, description)


OPERATION = "x-console-operation"
"""The header with the name of the function that answered; the host's own order decides which function that is."""


def _named(name: str, trigger: Trigger) -> Trigger:
    async def named(req: func.HttpRequest, starter: str) -> func.HttpResponse:
        response = await trigger(req, starter)
        response.headers[OPERATION] = name
        return response

    return named


_preflights: set[str] = set()


def _preflight_at(address: str) -> tuple[str, ...]:
    """Returns OPTIONS for the first function of an address. The host answers 404 to methods that none declares."""
    if address in _preflights:
        return ()
    _preflights.add(address)
    return ("OPTIONS",)


def _preflighted(trigger: Trigger) -> Trigger:
    async def preflighted(req: func.HttpRequest, starter: str) -> func.HttpResponse:
        return await (answer_stray("preflight", req, starter) if req.method == "OPTIONS" else trigger(req, starter))

    return preflighted


def at_console(
    bp: df.Blueprint, name: str, method: str, work: Work, tail: str = "", *, description: Description
) -> None:
    """Registers the work as two functions: `name` for VMs, and `name_of_instance` for scale-set instances."""
    for function, address in ((name, VM), (f"{name}_of_instance", INSTANCE)):
        at(bp, function, method, address + tail, make_trigger(name, work, description.query), description=description)


def make_trigger(name: str, work: Work, fields: Collection[str] | None = ()) -> Trigger:
    """Makes a trigger that runs the work for an identified caller.

    `name` is the operation in the audit event. `fields` are the allowed fields of the query; any other is refused, or a
    `?mode=watch` that is not read would open a writing session. None allows every field.
    """

    async def trigger(req: func.HttpRequest, starter: str) -> func.HttpResponse:
        return await answer(name, req, starter, work if fields is None else _checking_query(fields, work))

    return trigger


def _checking_query(fields: Collection[str], work: Work) -> Work:
    async def checking_query(context: RequestContext) -> Result | Refusal:
        query_of(context.req, *fields)
        return await work(context)

    return checking_query
