"""How long a request may wait for Azure in all, however many questions it asks one after another.

Every request has its own limit (a context variable), which begins with its first question. Work that belongs to no
request, and questions that serve several, have none.
"""

import asyncio
from contextvars import ContextVar


class TimeLimit:
    def __init__(self) -> None:
        self._ends: float | None = None

    def ends(self, seconds: float) -> float:
        """So many seconds after this was asked first; by the running loop's clock."""
        if self._ends is None:
            self._ends = asyncio.get_running_loop().time() + seconds
        return self._ends


current: ContextVar[TimeLimit | None] = ContextVar("time limit", default=None)
"""None where the work belongs to no request."""


def end(seconds: float) -> float:
    """When what is asked now must be done, which may take so many seconds if it is the first; by the loop's clock."""
    return (current.get() or TimeLimit()).ends(seconds)
