"""Fetches the public keys of token issuers on demand and caches them.

One fetch per address is in flight. An unknown key id causes a fetch at most once a minute, so that forged tokens
cannot flood the issuer. While the issuer does not answer, keys fetched within the last day are used, older ones never.
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
"""Without any key every caller is refused: the next fetch comes soon, though not with every request."""
_KINDS = {"RS256": "RSA", "ES256": "EC"}
_NEVER = float("-inf")

type Fetch = Callable[[str], Awaitable[dict[str, Any]]]
"""Returns the key set (JWKS) at an address. Raises Unavailable."""


@dataclass(slots=True)
class _CachedKeys:
    keys: dict[str, PyJWK] = field(default_factory=dict)
    fetched: float = _NEVER
    tried: float = _NEVER
    fetches: int = 0
    """Fetches that have ended, with or without success."""
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
        """`issuer` is the dependency that Unavailable names. Keys of another `algorithm` are ignored.

        `cool_down`: seconds between two fetches. `fresh`: seconds after which known keys are fetched again.
        """
        self._fetch, self._clock = fetch, clock
        self._issuer, self._algorithm, self._cool_down, self._fresh = issuer, algorithm, cool_down, fresh
        self._cached: dict[str, _CachedKeys] = {}

    async def find(self, address: str, key_id: str) -> PyJWK | None:
        """Returns the key; None if the issuer has none with this id. Raises Unavailable if no keys can be had."""
        cached = self._cached.setdefault(address, _CachedKeys())
        if self._must_fetch(cached, key_id):
            before = cached.fetches
            async with cached.lock:
                if cached.fetches == before:  # else another request fetched while this one waited for the lock
                    await self._refresh(cached, address)
        if not self._usable(cached):
            raise Unavailable(self._issuer, "its keys cannot be fetched")
        return cached.keys.get(key_id)

    def _usable(self, cached: _CachedKeys) -> bool:
        return bool(cached.keys) and self._clock.now() - cached.fetched <= STALE_SECONDS

    def _must_fetch(self, cached: _CachedKeys, key_id: str) -> bool:
        """Returns True if the keys must be fetched. A request whose key is cached never waits for a running fetch."""
        now = self._clock.now()
        since_last_try, usable = now - cached.tried, self._usable(cached)
        if usable and key_id in cached.keys:
            return now - cached.fetched > self._fresh and since_last_try > self._cool_down
        return cached.lock.locked() or since_last_try > (self._cool_down if usable else EMPTY_COOL_DOWN_SECONDS)

    async def _refresh(self, cached: _CachedKeys, address: str) -> None:
        cached.tried = self._clock.now()
        try:
            cached.keys = self._read(await self._fetch(address))
            cached.fetched = self._clock.now()
        except Unavailable:
            if not self._usable(cached):
                raise
        finally:
            cached.fetches += 1

    def _read(self, document: dict[str, Any]) -> dict[str, PyJWK]:
        """Returns the usable keys by id. Raises Unavailable if the document is not a key set or has no usable key."""
        try:
            keys = {
                key["kid"]: PyJWK({**key, "alg": self._algorithm})
                for key in document["keys"]
                if self._is_usable_kind(key)
            }
        except (KeyError, TypeError, AttributeError, PyJWTError) as error:
            raise Unavailable(self._issuer, "its keys cannot be read") from error
        if not keys:
            raise Unavailable(self._issuer, "its keys cannot be read")
        return keys

    def _is_usable_kind(self, key: dict[str, Any]) -> bool:
        """Returns True for a signing key of our algorithm. Entra leaves out `alg`; `use` may be missing as well."""
        fits = key.get("kty") == _KINDS[self._algorithm] and key.get("alg", self._algorithm) == self._algorithm
        return bool(fits and key.get("use", "sig") == "sig" and key.get("kid"))
