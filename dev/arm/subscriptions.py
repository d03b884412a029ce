"""The subscription itself: whoever has a role anywhere in it sees it.

Source: learn.microsoft.com/rest/api/resources/subscriptions
"""

from typing import Any

from starlette.responses import JSONResponse, Response

from dev.arm.paging import page
from dev.arm.refusals import subscription_not_found
from dev.arm.rights import is_within
from dev.arm.routing import Call, Route
from dev.arm.world import subscription_scope
from dev.demo import REGION, SUBSCRIPTION, SUBSCRIPTION_NAME, TENANT, group


async def _list(call: Call) -> Response:
    return page(call, [_subscription()] if _sees(call) else [])


async def _get(call: Call) -> Response:
    if not _sees(call):
        raise subscription_not_found(call.parts["subscription"])
    return JSONResponse(_subscription())


async def _groups(call: Call) -> Response:
    action = "Microsoft.Resources/subscriptions/resourceGroups/read"
    return page(call, [_group(name) for name in call.world.groups if call.may(action, group(name))])


def _sees(call: Call) -> bool:
    scope = subscription_scope()
    mine = (one.scope for one in call.world.assignments if one.principal in call.world.principals(call.caller.oid))
    return any(is_within(one, scope) or is_within(scope, one) for one in mine)


def _subscription() -> dict[str, Any]:
    return {
        "id": subscription_scope(),
        "subscriptionId": SUBSCRIPTION,
        "tenantId": TENANT,
        "displayName": SUBSCRIPTION_NAME,
        "state": "Enabled",
        "subscriptionPolicies": {"quotaId": "PayAsYouGo_2014-09-01", "spendingLimit": "Off"},
    }


def _group(name: str) -> dict[str, Any]:
    properties = {"provisioningState": "Succeeded"}
    return {"id": group(name), "name": name, "location": REGION, "properties": properties}


ROUTES = [
    Route("GET", "/subscriptions", None, _list),
    Route("GET", "/subscriptions/{subscription}", None, _get),
    Route("GET", "/subscriptions/{subscription}/resourceGroups", None, _groups),
]
