"""What stands in a token: version 2.0 access tokens and id tokens, signed with the tenant's key.

Source: https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
"""

import base64
import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt

from dev.demo import TENANT, Application, Person
from dev.entra.keys import ALGORITHM, SigningKey
from dev.stack import Stack

HOUR = 3600


@dataclass(frozen=True)
class Issuer:
    """Signs this tenant's tokens. `seconds` is their lifetime, `clock` tells seconds since 1970."""

    stack: Stack
    key: SigningKey
    seconds: int = HOUR
    clock: Callable[[], float] = time.time

    @property
    def name(self) -> str:
        return self.name_in(TENANT)

    def name_in(self, tenant: str, version: str = "2.0") -> str:
        """What it calls itself in tokens of that tenant; in old ones by one name everywhere, as at Entra."""
        return f"{self.stack.authority}/{tenant}/v2.0" if version == "2.0" else f"https://sts.windows.net/{tenant}/"

    def user_token(self, person: Person, *, audience: str, scope: str, client: str, **changes: Any) -> str:
        """Sign an access token for a person; `changes` replace single claims, None removes one."""
        return self._sign(
            {
                **self._frame(audience),
                **_about(person, audience),
                "azp": client,
                "scp": scope,
                **changes,
            }
        )

    def app_token(self, application: Application, *, audience: str, roles: tuple[str, ...], **changes: Any) -> str:
        """Sign an access token for an application that acts as itself: app roles, no scopes."""
        claims = {
            **self._frame(audience),
            "oid": application.oid,
            "sub": application.oid,
            "azp": application.client,
            "azpacr": "1",
            "idtyp": "app",
            "roles": list(roles) or None,
            "xms_cc": ["CP1"],
        }
        return self._sign({**claims, **changes})

    def id_token(self, person: Person, *, client: str, nonce: str | None) -> str:
        return self._sign({**self._frame(client), **_about(person, client), "email": person.email, "nonce": nonce})

    def _frame(self, audience: str) -> dict[str, Any]:
        now = int(self.clock())
        return {
            "aud": audience,
            "iss": self.name,
            "iat": now,
            "nbf": now,
            "exp": now + self.seconds,
            "tid": TENANT,
            "uti": secrets.token_urlsafe(16),
            "ver": "2.0",
        }

    def _sign(self, claims: dict[str, Any]) -> str:
        told = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(told, self.key.private, algorithm=ALGORITHM, headers={"kid": self.key.kid})


def _about(person: Person, audience: str) -> dict[str, str]:
    return {
        "oid": person.oid,
        "sub": _pairwise(person.oid, audience),
        "name": person.name,
        "preferred_username": person.email,
    }


def _pairwise(oid: str, audience: str) -> str:
    """`sub` differs from application to application, so nobody builds on it as the user's id."""
    return base64.urlsafe_b64encode(hashlib.sha256(f"{oid} {audience}".encode()).digest()).decode().rstrip("=")
