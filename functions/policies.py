"""Policies of the tenant, subscriptions, groups, scale sets and VMs: show, set, clear."""

from typing import Any
from urllib.parse import quote

import azure.durable_functions as df
import azure.functions as func

from functions.addresses import POLICIES, at, calling
from functions.answering import Asked, Result
from functions.describing import CHANGES, CONDITIONAL, About
from functions.requests import BadRequest, object_of, scope_of, version_of
from functions.responses import time_text
from functions.shapes import ref
from shared.domain.policy import Policy, Scope
from shared.domain.policy_codec import InvalidPolicy, check_scope, policy_from_json, policy_to_json
from shared.domain.refusals import Refusal
from shared.flows.keep_policy import Shown, clear_policy, set_policy, show_policy

bp = df.Blueprint(http_auth_level=func.AuthLevel.ANONYMOUS)


async def _show(asked: Asked) -> Result | Refusal:
    return _answered(await show_policy(asked.world, asked.caller, scope_of(asked.req)))


async def _set(asked: Asked) -> Result | Refusal:
    scope = scope_of(asked.req)
    policy, version = _policy(asked.req, scope), version_of(asked.req)
    asked.said |= {"scope": scope.text, "console": policy.console.value}
    return _answered(await set_policy(asked.world, asked.caller, scope, policy, version))


async def _clear(asked: Asked) -> Result | Refusal:
    scope = scope_of(asked.req)
    asked.said["scope"] = scope.text
    return await clear_policy(asked.world, asked.caller, scope) or Result(None, 204)


def _policy(req: func.HttpRequest, scope: Scope) -> Policy:
    """Raises BadRequest."""
    try:
        policy = policy_from_json(object_of(req))
        check_scope(scope, policy)
    except InvalidPolicy as error:
        raise BadRequest.because(str(error)) from error
    return policy


def _answered(shown: Shown | Refusal) -> Result | Refusal:
    if isinstance(shown, Refusal):
        return shown
    version = quote(shown.stored.version, safe="") if shown.stored else None
    return Result(_said(shown, version), headers={"ETag": f'"{version}"'} if version else {})


def _said(shown: Shown, version: str | None) -> dict[str, Any]:
    stored = shown.stored
    return {
        "scope": shown.scope.text,
        "policy": policy_to_json(stored.policy) if stored else None,
        "setBy": stored.set_by if stored else None,
        "setAt": time_text(stored.set_at) if stored else None,
        "version": version,
        "inherited": [{"scope": each.scope, "policy": policy_to_json(each.policy)} for each in shown.inherited],
    }


_SHOWING = About("The policy of a scope, and what holds there as well", {200: ref("PolicyOfScope")}, tells=("ETag",))
_SETTING = About(
    "Sets the policy of a scope",
    {200: ref("PolicyOfScope")},
    CONDITIONAL,
    headers={
        "If-Match": "The version that is to be replaced, in quotes",
        "If-None-Match": "*: only if there is none yet",
    },
    tells=("ETag",),
    body="Policy",
)
_CLEARING = About("Clears the policy of a scope", {204: None}, CHANGES)

for of, address in POLICIES.items():
    for verb, method, doing, about in (
        ("show", "GET", _show, _SHOWING),
        ("set", "PUT", _set, _SETTING),
        ("clear", "DELETE", _clear, _CLEARING),
    ):
        at(bp, f"{verb}_policy_of_{of}", method, address, calling(f"{verb}_policy", doing), about=about)
