"""Microsoft.Storage: the boot-diagnostics account, as far as a console asks after it.

Source: https://learn.microsoft.com/rest/api/storagerp/
"""

import base64
import hashlib
from typing import Any

from starlette.responses import JSONResponse, Response

from dev.arm.paging import page
from dev.arm.refusals import group_not_found, resource_not_found
from dev.arm.routing import Call, Route
from dev.fleet import REGION, group

_ACTIONS = "Microsoft.Storage/storageAccounts"
_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"
_ACCOUNT = f"[{_GROUP}/providers/Microsoft.Storage/storageAccounts/{{account}}]"


async def _list_accounts(call: Call) -> Response:
    """List what the caller may read, of a group or of all."""
    where = call.parts.get("group", "").lower()
    if where and where not in call.world.groups:
        raise group_not_found(call.parts["group"])
    shown = [
        _account(name, holder)
        for name, holder in call.world.accounts.items()
        if (not where or holder.lower() == where) and call.may(f"{_ACTIONS}/read", _id(name, holder))
    ]
    return page(call, shown)


async def _get_account(call: Call) -> Response:
    name, holder = _found(call)
    return JSONResponse(_account(name, holder))


async def _list_keys(call: Call) -> Response:
    """List keys that open nothing: no such account exists outside this table."""
    name, _ = _found(call)
    return JSONResponse({"keys": [_key(name, "key1"), _key(name, "key2")]})


def _found(call: Call) -> tuple[str, str]:
    name, where = call.parts["account"].lower(), call.parts["group"].lower()
    if where not in call.world.groups:
        raise group_not_found(call.parts["group"])
    if call.world.accounts.get(name, "").lower() != where:
        raise resource_not_found(_ACTIONS, call.parts["account"], call.parts["group"])
    return name, call.world.accounts[name]


def _id(name: str, holder: str) -> str:
    return f"{group(holder)}/providers/Microsoft.Storage/storageAccounts/{name}"


def _account(name: str, holder: str) -> dict[str, Any]:
    return {
        "id": _id(name, holder),
        "name": name,
        "type": _ACTIONS,
        "kind": "StorageV2",
        "location": REGION,
        "sku": {"name": "Standard_LRS", "tier": "Standard"},
        "properties": {
            "provisioningState": "Succeeded",
            "primaryEndpoints": {"blob": f"https://{name}.blob.core.windows.net/"},
            "allowSharedKeyAccess": True,
            "isHnsEnabled": False,
            "networkAcls": {"bypass": "AzureServices", "defaultAction": "Allow", "ipRules": []},
        },
    }


def _key(account: str, name: str) -> dict[str, str]:
    value = base64.b64encode(hashlib.sha512(f"{account} {name}".encode()).digest()).decode()
    return {"keyName": name, "permissions": "FULL", "value": value}


ROUTES = [
    Route("GET", "/subscriptions/{subscription}/providers/Microsoft.Storage/storageAccounts", None, _list_accounts),
    Route("GET", f"[{_GROUP}]/providers/Microsoft.Storage/storageAccounts", f"{_ACTIONS}/read", _list_accounts),
    Route("GET", _ACCOUNT, f"{_ACTIONS}/read", _get_account),
    Route("POST", f"{_ACCOUNT}/listKeys", f"{_ACTIONS}/listKeys/action", _list_keys),
]
