"""Who is signed in to this browser: a cookie signed with the tenant's key, good for a working day and over restarts."""

from typing import Any

import jwt
from starlette.requests import Request
from starlette.responses import Response

from dev.demo import PEOPLE, Person
from dev.entra.issuer import Issuer
from dev.entra.keys import ALGORITHM
from dev.entra.step_up import Proofs

COOKIE = "local_entra_session"
_AUDIENCE = "local-entra-session"
_SECONDS = 8 * 3600


def remember(response: Response, person: Person, proofs: Proofs, issuer: Issuer) -> None:
    """Sign the browser in. No `Secure`: the page is on plain http, on loopback only."""
    now = int(issuer.clock())
    done = {"contexts": sorted(proofs.contexts), "policies": sorted(proofs.policies)}
    claims = {"aud": _AUDIENCE, "iss": issuer.name, "oid": person.oid, "iat": now, "exp": now + _SECONDS, **done}
    value = jwt.encode(claims, issuer.key.private, algorithm=ALGORITHM, headers={"kid": issuer.key.kid})
    response.set_cookie(COOKIE, value, max_age=_SECONDS, httponly=True, samesite="lax")


def forget(response: Response) -> None:
    response.delete_cookie(COOKIE, httponly=True, samesite="lax")


def signed_in(request: Request, issuer: Issuer) -> Person | None:
    """Return the person this browser signed in as, if its cookie is ours and still good."""
    oid = _claims(request, issuer).get("oid")
    return next((person for person in PEOPLE if person.oid == oid), None)


def proven(request: Request, issuer: Issuer, person: Person) -> Proofs:
    """Return what this person has done in this browser beyond signing in."""
    claims = _claims(request, issuer)
    if claims.get("oid") != person.oid:
        return Proofs()
    return Proofs(frozenset(claims.get("contexts") or ()), frozenset(claims.get("policies") or ()))


def _claims(request: Request, issuer: Issuer) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(
            request.cookies.get(COOKIE, ""),
            issuer.key.public,
            algorithms=[ALGORITHM],
            audience=_AUDIENCE,
            issuer=issuer.name,
        )
    except jwt.PyJWTError:
        return {}
    return claims
