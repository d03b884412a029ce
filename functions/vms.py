"""Answers before a console is opened: checks of a VM, the list of VMs, the page's configuration, public keys."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import azure.durable_functions as df
import azure.functions as func

from functions.http import paging
from functions.http.operations import NEVER, Description
from functions.http.paging import page_of
from functions.http.pipeline import RequestContext, Result, answer_anybody
from functions.http.requests import InvalidRequest
from functions.http.routes import SCALE_SET, at, at_console, make_trigger
from functions.http.schemas import CONSOLE_RIGHTS, one_of, ref
from functions.sessions import person, warning
from shared.access.azure_roles import SCOPE
from shared.access.checks import Check
from shared.access.flows.list_vms import ListedVm, list_consoles
from shared.access.rights import Right
from shared.base.refusals import Code, Refusal, refuse
from shared.session.dependencies import Dependencies
from shared.session.flows.show_console import ShownConsole, show_console

bp = df.Blueprint(http_auth_level=func.AuthLevel.ANONYMOUS)


async def _show(context: RequestContext) -> Result | Refusal:
    vm, right = context.console(), _right(context.query)
    shown = await show_console(context.dependencies, context.caller, vm, right)
    context.audit_fields["right"] = right.value
    return shown if isinstance(shown, Refusal) else Result(_shown(shown))


def _right(query: Mapping[str, str]) -> Right:
    """Reads the right that the checks are made for. Raises InvalidRequest."""
    right = query.get("for", Right.WRITE)
    if right not in CONSOLE_RIGHTS:
        raise InvalidRequest.because(f"for must be one of {', '.join(CONSOLE_RIGHTS)}")
    return Right(right)


async def _list(context: RequestContext) -> Result | Refusal:
    cursor = context.query.get("cursor")
    page = await list_consoles(context.dependencies, context.caller, cursor or "")
    if isinstance(page, Refusal):
        return page
    unasked = [{"subscription": name, **_unasked(refusal)} for name, refusal in page.unasked.items()]
    value = page_of(page.listed, _listed, lambda each: each.vm.id.console, cursor)
    return Result({**value, "next": value["next"] or page.next, "unasked": unasked})


def _unasked(refusal: Refusal) -> dict[str, Any]:
    return {
        "code": refusal.code.value,
        "message": refusal.message,
        "fix": refusal.fix,
        "retryAfterSeconds": refusal.retry_after,
    }


async def _no_instance(_: RequestContext) -> Result | Refusal:
    return refuse(Code.SCALE_SET_NOT_SPECIFIED)


at_console(
    bp, "show_console", "GET", _show,
    description=Description(
        "Every check of a VM, and who is at its console",
        {200: ref("Preflight")},
        query={"for": ("What one wants to do; write if it is left out", one_of(CONSOLE_RIGHTS))},
    ),
)  # fmt: skip
at(
    bp, "list_all_consoles", "GET", "consoles", make_trigger("list_consoles", _list, paging.QUERY),
    description=Description(
        "Every VM that the caller may read, and subscriptions that could not be asked", {200: ref("Consoles")},
        query=paging.QUERY,
    ),
)  # fmt: skip


for name, method, address in (
    ("refuse_console_of_scale_set", "GET", SCALE_SET),
    ("refuse_session_of_scale_set", "POST", f"{SCALE_SET}/sessions"),
):
    at(
        bp, name, method, address, make_trigger(name, _no_instance, None),
        description=Description("A scale set has no console: its instances have", {}),
    )  # fmt: skip


async def show_config(req: func.HttpRequest, starter: str) -> func.HttpResponse:
    return await answer_anybody("show_config", req, starter, _config)


async def show_keys(req: func.HttpRequest, starter: str) -> func.HttpResponse:
    return await answer_anybody("show_keys", req, starter, _keys)


at(
    bp, "show_config", "GET", "config", show_config,
    description=Description("What a page needs to sign in", {200: ref("Config")}, NEVER, public=True),
)  # fmt: skip
at(
    bp, "show_keys", "GET", "keys", show_keys,
    description=Description("Public keys of session tokens", {200: ref("Keys")}, NEVER, public=True),
)  # fmt: skip


async def _keys(dependencies: Dependencies) -> Result:
    return Result(await dependencies.tokens.public_keys(), headers=_FOR_A_MINUTE)


_FOR_A_MINUTE = {"Cache-Control": "public, max-age=60"}
"""Caching of the public keys, which are the same for everybody. No other answer may be cached."""


async def _config(dependencies: Dependencies) -> Result:
    settings = dependencies.settings
    metadata = settings.page_authority_metadata
    tenant = settings.tenants[0] if len(settings.tenants) == 1 else "organizations"
    known_authorities = [] if settings.instance_discovery else [urlsplit(settings.authority).netloc]
    return Result(
        {
            "clientId": settings.page_client,
            "authority": f"{settings.authority}/{tenant}",
            "knownAuthorities": known_authorities,
            "authorityMetadata": json.loads(metadata) if metadata else None,
            "scopes": [f"{settings.api_audience}/{SCOPE}"],
        }
    )


def _shown(shown: ShownConsole) -> dict[str, Any]:
    vm, console = shown.examined.vm, shown.console
    return {
        "id": vm.id.resource_id,
        "name": vm.id.title,
        "for": shown.right.value,
        "available": not shown.examined.refusals,
        "checks": [_check(each) for each in shown.examined.checks],
        "warnings": [warning(each) for each in shown.examined.warnings],
        "console": None
        if isinstance(console, Refusal)
        else {"generation": console.generation, "writer": person(console.writer)},
        "consoleUnasked": _unasked(console) if isinstance(console, Refusal) else None,
        "rights": [right.value for right in shown.held],
    }


def _check(check: Check) -> dict[str, Any]:
    refusal = check.refusal
    fields = _refusal(refusal) if refusal else dict.fromkeys(("code", "message", "fix", "fixCommand"))
    return {"check": check.what.value, "passed": refusal is None, **fields}


def _refusal(refusal: Refusal) -> dict[str, Any]:
    return {
        "code": refusal.code.value,
        "message": refusal.message,
        "fix": refusal.fix,
        "fixCommand": refusal.fix_command,
    }


def _listed(listed: ListedVm) -> dict[str, Any]:
    vm = listed.vm
    return {
        "id": vm.id.resource_id,
        "name": vm.id.title,
        "group": vm.id.group,
        "location": vm.location,
        "os": vm.os.value,
        "power": vm.power.value,
        "available": not listed.refusals,
        "refusals": [_refusal(each) for each in listed.refusals],
        "warnings": [warning(each) for each in listed.warnings],
    }
