"""Codes and refresh tokens that are out. In memory: after a restart the session cookie signs people in again."""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from dev.demo import Person
from dev.entra.refusals import RefusedError
from dev.entra.step_up import Proofs

CODE_SECONDS = 60
REFRESH_SECONDS = 24 * 3600
"""A single-page app's refresh token: fixed from sign-in on, however often it is renewed."""
REMEMBER_SECONDS = 600
"""How long a spent or expired code is told from one that never was."""


@dataclass(frozen=True)
class Grant:
    """What a person agreed to: for which client, which scope, bound to which redirect and PKCE challenge."""

    person: Person
    client: str
    scope: str
    redirect: str
    challenge: str
    nonce: str | None
    expires: float
    spent: bool = False
    proofs: Proofs = field(default_factory=Proofs)
    """What the person has done to sign in, and what their client can do."""


@dataclass
class Grants:
    """The ledger. `clock` tells seconds since 1970."""

    clock: Callable[[], float] = time.time
    _codes: dict[str, Grant] = field(default_factory=dict)
    _refresh: dict[str, Grant] = field(default_factory=dict)

    def code(
        self,
        *,
        person: Person,
        client: str,
        scope: str,
        redirect: str,
        challenge: str,
        nonce: str | None,
        proofs: Proofs,
    ) -> str:
        """Hand out a code: one use, 60 s."""
        self._forget()
        code = secrets.token_urlsafe(48)
        expires = self.clock() + CODE_SECONDS
        self._codes[code] = Grant(person, client, scope, redirect, challenge, nonce, expires, proofs=proofs)
        return code

    def redeem(self, code: str, *, client: str, redirect: str, verifier: str) -> Grant:
        """Spend a code. Raises RefusedError for one unknown, spent, expired, or presented by somebody else."""
        grant = self._codes.get(code)
        if grant is None:
            raise RefusedError(9002313)
        if grant.client != client:
            raise RefusedError(70000)
        if grant.spent:
            raise RefusedError(54005)
        if grant.expires < self.clock():
            raise RefusedError(70008)
        if grant.redirect != redirect:
            raise RefusedError(500112, redirect=redirect, expected=grant.redirect)
        # Spent even when the verifier turns out wrong: nobody gets to guess twice.
        self._codes[code] = replace(grant, spent=True)
        if not hmac.compare_digest(grant.challenge, s256(verifier)):
            raise RefusedError(501481)
        return grant

    def refresh_token(self, grant: Grant, *, renewed: bool) -> str:
        """Hand out a refresh token: 24 h from sign-in, which a renewal does not extend."""
        token = secrets.token_urlsafe(64)
        expires = grant.expires if renewed else self.clock() + REFRESH_SECONDS
        self._refresh[token] = replace(grant, expires=expires)
        return token

    def renew(self, token: str, *, client: str) -> Grant:
        """Read a refresh token. As at Entra the old one stays good until it expires: two tabs may hold it."""
        grant = self._refresh.get(token)
        if grant is None:
            raise RefusedError(9002313)
        if grant.client != client:
            raise RefusedError(70000)
        if grant.expires < self.clock():
            raise RefusedError(700084)
        return grant

    def seconds_left(self, token: str) -> int:
        """Return how long a refresh token that is out stays good."""
        return int(self._refresh[token].expires - self.clock())

    def _forget(self) -> None:
        horizon = self.clock() - REMEMBER_SECONDS
        self._codes = {code: grant for code, grant in self._codes.items() if grant.expires > horizon}
        self._refresh = {token: grant for token, grant in self._refresh.items() if grant.expires > horizon}


def s256(verifier: str) -> str:
    """Return the PKCE challenge of a verifier (RFC 7636)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
