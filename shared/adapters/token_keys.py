"""Tokens of the function app, verified by its public keys: session tokens of browsers, commands to this relay."""

import hashlib
import hmac
from typing import Any

import jwt
from jwt import PyJWK

from shared.adapters.http_json import Http
from shared.domain.grant import COMMAND_TYPE, TOKEN_TYPE, Grant, InvalidGrant
from shared.domain.refusals import Code, Refusal, refuse
from shared.ports import Clock, Unavailable

COOL_DOWN_SECONDS = 10.0
"""Between two questions for a key that is not known: forged tokens cannot make us hammer the function app."""
LEEWAY_SECONDS = 5.0
COMMAND_SECONDS = 30.0
_BEARER = "Bearer "


class TokenKeys:
    """A relay.world.Keys. Keys that were fetched once go on being used while the function app is away."""

    def __init__(self, address: str, issuer: str, relay: str, http: Http, clock: Clock) -> None:
        """`address` of the JWKS; `relay` is this relay's name."""
        self._address, self._issuer, self._audience = address, issuer, f"relay:{relay}"
        self._http, self._clock = http, clock
        self._keys: dict[str, PyJWK] = {}
        self._asked = float("-inf")

    async def grant(self, token: str) -> Grant | Refusal:
        """Raises Unavailable when no key was ever fetched."""
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
        """Raises Unavailable when no key was ever fetched."""
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
        """Claims whose signature, kind, issuer and audience are right."""
        try:
            header = jwt.get_unverified_header(token)
            if header.get("typ") != kind or not isinstance(header.get("kid"), str):
                return None
            key = await self._key(header["kid"])
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

    async def _key(self, key_id: str) -> PyJWK | None:
        if key_id not in self._keys and self._clock.now() - self._asked >= COOL_DOWN_SECONDS:
            await self._fetch()
        if not self._keys:
            raise Unavailable("control plane", "its keys cannot be fetched")
        return self._keys.get(key_id)

    async def _fetch(self) -> None:
        self._asked = self._clock.now()
        try:
            document = await self._http.get_json(self._address, "control plane")
            self._keys = {key["kid"]: PyJWK(key) for key in document["keys"] if key.get("alg") == "ES256"}
        except (Unavailable, KeyError, TypeError, AttributeError, jwt.PyJWTError) as error:
            if not self._keys:
                self._asked = float("-inf")  # the next visitor may ask again at once: nobody can come in without
                raise Unavailable("control plane", "its keys cannot be fetched") from error
