"""Lists of the SDKs in pages: whole, or not at all. Their own pagers take what is no page for an empty one."""

from typing import Any

from azure.core.exceptions import ClientAuthenticationError, HttpResponseError

from shared.adapters.arm_clients import REASONED
from shared.adapters.arm_troubles import broken_off
from shared.ports import Unavailable

_OK = 200


async def whole(listed: Any) -> list[Any]:
    """Every item. Raises what the SDK raises for the first page, and Unavailable where a later one does not come."""
    items: list[Any] = []
    pages = listed.by_page()
    first = True
    while True:
        try:
            page = await anext(pages)
        except StopAsyncIteration:
            return items
        except HttpResponseError as error:
            if first or isinstance(error, ClientAuthenticationError) or error.status_code not in REASONED:
                raise
            raise broken_off() from error
        items += [each async for each in page]
        first = False


def checked_page(answer: Any) -> None:
    """A `raw_response_hook` of a list: raises Unavailable for what ARM answers with 200 and is no page."""
    response = answer.http_response
    if response.status_code == _OK and not isinstance(_value(response), list):
        raise Unavailable("arm", "its answer is no page of a list")


def _value(response: Any) -> Any:
    try:
        said = response.json()
    except ValueError:
        return None
    return said.get("value") if isinstance(said, dict) else None
