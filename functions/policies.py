"""Policies of a tenant, subscription, resource group, scale set or VM: show, set, clear."""

from typing import Any
from urllib.parse import quote

import azure.durable_functions as df
import azure.functions as func

from functions.http.operations import CHANGES, CONDITIONAL, Description
from functions.http.pipeline import RequestContext, Result
from functions.http.requests import InvalidRequest, object_of, scope_of, version_of
from functions.http.responses import time_text
from functions.http.routes import POLICIES, at, make_trigger
from functions.http.schemas import ref
from shared.access.policy import Policy, Scope
from shared.access.policy_codec import InvalidPolicy, check_scope, policy_from_json, policy_to_json
from shared.base.refusals import Refusal
from shared.session.flows.change_policy import ShownPolicy, clear_policy, set_policy, show_policy

bp = df.Blueprint(http_auth_level=func.AuthLevel.ANONYMOUS)


async def _show(context: RequestContext) -> Result | Refusal:
    return _to_result(await show_policy(context.dependencies, context.caller, scope_of(context.req)))


async def _set(context: RequestContext) -> Result | Refusal:
    scope = scope_of(context.req)
    policy, version = _policy(context.req, scope), version_of(context.req)
    context.audit_fields |= {"scope": scope.text, "console": policy.console.value}
    return _to_result(await set_policy(context.dependencies, context.caller, scope, policy, version))


async def _clear(context: RequestContext) -> Result | Refusal:
    scope = scope_of(context.req)
    context.audit_fields["scope"] = scope.text
    return await clear_policy(context.dependencies, context.caller, scope) or Result(None, 204)


def _policy(req: func.HttpRequest, scope: Scope) -> Policy:
    """Reads the policy of the body and checks that it fits the scope. Raises InvalidRequest."""
    try:
        policy = policy_from_json(object_of(req))
        check_scope(scope, policy)
    except InvalidPolicy as error:
        raise InvalidRequest.because(str(error)) from error
    return policy


def _to_result(shown: ShownPolicy | Refusal) -> Result | Refusal:
    if isinstance(shown, Refusal):
        return shown
    version = quote(shown.stored.version, safe="") if shown.stored else None
    return Result(_policy_json(shown, version), headers={"ETag": f'"{version}"'} if version else {})


def _policy_json(shown: ShownPolicy, version: str | None) -> dict[str, Any]:
    stored = shown.stored
    return {
        "scope": shown.scope.text,
        "policy": policy_to_json(stored.policy) if stored else None,
        "setBy": stored.set_by if stored else None,
        "setAt": time_text(stored.set_at) if stored else None,
        "version": version,
        "inherited": [{"scope": each.scope, "policy": policy_to_json(each.policy)} for each in shown.inherited],
    }


_SHOWING = Description(
    "The policy of a scope, and what holds there as well", {200: ref("PolicyOfScope")}, response_headers=("ETag",)
)
_SETTING = Description(
    "Sets the policy of a scope",
    {200: ref("PolicyOfScope")},
    CONDITIONAL,
    headers={
        "If-Match": "The version that is to be replaced, in quotes",
        "If-None-Match": "*: only if there is none yet",
    },
    response_headers=("ETag",),
    body="Policy",
)
_CLEARING = Description("Clears the policy of a scope", {204: None}, CHANGES)

for of, address in POLICIES.items():
    for verb, method, work, description in (
        ("show", "GET", _show, _SHOWING),
        ("set", "PUT", _set, _SETTING),
        ("clear", "DELETE", _clear, _CLEARING),
    ):
        at(bp, f"{verb}_policy_of_{of}", method, address, make_trigger(f"{verb}_policy", work), description=description)
