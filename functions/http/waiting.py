"""Limits how many requests of this process wait for new output at a time.

A waiting request occupies one of the instance's concurrent requests (`maxConcurrentRequests` in host.json). The limits
keep enough of them free for opening consoles and for relays, and keep one caller from taking all places. A request that
finds no place is answered at once with Retry-After.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

PLACES = 16
OF_ONE = 4
"""The most places of one caller."""
AGAIN_SECONDS = 1
_waiting: Counter[str] = Counter()


@contextmanager
def place_for(caller: str) -> Iterator[bool]:
    """Yields whether a caller (a subject) has a place; the place is held while the context lasts."""
    if _waiting.total() >= PLACES or _waiting[caller] >= OF_ONE:
        yield False
        return
    _waiting[caller] += 1
    try:
        yield True
    finally:
        _waiting[caller] -= 1
        if not _waiting[caller]:
            del _waiting[caller]
