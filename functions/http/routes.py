"""Triggers at the addresses of consoles: a VM's, and a scale-set instance's, whose work is the same."""

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
"""Where the policy of each kind of scope is."""


def starter(bp: df.Blueprint) -> Callable[..., Any]:
    """Binds the durable client as text, to `starter`: of it one client is made per process, not one per call."""
    binding: Callable[..., Any] = bp.generic_input_binding(arg_name="starter", type="durableClient", **BINDING)
    return binding


type Trigger = Callable[[func.HttpRequest, str], Awaitable[func.HttpResponse]]


def at(bp: df.Blueprint, name: str, method: str, address: str, trigger: Trigger, *, description: Description) -> None:
    """Registers a trigger, and describes it.

    No two functions may take the same method of one address: the host asks functions in the order of their names, and
    the first that matches answers, however exact the others are (Azure/azure-functions-host issues 3153 and 9876).
    """
    methods = [method, *description.extra_methods, *_preflight_at(address)]
    bp.function_name(name)(bp.route(route=address, methods=methods)(starter(bp)(_named(name, _preflighted(trigger)))))
    describe(name, method, address, description)


OPERATION = "x-console-operation"
"""Which function answered, by its name: the host asks functions in an order of its own."""


def _named(name: str, trigger: Trigger) -> Trigger:
    async def named(req: func.HttpRequest, starter: str) -> func.HttpResponse:
        response = await trigger(req, starter)
        response.headers[OPERATION] = name
        return response

    return named


_preflights: set[str] = set()


def _preflight_at(address: str) -> tuple[str, ...]:
    """OPTIONS, for the first function of an address: what no function declares, the host answers 404 itself."""
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
    """Registers the work as two functions: `name`, and `name_of_instance`."""
    for function, address in ((name, VM), (f"{name}_of_instance", INSTANCE)):
        at(bp, function, method, address + tail, make_trigger(name, work, description.query), description=description)


def make_trigger(name: str, work: Work, fields: Collection[str] | None = ()) -> Trigger:
    """The work as a trigger for callers; `name` is what the audit event calls it.

    `known` are the query's fields. None takes whatever comes: else a `?mode=watch` that nobody reads would write.
    """

    async def trigger(req: func.HttpRequest, starter: str) -> func.HttpResponse:
        return await answer(name, req, starter, work if fields is None else _checking_query(fields, work))

    return trigger


def _checking_query(fields: Collection[str], work: Work) -> Work:
    async def checking_query(context: RequestContext) -> Result | Refusal:
        query_of(context.req, *fields)
        return await work(context)

    return checking_query
