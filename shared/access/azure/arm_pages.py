"""Lists of Azure Resource Manager in pages: whole, or not at all.

The SDKs' own pagers take an answer without `value` for an empty page, and go wherever a page says that the next one is.
Whichever way a list is asked for, each of its pages is held to `_page`, and only a no to the first one is an answer.
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


async def whole(listing: Callable[..., Any], *place: Any, **asked: Any) -> list[Any]:
    """Every item of a list of the SDKs, which is called with `place` and `asked`. Raises what the SDK raises for the
    first page, and Unavailable where a page is none or a later one does not come.
    """
    return [item for page in await pages(listing, *place, **asked) for item in page]


async def pages(listing: Callable[..., Any], *place: Any, **asked: Any) -> list[list[Any]]:
    """As `whole`, by pages."""
    listed = listing(*place, **asked, raw_response_hook=_checked).by_page()
    found: list[list[Any]] = []
    async for page in _unbroken(listed):
        items = [each async for each in page]
        found.append(items)
    return found


async def every_item(ask: Callable[[str], Awaitable[Any]], arm: str) -> list[Any]:
    """As `whole`, of a list that `ask` asks for: by the address of a page, the first one's being "". `arm` is where
    every page lies.
    """
    return [item async for page in _unbroken(_asked(ask, arm)) for item in page]


async def _asked(ask: Callable[[str], Awaitable[Any]], arm: str) -> AsyncIterator[Sequence[Any]]:
    items, following = _page(await ask(""), arm)
    yield items
    while following:
        items, following = _page(await ask(following), arm)
        yield items


async def _unbroken[P](listed: AsyncIterator[P]) -> AsyncIterator[P]:
    """A no to the first page is an answer; to a later one it is none."""
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


def _checked(answer: Any) -> None:
    """A `raw_response_hook` of the SDKs. Raises Unavailable for what ARM answers with 200 and is no page."""
    response = answer.http_response
    if response.status_code == _OK:
        _page(_json(response), response.request.url)


def _json(response: Any) -> Any:
    """None for what is no JSON. Answers of the older SDKs have nothing but their text."""
    try:
        return json.loads(response.text("utf-8-sig"))
    except ValueError:
        return None


def _page(body: Any, arm: str) -> tuple[list[Any], str]:
    """The items of a page and where the next one lies, "" after the last. Raises Unavailable for what is no page; one
    that lies elsewhere is nobody's page, and would be asked for with our token.
    """
    items = body.get("value") if isinstance(body, dict) else None
    following = (body.get("nextLink") or "") if isinstance(body, dict) else None
    if not isinstance(items, list) or not all(isinstance(each, dict) for each in items):
        raise Unavailable(Dependency.ARM, "its answer cannot be read: it is no page of a list")
    if not isinstance(following, str) or (following and _origin(following) != _origin(arm)):
        raise Unavailable(Dependency.ARM, "the next page of a list lies elsewhere")
    return items, following


def _origin(address: str) -> tuple[str, str | None, int | None] | None:
    """Scheme, host and port; None for what is no address."""
    try:
        parts = urlsplit(address)
        return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
