"""Lists in pages: `value`, and a `nextLink` as long as there is more.

Source: Azure/azure-resource-manager-rpc, v1.0/resource-api-reference.md (nextLink is opaque, and absolute).
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.responses import JSONResponse, Response

from dev.arm.refusals import invalid_request
from dev.arm.routing import Call


def page(call: Call, items: Sequence[Any]) -> Response:
    """Answer the page that the request's `$skiptoken` names: the first one without it."""
    asked = dict(call.request.query_params)
    token = asked.pop("$skiptoken", "0")
    if not token.isdecimal():
        raise invalid_request("The $skiptoken is not one of ours.")
    start, size = int(token), call.world.page_size
    answer: dict[str, Any] = {"value": list(items[start : start + size])}
    if start + size < len(items):
        url = call.request.url
        here = f"{url.scheme}://{url.netloc}{url.path}?{urlencode({**asked, '$skiptoken': start + size})}"
        answer["nextLink"] = call.world.next_link or here
    return JSONResponse(answer)
