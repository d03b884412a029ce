"""How many requests of this process may wait for something new at a time: each holds a place that others need.

Of the places of an instance (`maxConcurrentRequests` in host.json) some stay free for those who open consoles and for
relays, whoever waits, and one caller takes few. Whoever finds no place is answered at once, and told when to ask again.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

PLACES = 16
OF_ONE = 4
"""Places of one caller."""
AGAIN_SECONDS = 1
_waiting: Counter[str] = Counter()


@contextmanager
def place_for(caller: str) -> Iterator[bool]:
    """Whether there is a place for this caller (a subject), for as long as the context lasts."""
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
