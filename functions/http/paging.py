"""Lists in pages: why answers are short is said in responses."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from functions.http.schemas import TEXT, Schema

PAGE_BYTES = 1 << 20
"""Of a list, but for the last of its items."""
QUERY: dict[str, tuple[str, Schema]] = {"cursor": ("What the answer before said as next", TEXT)}


def page_of[T](
    items: Iterable[T], to_json: Callable[[T], dict[str, Any]], place: Callable[[T], str], cursor: str | None
) -> dict[str, Any]:
    """`value`: those behind the cursor, in the order of their places, as many as fit; `next`: the cursor for the rest.

    A place is a text that no other item has and that stays while the list changes.
    """
    value: list[dict[str, Any]] = []
    left, last = PAGE_BYTES, cursor or ""
    for at, item in sorted(((place(item), item) for item in items), key=lambda pair: pair[0]):
        if at <= last and cursor is not None:
            continue
        if left <= 0:
            return {"value": value, "next": last}
        value.append(to_json(item))
        left -= len(json.dumps(value[-1], ensure_ascii=False).encode())
        last = at
    return {"value": value, "next": None}
