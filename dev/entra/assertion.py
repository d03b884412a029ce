"""The caller's token inside an on-behalf-of request: the middle tier may only present what was meant for it."""

from typing import Any

import jwt

from dev.demo import PEOPLE, TENANT, Person
from dev.entra.issuer import Issuer
from dev.entra.keys import ALGORITHM
from dev.entra.refusals import RefusedError
from dev.entra.step_up import Proofs

_NEEDED = ["exp", "nbf", "iat", "iss", "aud", "oid", "tid"]


def asserted_person(assertion: str, *, issuer: Issuer, client: str) -> tuple[Person, Proofs]:
    """Return the person behind a token issued to `client`, and what they did to sign in; raise RefusedError unless
    every part of it holds.
    """
    try:
        named = jwt.get_unverified_header(assertion).get("kid")
    except jwt.PyJWTError as broken:
        raise RefusedError(50027) from broken
    if named != issuer.key.kid:
        raise RefusedError(50013)
    claims = _verified(assertion, issuer, client)
    if claims.get("idtyp") == "app" or "scp" not in claims:
        raise RefusedError(7000114, client=client)
    known = next((person for person in PEOPLE if person.oid == claims["oid"]), None)
    person = known or Person(claims["oid"], claims.get("name", ""), claims.get("preferred_username", ""), "")
    proofs = Proofs(frozenset(claims.get("acrs") or ()), frozenset(claims.get("capolids_latebind") or ()))
    return person, proofs


def _verified(assertion: str, issuer: Issuer, client: str) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(
            assertion,
            issuer.key.public,
            algorithms=[ALGORITHM],
            audience=[client, f"api://{client}"],
            issuer=[issuer.name_in(TENANT, version) for version in ("2.0", "1.0")],
            options={"require": _NEEDED},
        )
    except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError) as untimely:
        raise RefusedError(500133) from untimely
    except jwt.InvalidAudienceError as misdirected:
        audience = jwt.decode(assertion, options={"verify_signature": False}).get("aud")
        raise RefusedError(500131, audience=str(audience), client=client) from misdirected
    except (jwt.InvalidSignatureError, jwt.InvalidAlgorithmError, jwt.InvalidIssuerError) as forged:
        raise RefusedError(50013) from forged
    except jwt.PyJWTError as broken:
        raise RefusedError(50027) from broken
    return claims
