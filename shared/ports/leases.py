"""What is known of relays, and what they are still to hear."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.domain.lock import Lease
from shared.domain.refusals import Code


class Leases(Protocol):
    """The lives of relays, which are the leases of all their writers: one row each."""

    async def renew(self, relay: str, lease: Lease) -> None:
        """Raises Unavailable."""
        ...

    async def of(self, relay: str) -> Lease | None:
        """None: it never said anything. Raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Notice:
    """A session that is over, as its relay is to hear it. `by`: the name of who caused it; `at`: seconds since 1970."""

    session: str
    code: Code
    by: str
    at: float


class Notices(Protocol):
    """What relays are still to hear, for whatever call does not reach them."""

    async def add(self, relay: str, notice: Notice) -> None:
        """Raises Unavailable. Of one session the last counts."""
        ...

    async def of(self, relay: str) -> Sequence[Notice]:
        """Raises Unavailable."""
        ...

    async def drop(self, relay: str, sessions: Collection[str]) -> None:
        """Raises Unavailable; what is not there any more is no error."""
        ...
