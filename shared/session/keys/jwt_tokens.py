"""Signs session tokens and relay commands: JWTs, ES256. Each kind has its own `typ`: neither passes for the other."""

import hashlib
from typing import Any

from shared.base.ports import Clock
from shared.session.grant import COMMAND_TYPE, TOKEN_TYPE, Grant
from shared.session.keys.jws import signed, signed_text
from shared.session.ports import KeyRing

COMMAND_SECONDS = 30


class JwtTokens:
    """A shared.session.ports.Tokens."""

    def __init__(self, keys: KeyRing, issuer: str, clock: Clock) -> None:
        self._keys, self._issuer, self._clock = keys, issuer, clock

    async def ready(self) -> None:
        await signed_text(self._keys, lambda _: "ready")  # not a JWT, so nobody can use it

    async def sign(self, grant: Grant) -> str:
        return await signed(self._keys, TOKEN_TYPE, grant.claims())

    async def sign_command(self, relay: str, body: bytes) -> str:
        now = int(self._clock.now())
        claims = {"iss": self._issuer, "aud": f"relay:{relay}", "iat": now, "exp": now + COMMAND_SECONDS}
        return await signed(self._keys, COMMAND_TYPE, {**claims, "body": hashlib.sha256(body).hexdigest()})

    async def public_keys(self) -> dict[str, Any]:
        return {"keys": list(await self._keys.public())}
