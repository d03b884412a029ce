"""Whether a bearer token is one that Entra signed for ARM. Keys are fetched once, and again for an unknown key id."""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from pathlib import Path

import aiohttp
import jwt

from dev.demo import TENANT
from dev.stack import Port, Stack

ARM = "https://management.azure.com"
LEEWAY = 60
"""Seconds of clock difference allowed."""
COOL_DOWN = 1.0
"""Seconds between two fetches of the keys, so that made-up key ids cost Entra nothing."""


class Verdict(Enum):
    GOOD = auto()
    INVALID = auto()
    """No token, not Entra's, or expired."""
    NOT_FOR_ARM = auto()
    UNDECIDED = auto()
    """Entra's keys cannot be had."""


type Check = Callable[[str], Awaitable[Verdict]]


class EntraTokens:
    """Checks RS256 signatures against the keys at `address`, which is trusted through the authority in `ca`."""

    def __init__(self, address: str, ca: Path, audiences: list[str]) -> None:
        self._address, self._ca = address, ca
        self._audiences = [form for audience in audiences for form in (audience, f"{audience}/")]
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched = -COOL_DOWN
        self._fetching = asyncio.Lock()

    async def check(self, token: str) -> Verdict:
        try:
            key = await self._key(str(jwt.get_unverified_header(token).get("kid")))
            if key is None:
                return Verdict.INVALID
            jwt.decode(token, key, algorithms=["RS256"], audience=self._audiences, leeway=LEEWAY)
        except jwt.InvalidAudienceError:
            return Verdict.NOT_FOR_ARM
        except jwt.PyJWTError:
            return Verdict.INVALID
        except (aiohttp.ClientError, OSError):
            return Verdict.UNDECIDED
        return Verdict.GOOD

    async def _key(self, name: str) -> jwt.PyJWK | None:
        async with self._fetching:
            if name not in self._keys and time.monotonic() - self._fetched >= COOL_DOWN:
                self._keys = await self._fetch()
                self._fetched = time.monotonic()
        return self._keys.get(name)

    async def _fetch(self) -> dict[str, jwt.PyJWK]:
        trust = ssl.create_default_context(cafile=str(self._ca))
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(10)) as session,
            session.get(self._address, ssl=trust, raise_for_status=True) as answer,
        ):
            keys = jwt.PyJWKSet.from_dict(await answer.json())
        return {str(key.key_id): key for key in keys.keys}


def tokens_of(stack: Stack) -> EntraTokens:
    """The check against this stack's Entra, for tokens meant for ARM."""
    address = f"{stack.https(Port.ENTRA)}/{TENANT}/discovery/v2.0/keys"
    return EntraTokens(address, stack.ca, [ARM, stack.https(Port.ARM)])
