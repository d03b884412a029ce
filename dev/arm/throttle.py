"""ARM's limits, in token buckets. Source of the numbers:
learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling.

Per subscription, principal and kind: 250 reads, refilled by 25 a second; 200 writes and 200 deletes, by 10. The same
for requests of the tenant, which name no subscription. All principals together have 15 times that in a subscription.
That a POST is a write is believed (A1); a 429 takes nothing.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from dev.arm.refusals import too_many_requests

SIZES = {"reads": (250.0, 25.0), "writes": (200.0, 10.0), "deletes": (200.0, 10.0)}
"""Tokens in a full bucket, and those that come back in a second."""
_GLOBAL = 15
_KINDS = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}
_RETRY_SECONDS = 10
"""What ARM names where a bucket is empty. Believed: answers with 1 and with 10 were seen (Azure/apiops issue 612)."""


@dataclass
class Bucket:
    """Full at first."""

    size: float
    refill: float
    at: float
    tokens: float = -1.0

    def has(self, now: float) -> bool:
        """A token or more, with what has come back by now."""
        held = self.size if self.tokens < 0 else self.tokens
        self.tokens, self.at = min(self.size, held + (now - self.at) * self.refill), now
        return self.tokens >= 1


@dataclass
class Throttle:
    """`scale` makes every bucket that much smaller, for tests; None lets everything pass."""

    scale: float | None = 1.0
    now: Callable[[], float] = time.monotonic
    buckets: dict[tuple[str, ...], Bucket] = field(default_factory=dict)

    def admit(self, method: str, principal: str, subscription: str | None) -> dict[str, str]:
        """The headers that tell what is left. Raises RefusedError (429)."""
        if self.scale is None:
            return {}
        kind, place = _KINDS.get(method, "writes"), subscription or "tenant"
        own = self._bucket(kind, 1, place, principal)
        shared = self._bucket(kind, _GLOBAL, place)
        if not (own.has(self.now()) and shared.has(self.now())):
            raise too_many_requests(kind.removesuffix("s"), place, principal, _RETRY_SECONDS)
        own.tokens, shared.tokens = own.tokens - 1, shared.tokens - 1
        scope = "subscription" if subscription else "tenant"
        return {f"x-ms-ratelimit-remaining-{scope}-{kind}": str(math.floor(own.tokens))}

    def _bucket(self, kind: str, times: int, *owner: str) -> Bucket:
        if (found := self.buckets.get((kind, *owner))) is None:
            size, refill = (each * times * (self.scale or 1) for each in SIZES[kind])
            found = self.buckets[kind, *owner] = Bucket(size, refill, self.now())
        return found
