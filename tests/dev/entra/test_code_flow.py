import base64
import json

import httpx
import pytest

from dev.demo import ADA, API_CLIENT, API_SCOPE, GRACE, PAGE_CLIENT, RELAY, TENANT
from dev.stack import Stack
from tests.dev.entra.browser import (
    BACK,
    OAUTH,
    VERIFIER,
    Clock,
    answered,
    asked,
    buy,
    redeem,
    refusal,
    sign_in,
    verified,
)


async def test_a_person_signs_in_and_the_page_gets_the_tokens_it_asked_for(
    page: httpx.AsyncClient, stack: Stack
) -> None:
    back = await sign_in(page, GRACE)
    assert back["state"] == "st&te"
    sold = (await redeem(page, back["code"])).json()
    assert sold["token_type"] == "Bearer"
    assert sold["expires_in"] == 3600
    assert sold["scope"] == f"openid profile {API_SCOPE}"
    access = verified(stack, sold["access_token"], API_CLIENT)
    assert access["ver"] == "2.0"
    assert (access["tid"], access["oid"], access["name"]) == (TENANT, GRACE.oid, "Grace Hopper")
    assert (access["scp"], access["azp"]) == ("Console.Access", PAGE_CLIENT)
    assert not {"xms_cc", "acrs", "capolids_latebind"} & access.keys(), "what nobody asked for is not told"
    identity = verified(stack, sold["id_token"], PAGE_CLIENT)
    assert (identity["nonce"], identity["preferred_username"]) == ("n0nce", "grace@contoso.example")
    padded = sold["client_info"] + "=" * (-len(sold["client_info"]) % 4)
    assert json.loads(base64.urlsafe_b64decode(padded)) == {"uid": GRACE.oid, "utid": TENANT}


@pytest.mark.parametrize(("mode", "mark"), [("query", "?"), ("fragment", "#")])
async def test_the_answer_travels_as_the_page_asked(page: httpx.AsyncClient, mode: str, mark: str) -> None:
    await sign_in(page, ADA)
    response = await page.get(f"{OAUTH}/authorize", params=asked(response_mode=mode))
    assert response.headers["location"].startswith(f"{BACK}{mark}code=")


async def test_a_browser_without_a_session_is_told_so_when_no_page_may_be_shown(page: httpx.AsyncClient) -> None:
    back = answered(await page.get(f"{OAUTH}/authorize", params=asked(prompt="none")))
    assert back["error"] == "login_required"
    assert back["error_description"].startswith("AADSTS50058")
    assert back["state"] == "st&te"


async def test_a_browser_with_a_session_signs_in_silently_until_it_signs_out(page: httpx.AsyncClient) -> None:
    await sign_in(page, GRACE)
    silent = asked(prompt="none", login_hint="grace@contoso.example")
    assert "code" in answered(await page.get(f"{OAUTH}/authorize", params=silent))
    other = asked(prompt="none", login_hint="ada@contoso.example")
    assert answered(await page.get(f"{OAUTH}/authorize", params=other))["error"] == "login_required"
    out = await page.get(f"{OAUTH}/logout", params={"post_logout_redirect_uri": f"{BACK}bye", "state": "s"})
    assert out.headers["location"] == f"{BACK}bye?state=s"
    assert answered(await page.get(f"{OAUTH}/authorize", params=silent))["error"] == "login_required"


async def test_a_person_who_cancels_goes_back_with_access_denied(page: httpx.AsyncClient) -> None:
    response = await page.post(f"/{TENANT}/login", data={**asked(), "person": ""})
    assert answered(response)["error"] == "access_denied"


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"redirect_uri": "https://evil.example/"}, 50011),
        ({"redirect_uri": "http://localhost.evil.example/"}, 50011),
        ({"redirect_uri": "http://localhost@evil.example/"}, 50011),
        ({"client_id": RELAY.client}, 700016),
        ({"client_id": None}, 900144),
        ({"response_mode": "form_post"}, 70007),
    ],
)
async def test_an_unchecked_address_gets_a_page_and_never_a_redirect(
    page: httpx.AsyncClient, changes: dict[str, str | None], number: int
) -> None:
    shown = await page.get(f"{OAUTH}/authorize", params=asked(**changes))
    assert shown.status_code == 400
    assert f"AADSTS{number}" in shown.text
    assert "location" not in shown.headers


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "api://unknown/Console.Access"}, "invalid_resource"),
        ({"scope": f"{API_SCOPE}.More"}, "invalid_scope"),
        ({"scope": None}, "invalid_request"),
    ],
)
async def test_a_faulty_request_goes_back_with_its_error(
    page: httpx.AsyncClient, changes: dict[str, str | None], error: str
) -> None:
    assert answered(await page.get(f"{OAUTH}/authorize", params=asked(**changes)))["error"] == error


async def test_a_code_is_good_once(page: httpx.AsyncClient) -> None:
    code = (await sign_in(page, ADA))["code"]
    assert (await redeem(page, code)).status_code == 200
    assert refusal(await redeem(page, code)) == (400, 54005, "invalid_grant")


async def test_a_code_is_good_for_a_minute(page: httpx.AsyncClient, clock: Clock) -> None:
    code = (await sign_in(page, ADA))["code"]
    clock.now += 61
    assert refusal(await redeem(page, code)) == (400, 70008, "invalid_grant")


async def test_a_code_is_bound_to_its_redirect_its_client_and_its_verifier(page: httpx.AsyncClient) -> None:
    code = (await sign_in(page, ADA))["code"]
    assert refusal(await redeem(page, code, redirect_uri=f"{BACK}other"))[1] == 500112
    as_relay = await redeem(page, code, client_id=RELAY.client, client_secret=RELAY.secret)
    assert refusal(as_relay)[1] == 70000
    assert refusal(await redeem(page, code, code_verifier="w" * 43))[1] == 501481
    assert refusal(await redeem(page, code))[1] == 54005, "a wrong guess spends the code"
    assert refusal(await redeem(page, "made-up"))[1] == 9002313


async def test_a_refresh_token_renews_for_a_day_and_no_longer(page: httpx.AsyncClient, clock: Clock) -> None:
    sold = (await redeem(page, (await sign_in(page, ADA))["code"])).json()
    clock.now += 23 * 3600
    form = {"grant_type": "refresh_token", "client_id": PAGE_CLIENT}
    renewed = (await buy(page, **form, refresh_token=sold["refresh_token"])).json()
    assert renewed["refresh_token"] != sold["refresh_token"]
    assert renewed["refresh_token_expires_in"] == pytest.approx(3600, abs=1)
    clock.now += 3601
    assert refusal(await buy(page, **form, refresh_token=renewed["refresh_token"]))[1] == 700084


async def test_a_page_on_this_machine_may_read_the_answer_and_no_other(page: httpx.AsyncClient) -> None:
    code = (await sign_in(page, ADA))["code"]
    form = {"grant_type": "authorization_code", "client_id": PAGE_CLIENT, "redirect_uri": BACK}
    form |= {"code": code, "code_verifier": VERIFIER}
    ours = await page.post(f"{OAUTH}/token", data=form, headers={"Origin": "http://localhost:8400"})
    assert ours.headers["access-control-allow-origin"] == "http://localhost:8400"
    theirs = await page.post(f"{OAUTH}/token", data=form, headers={"Origin": "http://localhost.evil.example"})
    assert "access-control-allow-origin" not in theirs.headers


async def test_a_name_that_only_points_here_is_not_served(page: httpx.AsyncClient) -> None:
    assert (await page.get("/healthz", headers={"Host": "evil.example"})).status_code == 400
