"""Reads lists of Azure Resource Manager that come in pages. A list is complete, or the call fails.

The SDKs' own pagers take an answer without `value` for an empty page, and follow any address that a page names as next.
So `_parse_page` checks each page of every list, and only a refusal of the first page is an answer.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from azure.core.exceptions import ClientAuthenticationError, HttpResponseError

from shared.base.azure_troubles import REASONED
from shared.base.ports import Dependency, Unavailable

_OK = 200
_PORTS = {"https": 443, "http": 80}


async def list_items(listing: Callable[..., Any], *arguments: Any, **options: Any) -> list[Any]:
    """Returns every item of a list. `listing` is a list method of an SDK; it gets `arguments` and `options`.

    Raises what the SDK raises for the first page, and Unavailable if a page is malformed or a later one does not come.
    """
    return [item for items in await list_pages(listing, *arguments, **options) for item in items]


async def list_pages(listing: Callable[..., Any], *arguments: Any, **options: Any) -> list[list[Any]]:
    """Returns the same as `list_items`, one list for each page. Raises the same."""
    listed = listing(*arguments, **options, raw_response_hook=_check_response).by_page()
    result: list[list[Any]] = []
    async for page in _require_every_page(listed):
        items = [each async for each in page]
        result.append(items)
    return result


async def every_item(ask: Callable[[str], Awaitable[Any]], arm: str) -> list[Any]:
    """Returns every item of a list that `ask` requests page by page. `ask` gets a page's address, "" for the first.
    Every page must lie at `arm`. Raises as `list_items`.
    """
    return [item async for page in _require_every_page(_request_pages(ask, arm)) for item in page]


async def _request_pages(ask: Callable[[str], Awaitable[Any]], arm: str) -> AsyncIterator[Sequence[Any]]:
    items, following = _parse_page(await ask(""), arm)
    yield items
    while following:
        items, following = _parse_page(await ask(following), arm)
        yield items


async def _require_every_page[P](listed: AsyncIterator[P]) -> AsyncIterator[P]:
    """Yields the pages. Passes on a refusal of the first page; raises Unavailable for a refusal of a later one."""
    first = True
    while True:
        try:
            page = await anext(listed)
        except StopAsyncIteration:
            return
        except HttpResponseError as error:
            if first or isinstance(error, ClientAuthenticationError) or error.status_code not in REASONED:
                raise
            raise Unavailable(Dependency.ARM, "a list broke off") from error
        yield page
        first = False


def _check_response(answer: Any) -> None:
    """Checks a response; a `raw_response_hook` of the SDKs. Raises Unavailable for a 200 that is not a page."""
    response = answer.http_response
    if response.status_code == _OK:
        _parse_page(_json(response), response.request.url)


def _json(response: Any) -> Any:
    """Returns the body; None if it is not JSON. Responses of the older SDKs offer only their text."""
    try:
        return json.loads(response.text("utf-8-sig"))
    except ValueError:
        return None


def _parse_page(body: Any, arm: str) -> tuple[list[Any], str]:
    """Returns the items of a page and the address of the next one, "" after the last.

    Raises Unavailable if the body is not a page, or if the next page lies at another origin than `arm`: the request
    for it would carry our token.
    """
    items = body.get("value") if isinstance(body, dict) else None
    following = (body.get("nextLink") or "") if isinstance(body, dict) else None
    if not isinstance(items, list) or not all(isinstance(each, dict) for each in items):
        raise Unavailable(Dependency.ARM, "its answer cannot be read: it is no page of a list")
    if not isinstance(following, str) or (following and _origin(following) != _origin(arm)):
        raise Unavailable(Dependency.ARM, "the next page of a list lies elsewhere")
    return items, following


def _origin(address: str) -> tuple[str, str | None, int | None] | None:
    """Returns scheme, host and port; None if the text is not an address."""
    try:
        parts = urlsplit(address)
        return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
