"""Tokens minted directly, good ones and bad ones. For tests only: nothing that runs imports this.

They are signed with the stack's own key, so both stand-ins and the application treat them as issued.
"""

from typing import Any

import jwt

from dev.entra.issuer import HOUR, Issuer
from dev.entra.keys import kept_key, new_key
from dev.fleet import API_CLIENT, PAGE_CLIENT, TENANT, Application, Person
from dev.stack import Stack


def user_token(stack: Stack, person: Person, *, audience: str = API_CLIENT, **changes: Any) -> str:
    """Mint what the page would hold for this person; `changes` replace single claims, None removes one."""
    return _user_token(Issuer(stack, kept_key(stack.home)), person, audience, changes)


def app_token(stack: Stack, application: Application, *, audience: str = API_CLIENT, **changes: Any) -> str:
    """Mint what client credentials would give this application."""
    roles = application.roles if audience == API_CLIENT else ()
    return Issuer(stack, kept_key(stack.home)).app_token(application, audience=audience, roles=roles, **changes)


def expired_token(stack: Stack, person: Person, *, audience: str = API_CLIENT) -> str:
    """Mint a token whose hour ended an hour ago."""
    issued = int(Issuer(stack, kept_key(stack.home)).clock()) - 2 * HOUR
    return user_token(stack, person, audience=audience, iat=issued, nbf=issued, exp=issued + HOUR)


def wrong_audience_token(stack: Stack, person: Person) -> str:
    """Mint a token meant for Microsoft Graph."""
    return user_token(stack, person, audience="00000003-0000-0000-c000-000000000000")


def wrong_tenant_token(stack: Stack, person: Person, *, audience: str = API_CLIENT) -> str:
    """Mint a token of another tenant, signed with this tenant's key."""
    other = "7a5c0000-0000-4000-8000-0000000000ff"
    return user_token(stack, person, audience=audience, tid=other, iss=f"{stack.authority}/{other}/v2.0")


def foreign_key_token(stack: Stack, person: Person, *, audience: str = API_CLIENT, borrow_kid: bool = False) -> str:
    """Mint a token signed with a key nobody published; `borrow_kid` puts the real key's name on it."""
    forged = _user_token(Issuer(stack, new_key()), person, audience, {})
    if not borrow_kid:
        return forged
    claims = jwt.decode(forged, options={"verify_signature": False})
    return jwt.encode(claims, new_key().private, algorithm="RS256", headers={"kid": kept_key(stack.home).kid})


def unsigned_token(stack: Stack, person: Person, *, audience: str = API_CLIENT) -> str:
    """Mint a token that says `alg: none` and carries the real key's name."""
    key = kept_key(stack.home)
    claims = jwt.decode(user_token(stack, person, audience=audience), options={"verify_signature": False})
    return jwt.encode(claims, "", algorithm="none", headers={"kid": key.kid})


def _user_token(issuer: Issuer, person: Person, audience: str, changes: dict[str, Any]) -> str:
    scope = "Console.Access" if audience == API_CLIENT else "user_impersonation"
    client = PAGE_CLIENT if audience == API_CLIENT else API_CLIENT
    usual = {"tid": TENANT, "xms_cc": ["CP1"]}
    return issuer.user_token(person, audience=audience, scope=scope, client=client, **{**usual, **changes})
