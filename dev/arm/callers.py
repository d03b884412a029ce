"""The bearer token, verified as ARM does: the tenant's signature, ARM as the audience, the time.

Source of codes and sentences: MicrosoftDocs/azure-docs and Azure/azure-cli issues that quote ARM's 401 answers; that a
challenge names authorization_uri and error: azure-core's ARM challenge policy, which reads them.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jwt

from dev.arm.refusals import RefusedError
from dev.demo import TENANT
from dev.entra.keys import ALGORITHM, SigningKey
from dev.entra.registrations import ARM
from dev.stack import Port, Stack


@dataclass(frozen=True)
class Caller:
    """Who calls. `name` is what ARM calls the client in its errors: an email, or an application's id."""

    oid: str
    name: str


class Callers:
    """Knows the tenant's key, its issuer, and the names ARM goes by."""

    def __init__(self, stack: Stack, key: SigningKey) -> None:
        self._key = key.public
        self._kid = key.kid
        self._issuer = f"{stack.authority}/{TENANT}/v2.0"
        self._challenge = f'Bearer authorization_uri="{stack.authority}/{TENANT}"'
        arm_here = stack.https(Port.ARM)
        self._audiences = [ARM, f"{ARM}/", "https://management.core.windows.net/", arm_here, f"{arm_here}/"]

    def caller(self, authorization: str | None) -> Caller:
        """Return who sent this Authorization header; raise RefusedError (401) unless its token holds."""
        if not authorization:
            raise self._refused("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise self._refused(
                "AuthenticationFailedInvalidHeader",
                "Authentication failed. The 'Authorization' header is provided in an invalid format.",
            )
        claims = self._claims(token.strip())
        return Caller(claims["oid"], claims.get("preferred_username") or claims.get("azp", ""))

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            if jwt.get_unverified_header(token).get("kid") != self._kid:
                raise self._refused("InvalidAuthenticationToken", "The access token is invalid: unknown signing key.")
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key,
                algorithms=[ALGORITHM],
                audience=self._audiences,
                issuer=self._issuer,
                options={"require": ["exp", "nbf", "iat", "iss", "aud", "oid", "tid"]},
            )
        except jwt.ExpiredSignatureError as expired:
            raise self._expired(token) from expired
        except jwt.InvalidAudienceError as misdirected:
            raise self._wrong_audience(token) from misdirected
        except jwt.InvalidIssuerError as foreign:
            raise self._refused(
                "InvalidAuthenticationTokenTenant", "The access token is from the wrong issuer."
            ) from foreign
        except jwt.PyJWTError as broken:
            raise self._refused("InvalidAuthenticationToken", "The access token is invalid.") from broken
        return claims

    def _expired(self, token: str) -> RefusedError:
        at, now = datetime.fromtimestamp(_unverified(token)["exp"], UTC), datetime.now(UTC)
        said = f"The access token expiry UTC time '{at:%m/%d/%Y %H:%M:%S}' is earlier than current UTC time"
        return self._refused("ExpiredAuthenticationToken", f"{said} '{now:%m/%d/%Y %H:%M:%S}'.")

    def _wrong_audience(self, token: str) -> RefusedError:
        allowed = ",".join(f"'{one}'" for one in self._audiences)
        return self._refused(
            "InvalidAuthenticationTokenAudience",
            "The access token has been obtained for wrong audience or resource "
            f"'{_unverified(token)['aud']}'. It should exactly match with one of the allowed audiences {allowed}.",
        )

    def _refused(self, code: str, message: str) -> RefusedError:
        told = f'{self._challenge}, error="invalid_token", error_description="{message}"'
        return RefusedError(401, code, message, {"WWW-Authenticate": told})


def _unverified(token: str) -> dict[str, Any]:
    """Read a claim for the sake of an error's text; nothing is granted on it."""
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims
