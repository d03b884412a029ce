"""The bearer token, verified as a vault does: the tenant's signature, a vault's audience, an identity with the role."""

import jwt

from dev.demo import SERVICE, TENANT
from dev.entra.keys import ALGORITHM, SigningKey
from dev.stack import Stack

AUDIENCE = "https://vault.azure.net"
CRYPTO_USERS = frozenset({SERVICE.oid})
"""Who has the role Key Vault Crypto User on the keys."""


class RefusedError(Exception):
    """The vault's own way to refuse."""

    def __init__(self, status: int, code: str, message: str, challenge: str = "") -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.challenge = status, code, message, challenge


class Callers:
    def __init__(self, stack: Stack, key: SigningKey) -> None:
        self._key, self._issuer = key.public, f"{stack.authority}/{TENANT}/v2.0"
        self._challenge = f'Bearer authorization="{stack.authority}/{TENANT}", resource="{AUDIENCE}"'

    def check(self, authorization: str | None) -> None:
        """Raise RefusedError unless this is the token of somebody who may use the keys."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            raise self._unauthorized("AKV10000: Request is missing a Bearer or PoP token.")
        try:
            claims = jwt.decode(
                token, self._key, algorithms=[ALGORITHM], audience=[AUDIENCE, f"{AUDIENCE}/"], issuer=self._issuer,
                options={"require": ["exp", "iss", "aud", "oid"]},
            )  # fmt: skip
        except jwt.PyJWTError as error:
            raise self._unauthorized("AKV10032: Invalid issuer, audience, signature or time of the token.") from error
        if claims["oid"] not in CRYPTO_USERS:
            raise RefusedError(403, "Forbidden", "Caller is not authorized to perform action on resource.")

    def _unauthorized(self, message: str) -> RefusedError:
        return RefusedError(401, "Unauthorized", message, self._challenge)
