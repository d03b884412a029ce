"""Identifies callers by their Entra ID access tokens.

Only RS256 and only configured tenants are accepted. The tenant is checked before anything is fetched, and the address
of the keys comes from our settings, never from the token. No exception text or log line holds any part of a token.
Claims are as Microsoft documents them for access tokens of versions 1.0 and 2.0.
"""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from shared.access.azure_roles import SCOPE, honoured
from shared.access.settings import AccessSettings
from shared.base.caller import Caller, CallerKind, Secret
from shared.base.http_json import Http
from shared.base.in_time import in_time
from shared.base.ports import Dependency
from shared.base.refusals import Code, Refusal, refuse
from shared.base.signing_keys import Fetch, SigningKeys

LEEWAY_SECONDS = 60
_LONGEST = 16 * 1024
"""Characters of a token, at most. Entra's stay under half of that, whatever the number of groups."""
_FORM = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+){2}")
"""Header, claims and signature. Decoders accept padding and foreign characters; here a token has one spelling."""
_LONGEST_NAME = 256
"""Characters; Entra's own bound."""
_DEMANDED = ["exp", "nbf", "iat", "iss", "aud", "tid", "oid", "ver"]
_UNAUTHENTICATED = refuse(Code.CALLER_NOT_AUTHENTICATED)


class _NotAToken(ValueError):
    """The text does not have the form of a token that could be accepted."""


@dataclass(frozen=True, slots=True)
class _UnverifiedParts:
    """The parts of an unverified token that name its key."""

    tenant: str
    key_id: str


class EntraCallers:
    def __init__(self, settings: AccessSettings, keys: SigningKeys) -> None:
        self._settings, self._keys = settings, keys
        self._tenants = frozenset(tenant.lower() for tenant in settings.tenants)

    async def identify(self, authorization: str | None) -> Caller | Refusal:
        """Returns the caller, or a refusal. Raises Unavailable if the keys of the tenant cannot be fetched."""
        try:
            token = _bearer(authorization)
            unverified = _read_unverified(token)
        except _NotAToken:
            return _UNAUTHENTICATED
        if unverified.tenant not in self._tenants:
            return _UNAUTHENTICATED
        keys = f"{self._settings.authority}/{unverified.tenant}/discovery/v2.0/keys"
        async with in_time(Dependency.ENTRA):
            key = await self._keys.find(keys, unverified.key_id)
        claims = self._verified(token, key, unverified.tenant) if key else None
        home = self._settings.tenants[0].lower()
        return _caller(claims, token, home) if claims else _UNAUTHENTICATED

    def _verified(self, token: str, key: jwt.PyJWK, tenant: str) -> dict[str, Any] | None:
        issuers = {
            "2.0": f"{self._settings.authority}/{tenant}/v2.0",
            "1.0": f"{_issuer_of_version_1(self._settings.authority)}/{tenant}/",
        }
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                audience=[self._settings.api_client, self._settings.api_audience],
                issuer=list(issuers.values()),
                leeway=LEEWAY_SECONDS,
                options={"require": _DEMANDED},
            )
        except jwt.PyJWTError:
            return None
        texts = all(isinstance(claims[claim], str) and claims[claim] for claim in ("ver", "oid", "aud"))
        return claims if texts and claims["iss"] == issuers.get(claims["ver"]) else None


def _issuer_of_version_1(authority: str) -> str:
    """Returns the issuer of version 1.0. China's cloud has its own; all others, also the US government's, share one."""
    return "https://sts.chinacloudapi.cn" if authority.endswith(".cn") else "https://sts.windows.net"


def fetch_keys(http: Http) -> Fetch:
    """Returns the function that fetches Entra's signing keys."""

    async def fetch(address: str) -> dict[str, Any]:
        return await http.get_json(address, Dependency.ENTRA)

    return fetch


def _bearer(authorization: str | None) -> str:
    scheme, _, token = (authorization or "").strip(" ").partition(" ")
    token = token.strip(" ")
    if scheme.lower() != "bearer" or len(token) > _LONGEST or not _FORM.fullmatch(token):
        raise _NotAToken
    return token


def _read_unverified(token: str) -> _UnverifiedParts:
    """Reads tenant and key id before the signature is verified. Raises _NotAToken."""
    try:
        header, claims = (json.loads(_decoded(part)) for part in token.split(".")[:2])
        if header["alg"] != "RS256":
            raise _NotAToken
        unverified = _UnverifiedParts(claims["tid"], header["kid"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _NotAToken from error
    if not (isinstance(unverified.tenant, str) and isinstance(unverified.key_id, str)):
        raise _NotAToken
    return unverified


def _decoded(part: str) -> bytes:
    """Raises ValueError."""
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _caller(claims: Mapping[str, Any], token: str, home: str) -> Caller | Refusal:
    """Makes the caller from verified claims. A user's token must carry our scope, an application's an app role."""
    scopes, roles = frozenset(str(claims.get("scp") or "").split()), frozenset(_texts(claims.get("roles")))
    kind = CallerKind.USER if scopes else CallerKind.APPLICATION
    if not _is_access_token(claims, kind):
        return _UNAUTHENTICATED
    if SCOPE not in scopes if kind is CallerKind.USER else not roles:
        return refuse(Code.CALLER_NOT_PERMITTED)
    return Caller(
        claims["tid"],
        claims["oid"],
        _name(claims),
        kind,
        honoured(roles, at_home=claims["tid"] == home),
        Secret(token),
        contexts=frozenset(text for text in _texts(claims.get("acrs")) if _CONTEXT.fullmatch(text)),
        answers_challenges="cp1" in (text.lower() for text in _texts(claims.get("xms_cc"))),
    )


def _is_access_token(claims: Mapping[str, Any], kind: CallerKind) -> bool:
    """Returns True for an access token. An id token also has our client id as its audience, has no scope and may carry
    a person's app roles; it must not pass for an application's. Only an application's subject is its object id.
    """
    token_type = claims.get("idtyp")
    if kind is CallerKind.USER:
        return token_type in (None, "user")
    return token_type in (None, "app") and claims.get("sub") == claims["oid"]


_CONTEXT = re.compile(r"c[1-9][0-9]?", re.ASCII)


def _texts(claim: Any) -> list[str]:
    """Returns the texts of a claim, which is a list or a single text."""
    listed = claim if isinstance(claim, list) else [claim]
    return [text for text in listed if isinstance(text, str)]


def _name(claims: Mapping[str, Any]) -> str:
    """Returns the display name. It decides nothing, so claims that a user may edit are good enough.

    Other people see it in their terminals, so control characters and characters that reverse text are removed.
    """
    names = (claims.get(claim) for claim in ("name", "preferred_username", "upn", "app_displayname", "azp", "appid"))
    printable = (
        "".join(filter(str.isprintable, name)).strip()[:_LONGEST_NAME] for name in names if isinstance(name, str)
    )
    return next(filter(None, printable), claims["oid"])
