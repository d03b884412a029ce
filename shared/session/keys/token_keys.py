"""Verifies tokens of the function app by its public keys: session tokens of browsers, commands to this relay."""

import hashlib
import hmac
from typing import Any

import jwt

from shared.base.http_json import Http
from shared.base.ports import Clock, Dependency
from shared.base.refusals import Code, Refusal, refuse
from shared.base.signing_keys import SigningKeys
from shared.session.grant import COMMAND_TYPE, TOKEN_TYPE, Grant, InvalidGrant

COOL_DOWN_SECONDS = 10.0
"""Seconds between two fetches for an unknown key, so that forged tokens cannot flood the function app."""
FRESH_SECONDS = 300.0
"""Seconds after which known keys are fetched again: a key that was disabled is accepted for no longer than this."""
LEEWAY_SECONDS = 5.0
COMMAND_SECONDS = 30.0
_BEARER = "Bearer "
_ISSUER = Dependency.CONTROL_PLANE


class TokenKeys:
    """Verifies tokens. While the function app does not answer, fetched keys are used for a day."""

    def __init__(self, address: str, issuer: str, relay: str, http: Http, clock: Clock) -> None:
        """`address` is that of the JWKS, `relay` this relay's name."""
        self._address, self._issuer, self._audience = address, issuer, f"relay:{relay}"
        self._clock = clock
        self._keys = SigningKeys(
            lambda keys: http.get_json(keys, _ISSUER), clock, issuer=_ISSUER, algorithm="ES256",
            cool_down=COOL_DOWN_SECONDS, fresh=FRESH_SECONDS,
        )  # fmt: skip

    async def grant(self, token: str) -> Grant | Refusal:
        """Raises Unavailable when no key can be had."""
        claims = await self._claims(token, TOKEN_TYPE)
        if claims is None:
            return refuse(Code.TOKEN_INVALID)
        try:
            grant = Grant.from_claims(claims)
        except InvalidGrant:
            return refuse(Code.TOKEN_INVALID)
        now = self._clock.now()
        if grant.issued_at > now + LEEWAY_SECONDS:
            return refuse(Code.TOKEN_INVALID)
        return grant if now < grant.expires_at + LEEWAY_SECONDS else refuse(Code.TOKEN_EXPIRED)

    async def commanded(self, authorization: str | None, body: bytes) -> bool:
        """Raises Unavailable when no key can be had."""
        if authorization is None or not authorization.startswith(_BEARER):
            return False
        claims = await self._claims(authorization.removeprefix(_BEARER), COMMAND_TYPE)
        if claims is None:
            return False
        issued, expires = claims.get("iat"), claims.get("exp")
        if not isinstance(issued, int) or not isinstance(expires, int) or expires - issued > COMMAND_SECONDS:
            return False
        now = self._clock.now()
        timely = issued - LEEWAY_SECONDS <= now < expires + LEEWAY_SECONDS
        return timely and hmac.compare_digest(str(claims.get("body")), hashlib.sha256(body).hexdigest())

    async def _claims(self, token: str, kind: str) -> dict[str, Any] | None:
        """Returns the claims if signature, kind, issuer and audience are right; else None. Raises Unavailable."""
        try:
            header = jwt.get_unverified_header(token)
            if header.get("typ") != kind or not isinstance(header.get("kid"), str):
                return None
            key = await self._keys.find(self._address, header["kid"])
            if key is None:
                return None
            claims: dict[str, Any] = jwt.decode(
                token, key, ["ES256"], audience=self._audience, issuer=self._issuer,
                options={
                    "require": ["exp", "iat", "aud", "iss"], "strict_aud": True,
                    "verify_exp": False, "verify_nbf": False, "verify_iat": False,  # the callers do, with our clock
                },
            )  # fmt: skip
        except jwt.PyJWTError:
            return None
        return claims
