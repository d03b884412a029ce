"""What a page and its browser do to sign somebody in."""

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import jwt

from dev.demo import API_SCOPE, PAGE_CLIENT, TENANT, Person
from dev.entra.grants import s256
from dev.entra.keys import kept_key
from dev.stack import Stack

BACK = "http://localhost:8400/"
VERIFIER = "v" * 43
OAUTH = f"/{TENANT}/oauth2/v2.0"
NO_SESSION = ""


class Clock:
    """Seconds since 1970, moved by hand."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def asked(**changes: str | None) -> dict[str, str]:
    """The page's request; None leaves a parameter out."""
    told: dict[str, str | None] = {
        "client_id": PAGE_CLIENT,
        "redirect_uri": BACK,
        "response_type": "code",
        "response_mode": "fragment",
        "scope": f"openid profile offline_access {API_SCOPE}",
        "state": "st&te",
        "nonce": "n0nce",
        "code_challenge": s256(VERIFIER),
        "code_challenge_method": "S256",
        "client_info": "1",
        "x-client-SKU": "msal.js.browser",
        **changes,
    }
    return {name: value for name, value in told.items() if value is not None}


def hidden_fields(html: str) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', html)
    return {unescape(name): unescape(value) for name, value in found}


def answered(response: httpx.Response) -> dict[str, str]:
    """What the redirect back to the page carries, in its query or its fragment."""
    assert response.status_code == 303, response.text
    back = urlsplit(response.headers["location"])
    return dict(parse_qsl(back.fragment or back.query))


async def sign_in(page: httpx.AsyncClient, person: Person, **changes: str | None) -> dict[str, str]:
    """Go through the sign-in page as a person does; return what came back."""
    shown = await page.get(f"{OAUTH}/authorize", params=asked(prompt="select_account", **changes))
    assert shown.status_code == 200
    return answered(await page.post(f"/{TENANT}/login", data={**hidden_fields(shown.text), "person": person.oid}))


async def redeem(page: httpx.AsyncClient, code: str, **changes: str | None) -> httpx.Response:
    form: dict[str, str | None] = {
        "grant_type": "authorization_code",
        "client_id": PAGE_CLIENT,
        "redirect_uri": BACK,
        "code": code,
        "code_verifier": VERIFIER,
        "client_info": "1",
        **changes,
    }
    return await buy(page, **form)


async def buy(page: httpx.AsyncClient, **form: str | None) -> httpx.Response:
    told: dict[str, Any] = {name: value for name, value in form.items() if value is not None}
    return await page.post(f"{OAUTH}/token", data=told)


def refusal(response: httpx.Response) -> tuple[int, int, str]:
    body = response.json()
    assert set(body) == {"error", "error_description", "error_codes", "timestamp", "trace_id", "correlation_id"}
    assert body["error_description"].startswith(f"AADSTS{body['error_codes'][0]}: ")
    return response.status_code, body["error_codes"][0], body["error"]


def verified(stack: Stack, token: str, audience: str) -> dict[str, Any]:
    issuer = f"{stack.authority}/{TENANT}/v2.0"
    claims: dict[str, Any] = jwt.decode(
        token, kept_key(stack.home).public, algorithms=["RS256"], audience=audience, issuer=issuer
    )
    return claims
