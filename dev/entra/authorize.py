"""The code flow's first half: check the request, ask who signs in, send the browser back with a code.

Source: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dev.demo import PEOPLE, Person
from dev.entra import session, sign_in_page
from dev.entra.client_info import client_info
from dev.entra.parts import grants_of, issuer_of
from dev.entra.refusals import RefusedError
from dev.entra.registrations import check_page, check_tenant, is_loopback, wanted
from dev.entra.step_up import Proofs

_SEE_OTHER = 303


@dataclass(frozen=True)
class Reply:
    """Where the browser is sent back to, and how the answer travels."""

    redirect: str
    mode: str
    state: str | None

    def with_(self, **fields: str) -> Response:
        told = {**fields, **({"state": self.state} if self.state is not None else {})}
        mark = "#" if self.mode == "fragment" else "&" if "?" in self.redirect else "?"
        return RedirectResponse(f"{self.redirect}{mark}{urlencode(told)}", _SEE_OTHER)

    def refusing(self, refusal: RefusedError, correlation: str | None) -> Response:
        body = refusal.body(correlation)
        return self.with_(error=refusal.error, error_description=str(body["error_description"]))


async def authorize(request: Request) -> Response:
    """Show the sign-in page, or answer at once for a browser that is signed in (`prompt=none` insists on it)."""
    asked = dict(request.query_params) if request.method == "GET" else await _form(request)
    reply = _reply(request, asked)
    try:
        _check(request, asked)
        person = _known_person(request, asked)
    except RefusedError as refusal:
        return reply.refusing(refusal, asked.get("client-request-id"))
    if person is None:
        return sign_in_page.choose(request.path_params["tenant"], asked, _suggested(asked))
    return _proven(request, asked, reply, person)


async def sign_in(request: Request) -> Response:
    """Take the sign-in page's answer: a person or nobody, and what became of the second factor."""
    asked = await _form(request)
    chosen, factor = asked.pop("person", ""), asked.pop("second_factor", "")
    reply = _reply(request, asked)
    try:
        _check(request, asked)
        person = _chosen("" if factor == "denied" else chosen)
    except RefusedError as refusal:
        return reply.refusing(refusal, asked.get("client-request-id"))
    return _proven(request, asked, reply, person, approved=factor == "approved")


def _proven(
    request: Request, asked: Mapping[str, str], reply: Reply, person: Person, *, approved: bool = False
) -> Response:
    """Sign the person in, once they have proven what the client asks for."""
    wished = Proofs.asked(asked.get("claims", ""))
    proofs = session.proven(request, issuer_of(request), person)
    if approved:
        proofs = proofs.joined(wished)
    if not proofs.covers(wished):
        if asked.get("prompt") == "none":
            return reply.refusing(RefusedError(50076, resource=asked["scope"]), asked.get("client-request-id"))
        return sign_in_page.step_up(request.path_params["tenant"], asked, person)
    return _signed_in(request, asked, reply, person, replace(proofs, capable=wished.capable))


async def sign_out(request: Request) -> Response:
    """End the browser's session; go back to the page if it gave a loopback address."""
    check_tenant(request.path_params["tenant"])
    back = request.query_params.get("post_logout_redirect_uri", "")
    answer = (
        Reply(back, "query", request.query_params.get("state")).with_() if is_loopback(back) else sign_in_page.goodbye()
    )
    session.forget(answer)
    return answer


def _chosen(oid: str) -> Person:
    person = next((one for one in PEOPLE if one.oid == oid), None)
    if person is None:
        raise RefusedError(65004)
    return person


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))


def _reply(request: Request, asked: Mapping[str, str]) -> Reply:
    """Find where to answer. Raises RefusedError, which is shown on a page: an unchecked address gets nothing."""
    check_tenant(request.path_params["tenant"])
    client, redirect = asked.get("client_id", ""), asked.get("redirect_uri", "")
    if not client:
        raise RefusedError(900144, parameter="client_id")
    check_page(client)
    if not is_loopback(redirect):
        raise RefusedError(50011, redirect=redirect, client=client)
    mode = asked.get("response_mode", "query")
    if mode not in {"query", "fragment"}:
        raise RefusedError(70007, mode=mode)
    return Reply(redirect, mode, asked.get("state"))


def _check(request: Request, asked: Mapping[str, str]) -> None:
    if asked.get("response_type") != "code":
        raise RefusedError(700054, response_type=asked.get("response_type", ""))
    if not asked.get("scope"):
        raise RefusedError(900144, parameter="scope")
    if asked.get("code_challenge_method") != "S256" or not asked.get("code_challenge"):
        raise RefusedError(9002325)
    wanted(asked["scope"], issuer_of(request).stack)
    Proofs.asked(asked.get("claims", ""))


def _known_person(request: Request, asked: Mapping[str, str]) -> Person | None:
    """Return who may pass without the page; raise RefusedError if the page may not be shown."""
    prompt, hint = asked.get("prompt", ""), asked.get("login_hint", "").lower()
    person = session.signed_in(request, issuer_of(request))
    if person is not None and hint and person.email != hint:
        person = None
    if prompt == "none" and person is None:
        raise RefusedError(50058)
    return None if prompt in {"select_account", "login", "create"} else person


def _suggested(asked: Mapping[str, str]) -> Person | None:
    hint = asked.get("login_hint", "").lower()
    return next((person for person in PEOPLE if person.email == hint), None)


def _signed_in(request: Request, asked: Mapping[str, str], reply: Reply, person: Person, proofs: Proofs) -> Response:
    code = grants_of(request).code(
        person=person,
        client=asked["client_id"],
        scope=asked["scope"],
        redirect=reply.redirect,
        challenge=asked["code_challenge"],
        nonce=asked.get("nonce"),
        proofs=proofs,
    )
    extra = {"client_info": client_info(person)} if asked.get("client_info") == "1" else {}
    answer = reply.with_(code=code, **extra)
    session.remember(answer, person, proofs, issuer_of(request))
    return answer
