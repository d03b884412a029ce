"""The four grants that buy a token.

Sources: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow,
.../v2-oauth2-client-creds-grant-flow, .../v2-oauth2-on-behalf-of-flow
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, unquote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dev.demo import API_CLIENT, PAGE_CLIENT, Person
from dev.entra.assertion import asserted_person
from dev.entra.client_info import client_info
from dev.entra.demands import Demands
from dev.entra.grants import Grant, Grants
from dev.entra.issuer import Issuer
from dev.entra.parts import demands_of, grants_of, issuer_of
from dev.entra.refusals import RefusedError
from dev.entra.registrations import Wanted, authenticated, check_tenant, wanted
from dev.entra.step_up import MFA, Proofs, demanded

_ON_BEHALF_OF = "urn:ietf:params:oauth:grant-type:jwt-bearer"

Form = Mapping[str, str]
Answer = dict[str, Any]


async def token(request: Request) -> Response:
    """Sell a token. Raises RefusedError, which the application turns into Entra's error body."""
    check_tenant(request.path_params["tenant"])
    form = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
    form |= _basic_credentials(request)
    desk = TokenDesk(issuer_of(request), grants_of(request), demands_of(request))
    return JSONResponse(desk.answer(form), headers={"Cache-Control": "no-store", "Pragma": "no-cache"})


class TokenDesk:
    """Takes a token request's form, returns the answer's fields. Raises RefusedError."""

    def __init__(self, issuer: Issuer, grants: Grants, demands: Demands) -> None:
        self._issuer = issuer
        self._grants = grants
        self._demands = demands

    def answer(self, form: Form) -> Answer:
        match _needed(form, "grant_type"):
            case "authorization_code":
                return self._for_code(form)
            case "refresh_token":
                return self._for_refresh_token(form)
            case "client_credentials":
                return self._for_application(form)
            case grant if grant == _ON_BEHALF_OF:
                return self._on_behalf_of(form)
            case other:
                raise RefusedError(70003, grant=other)

    def _for_code(self, form: Form) -> Answer:
        client = _client(form)
        code, verifier = _needed(form, "code"), _needed(form, "code_verifier")
        redirect = _needed(form, "redirect_uri")
        grant = self._grants.redeem(code, client=client, redirect=redirect, verifier=verifier)
        return self._for_grant(form, grant, renewed=False)

    def _for_refresh_token(self, form: Form) -> Answer:
        grant = self._grants.renew(_needed(form, "refresh_token"), client=_client(form))
        return self._for_grant(form, replace(grant, nonce=None), renewed=True)

    def _for_grant(self, form: Form, grant: Grant, *, renewed: bool) -> Answer:
        asked = wanted(form.get("scope") or grant.scope, self._issuer.stack)
        claims = Proofs.asked(form.get("claims", ""))
        if not grant.proofs.covers(claims):
            raise RefusedError(50076, resource=asked.audience)
        proofs = replace(grant.proofs, capable=grant.proofs.capable or claims.capable)
        answer = self._for_person(form, grant.person, asked, client=grant.client, nonce=grant.nonce, proofs=proofs)
        if "offline_access" in asked.openid or renewed:
            answer["refresh_token"] = self._grants.refresh_token(grant, renewed=renewed)
            answer["refresh_token_expires_in"] = self._grants.seconds_left(answer["refresh_token"])
        return answer

    def _on_behalf_of(self, form: Form) -> Answer:
        application = authenticated(_needed(form, "client_id"), form.get("client_secret"))
        if form.get("requested_token_use") != "on_behalf_of":
            raise RefusedError(900144, parameter="requested_token_use")
        person, proofs = asserted_person(_needed(form, "assertion"), issuer=self._issuer, client=application.client)
        asked = wanted(_needed(form, "scope"), self._issuer.stack)
        if person.oid in self._demands.people and MFA not in proofs.policies:
            raise demanded(MFA, asked.audience)
        return self._for_person(form, person, asked, client=application.client, nonce=None, proofs=proofs)

    def _for_application(self, form: Form) -> Answer:
        application = authenticated(_needed(form, "client_id"), form.get("client_secret"))
        scope = _needed(form, "scope")
        if not scope.endswith("/.default"):
            raise RefusedError(1002012, scope=scope)
        asked = wanted(scope, self._issuer.stack)
        roles = application.roles if asked.audience == API_CLIENT else ()
        return self._bearer(self._issuer.app_token(application, audience=asked.audience, roles=roles))

    def _for_person(
        self, form: Form, person: Person, asked: Wanted, *, client: str, nonce: str | None, proofs: Proofs
    ) -> Answer:
        about = {"audience": asked.audience, "scope": asked.scp, "client": client, **proofs.as_claims()}
        bought = self._issuer.user_token(person, **about)
        answer = {**self._bearer(bought), "scope": asked.granted}
        if "openid" in asked.openid:
            answer["id_token"] = self._issuer.id_token(person, client=client, nonce=nonce)
        if form.get("client_info") == "1":
            answer["client_info"] = client_info(person)
        return answer

    def _bearer(self, access_token: str) -> Answer:
        seconds = self._issuer.seconds
        return {
            "token_type": "Bearer",
            "expires_in": seconds,
            "ext_expires_in": seconds,
            "access_token": access_token,
        }


def _needed(form: Form, parameter: str) -> str:
    value = form.get(parameter)
    if not value:
        raise RefusedError(900144, parameter=parameter)
    return value


def _client(form: Form) -> str:
    """Return who asks: the page, a public client without a secret, or an application that proves itself."""
    client = _needed(form, "client_id")
    return client if client == PAGE_CLIENT else authenticated(client, form.get("client_secret")).client


def _basic_credentials(request: Request) -> dict[str, str]:
    """Read client id and secret from HTTP Basic (RFC 6749, section 2.3.1), if they came that way."""
    scheme, _, packed = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        client, _, secret = base64.b64decode(packed, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as broken:
        raise RefusedError(9002313) from broken
    return {"client_id": unquote(client), "client_secret": unquote(secret)}
