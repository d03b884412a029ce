"""Public keys of token issuers, fetched on demand and kept: without blocking, and not at an attacker's pace.

One fetch is in flight per address; an unknown key id asks again at most once a minute, so forged tokens cannot make
us hammer the issuer; while the issuer is away, keys fetched within the last day go on being used, and older ones never.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from jwt import PyJWK, PyJWTError

from shared.base.ports import Clock, Dependency, Unavailable

FRESH_SECONDS = 3600.0
STALE_SECONDS = 86400.0
COOL_DOWN_SECONDS = 60.0
EMPTY_COOL_DOWN_SECONDS = 1.0
"""Without any key nobody can be let in: the issuer is asked again soon, though not by every request."""
_KINDS = {"RS256": "RSA", "ES256": "EC"}
_NEVER = float("-inf")

type Fetch = Callable[[str], Awaitable[dict[str, Any]]]
"""Answers the key set (JWKS) at an address. Raises Unavailable."""


@dataclass(slots=True)
class _CachedKeys:
    keys: dict[str, PyJWK] = field(default_factory=dict)
    fetched: float = _NEVER
    tried: float = _NEVER
    asked: int = 0
    """Fetches that came to an end, well or not."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class SigningKeys:
    def __init__(
        self,
        fetch: Fetch,
        clock: Clock,
        *,
        issuer: Dependency = Dependency.ENTRA,
        algorithm: str = "RS256",
        cool_down: float = COOL_DOWN_SECONDS,
        fresh: float = FRESH_SECONDS,
    ) -> None:
        """`issuer` is what a refusal calls it; keys of another `algorithm` are passed over; `cool_down` and `fresh`,
        after which known keys are asked for again, in seconds.
        """
        self._fetch, self._clock = fetch, clock
        self._issuer, self._algorithm, self._cool_down, self._fresh = issuer, algorithm, cool_down, fresh
        self._kept: dict[str, _CachedKeys] = {}

    async def find(self, address: str, key_id: str) -> PyJWK | None:
        """The key, or None when the issuer has none of that id. Raises Unavailable when it cannot be asked."""
        kept = self._kept.setdefault(address, _CachedKeys())
        if self._must_ask(kept, key_id):
            before = kept.asked
            async with kept.lock:
                if kept.asked == before:  # else somebody asked while we waited, and their answer is ours
                    await self._refresh(kept, address)
        if not self._usable(kept):
            raise Unavailable(self._issuer, "its keys cannot be fetched")
        return kept.keys.get(key_id)

    def _usable(self, kept: _CachedKeys) -> bool:
        return bool(kept.keys) and self._clock.now() - kept.fetched <= STALE_SECONDS

    def _must_ask(self, kept: _CachedKeys, key_id: str) -> bool:
        """Whoever has a key that is good enough waits for nobody else's question."""
        now = self._clock.now()
        rested, usable = now - kept.tried, self._usable(kept)
        if usable and key_id in kept.keys:
            return now - kept.fetched > self._fresh and rested > self._cool_down
        return kept.lock.locked() or rested > (self._cool_down if usable else EMPTY_COOL_DOWN_SECONDS)

    async def _refresh(self, kept: _CachedKeys, address: str) -> None:
        kept.tried = self._clock.now()
        try:
            kept.keys = self._read(await self._fetch(address))
            kept.fetched = self._clock.now()
        except Unavailable:
            if not self._usable(kept):
                raise
        finally:
            kept.asked += 1

    def _read(self, document: dict[str, Any]) -> dict[str, PyJWK]:
        """Raises Unavailable: the answer is no key set, or has no key for us."""
        try:
            keys = {key["kid"]: PyJWK({**key, "alg": self._algorithm}) for key in document["keys"] if self._ours(key)}
        except (KeyError, TypeError, AttributeError, PyJWTError) as error:
            raise Unavailable(self._issuer, "its keys cannot be read") from error
        if not keys:
            raise Unavailable(self._issuer, "its keys cannot be read")
        return keys

    def _ours(self, key: dict[str, Any]) -> bool:
        """Entra names no algorithm; what a key is for may be left out as well."""
        fits = key.get("kty") == _KINDS[self._algorithm] and key.get("alg", self._algorithm) == self._algorithm
        return bool(fits and key.get("use", "sig") == "sig" and key.get("kid"))
