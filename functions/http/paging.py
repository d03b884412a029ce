"""Divides lists into pages; responses.py says why answers are bounded."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from functions.http.schemas import TEXT, Schema

PAGE_BYTES = 1 << 20
"""The most bytes of a page, not counting its last item."""
QUERY: dict[str, tuple[str, Schema]] = {"cursor": ("What the answer before said as next", TEXT)}


def page_of[T](
    items: Iterable[T], to_json: Callable[[T], dict[str, Any]], place: Callable[[T], str], cursor: str | None
) -> dict[str, Any]:
    """Returns one page: in `value` the items behind the cursor that fit, in `next` the cursor for the rest or None.

    `place` gives each item a text that is unique and stays the same while the list changes; items are sorted by it.
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
