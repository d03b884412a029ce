"""Who is signed in to this browser: a cookie signed with the tenant's key, good for a working day and over restarts."""

import jwt
from starlette.requests import Request
from starlette.responses import Response

from dev.entra.issuer import Issuer
from dev.entra.keys import ALGORITHM
from dev.fleet import PEOPLE, Person

COOKIE = "local_entra_session"
_AUDIENCE = "local-entra-session"
_SECONDS = 8 * 3600


def remember(response: Response, person: Person, issuer: Issuer) -> None:
    """Sign the browser in. No `Secure`: the page is on plain http, on loopback only."""
    now = int(issuer.clock())
    claims = {"aud": _AUDIENCE, "iss": issuer.name, "oid": person.oid, "iat": now, "exp": now + _SECONDS}
    value = jwt.encode(claims, issuer.key.private, algorithm=ALGORITHM, headers={"kid": issuer.key.kid})
    response.set_cookie(COOKIE, value, max_age=_SECONDS, httponly=True, samesite="lax")


def forget(response: Response) -> None:
    response.delete_cookie(COOKIE, httponly=True, samesite="lax")


def signed_in(request: Request, issuer: Issuer) -> Person | None:
    """Return the person this browser signed in as, if its cookie is ours and still good."""
    try:
        claims = jwt.decode(
            request.cookies.get(COOKIE, ""),
            issuer.key.public,
            algorithms=[ALGORITHM],
            audience=_AUDIENCE,
            issuer=issuer.name,
        )
    except jwt.PyJWTError:
        return None
    return next((person for person in PEOPLE if person.oid == claims.get("oid")), None)
