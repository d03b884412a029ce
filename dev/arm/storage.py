"""Microsoft.Storage: the boot-diagnostics account, as far as a console asks after it.

Source: https://learn.microsoft.com/rest/api/storagerp/
"""

import base64
import hashlib
from typing import Any

from starlette.responses import JSONResponse, Response

from dev.arm.paging import page
from dev.arm.refusals import group_not_found, invalid_request, resource_not_found
from dev.arm.routing import Call, Route
from dev.arm.world import StorageAccount
from dev.demo import REGION

_ACTIONS = "Microsoft.Storage/storageAccounts"
_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"
_CHECK = "[/subscriptions/{subscription}]/providers/Microsoft.Storage/checkNameAvailability"
_ACCOUNT = f"[{_GROUP}/providers/Microsoft.Storage/storageAccounts/{{account}}]"


async def _list_accounts(call: Call) -> Response:
    """List what the caller may read, of a group or of all."""
    where = call.parts.get("group", "").lower()
    if where and where not in call.world.groups:
        raise group_not_found(call.parts["group"])
    shown = [
        _account(name, account)
        for name, account in call.world.accounts.items()
        if (not where or account.group.lower() == where)
        and account.subscription == call.parts["subscription"].lower()
        and not account.hidden
        and call.may(f"{_ACTIONS}/read", _id(name, account))
    ]
    return page(call, shown)


async def _get_account(call: Call) -> Response:
    return JSONResponse(_account(*_found(call)))


async def _check_name(call: Call) -> Response:
    """Say whether a name is free: hidden accounts take theirs too, anywhere in Azure."""
    try:
        name = str((await call.request.json())["name"])
    except (ValueError, KeyError, TypeError) as broken:
        raise invalid_request("The body needs a name.") from broken
    if name in call.world.accounts:
        taken = f"The storage account named {name} is already taken."
        return JSONResponse({"nameAvailable": False, "reason": "AlreadyExists", "message": taken})
    return JSONResponse({"nameAvailable": True})


async def _list_keys(call: Call) -> Response:
    """List keys that open nothing: no such account exists outside this table."""
    name, _ = _found(call)
    return JSONResponse({"keys": [_key(name, "key1"), _key(name, "key2")]})


def _found(call: Call) -> tuple[str, StorageAccount]:
    name, where = call.parts["account"].lower(), call.parts["group"].lower()
    account = call.world.accounts.get(name)
    at = (call.parts["subscription"].lower(), where)
    if account is None or account.hidden or (account.subscription, account.group.lower()) != at:
        raise resource_not_found(_ACTIONS, call.parts["account"], call.parts["group"])
    return name, account


def _id(name: str, account: StorageAccount) -> str:
    where = f"/subscriptions/{account.subscription}/resourceGroups/{account.group}"
    return f"{where}/providers/Microsoft.Storage/storageAccounts/{name}"


def _account(name: str, account: StorageAccount) -> dict[str, Any]:
    return {
        "id": _id(name, account),
        "name": name,
        "type": _ACTIONS,
        "kind": "StorageV2",
        "location": REGION,
        "sku": {"name": "Standard_LRS", "tier": "Standard"},
        "properties": {
            "provisioningState": "Succeeded",
            "primaryEndpoints": {"blob": f"https://{name}.blob.core.windows.net/"},
            **({} if account.shared_keys is None else {"allowSharedKeyAccess": account.shared_keys}),
            "isHnsEnabled": account.hierarchical,
            "publicNetworkAccess": account.public_access,
            "networkAcls": {
                "bypass": "AzureServices",
                "defaultAction": account.default_action,
                "ipRules": [{"value": each, "action": "Allow"} for each in account.ip_rules],
            },
        },
    }


def _key(account: str, name: str) -> dict[str, str]:
    value = base64.b64encode(hashlib.sha512(f"{account} {name}".encode()).digest()).decode()
    return {"keyName": name, "permissions": "FULL", "value": value}


ROUTES = [
    Route("GET", "/subscriptions/{subscription}/providers/Microsoft.Storage/storageAccounts", None, _list_accounts),
    Route("GET", f"[{_GROUP}]/providers/Microsoft.Storage/storageAccounts", f"{_ACTIONS}/read", _list_accounts),
    Route("GET", _ACCOUNT, f"{_ACTIONS}/read", _get_account),
    Route("POST", _CHECK, "Microsoft.Storage/checknameavailability/read", _check_name),
    Route("POST", f"{_ACCOUNT}/listKeys", f"{_ACTIONS}/listKeys/action", _list_keys),
]
