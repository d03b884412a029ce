"""Tokens minted directly, good ones and bad ones. For tests only: nothing that runs imports this.

They are signed with the stack's own key, so both stand-ins and the application treat them as issued.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jwt

from dev.demo import API_CLIENT, API_URI, PAGE_CLIENT, STRANGER_TENANT, TENANT, Application, Person
from dev.entra.issuer import HOUR, Issuer
from dev.entra.keys import kept_key, new_key
from dev.stack import Stack


@dataclass(frozen=True)
class Making:
    """How a token is made. `version` is 1.0 or 2.0, whichever the resource accepts; `contexts` are c1 to c99."""

    tenant: str = TENANT
    version: str = "2.0"
    contexts: Sequence[str] = ()
    capabilities: Sequence[str] = ("CP1",)


USUAL = Making()


def user_token(
    stack: Stack, person: Person, *, audience: str = API_CLIENT, making: Making = USUAL, **changes: Any
) -> str:
    """Mint what the page would hold for this person; `changes` replace single claims, None removes one."""
    return _user_token(Issuer(stack, kept_key(stack.home)), person, audience, making, changes)


def app_token(
    stack: Stack, application: Application, *, audience: str = API_CLIENT, making: Making = USUAL, **changes: Any
) -> str:
    """Mint what client credentials would give this application."""
    issuer = Issuer(stack, kept_key(stack.home))
    roles = application.roles if audience == API_CLIENT else ()
    made = _made(issuer, making, audience) | _older(making, client=application.client, azpacr=None, appidacr="1")
    return issuer.app_token(application, audience=audience, roles=roles, **{**made, **changes})


def expired_token(stack: Stack, person: Person, *, audience: str = API_CLIENT) -> str:
    """Mint a token whose hour ended an hour ago."""
    issued = int(Issuer(stack, kept_key(stack.home)).clock()) - 2 * HOUR
    return user_token(stack, person, audience=audience, iat=issued, nbf=issued, exp=issued + HOUR)


def wrong_audience_token(stack: Stack, person: Person) -> str:
    """Mint a token meant for Microsoft Graph."""
    return user_token(stack, person, audience="00000003-0000-0000-c000-000000000000")


def wrong_tenant_token(stack: Stack, person: Person, *, audience: str = API_CLIENT) -> str:
    """Mint a token of another tenant, signed with this tenant's key."""
    return user_token(stack, person, audience=audience, making=Making(STRANGER_TENANT))


def foreign_key_token(stack: Stack, person: Person, *, audience: str = API_CLIENT, borrow_kid: bool = False) -> str:
    """Mint a token signed with a key nobody published; `borrow_kid` puts the real key's name on it."""
    forged = _user_token(Issuer(stack, new_key()), person, audience, USUAL, {})
    if not borrow_kid:
        return forged
    claims = jwt.decode(forged, options={"verify_signature": False})
    return jwt.encode(claims, new_key().private, algorithm="RS256", headers={"kid": kept_key(stack.home).kid})


def unsigned_token(stack: Stack, person: Person, *, audience: str = API_CLIENT) -> str:
    """Mint a token that says `alg: none` and carries the real key's name."""
    key = kept_key(stack.home)
    claims = jwt.decode(user_token(stack, person, audience=audience), options={"verify_signature": False})
    return jwt.encode(claims, "", algorithm="none", headers={"kid": key.kid})


def _user_token(issuer: Issuer, person: Person, audience: str, making: Making, changes: dict[str, Any]) -> str:
    scope = "Console.Access" if audience == API_CLIENT else "user_impersonation"
    client = PAGE_CLIENT if audience == API_CLIENT else API_CLIENT
    ways = ["pwd", "mfa"] if making.contexts else ["pwd"]
    older = _older(making, client=client, preferred_username=None, upn=person.email, appidacr="0", amr=ways)
    made = {**_made(issuer, making, audience), **older, **changes}
    return issuer.user_token(person, audience=audience, scope=scope, client=client, **made)


def _made(issuer: Issuer, making: Making, audience: str) -> dict[str, Any]:
    return {
        "tid": making.tenant,
        "ver": making.version,
        "iss": issuer.name_in(making.tenant, making.version),
        "aud": API_URI if audience == API_CLIENT and making.version == "1.0" else audience,
        "acrs": list(making.contexts) or None,
        "xms_cc": list(making.capabilities) or None,
    }


def _older(making: Making, *, client: str, **claims: Any) -> dict[str, Any]:
    """Claims that version 1.0 has instead of those of 2.0 (None); nothing for 2.0."""
    return {"azp": None, "appid": client, **claims} if making.version == "1.0" else {}
