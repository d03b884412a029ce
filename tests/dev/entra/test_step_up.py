"""A stronger sign-in, as a page, its API and a person meet it."""

import json
from typing import Any

import httpx
import pytest

from dev.demo import API_CLIENT, API_SECRET, EDITH, GRACE, TENANT, Person
from dev.entra.step_up import MFA
from dev.entra.tokens import user_token
from dev.stack import Stack
from tests.dev.entra.browser import OAUTH, answered, asked, buy, hidden_fields, redeem, sign_in, verified

CP1 = {"access_token": {"xms_cc": {"values": ["CP1"]}}}
CONTEXT = {"access_token": {**CP1["access_token"], "acrs": {"essential": True, "value": "c1"}}}
POLICY = {"access_token": {"capolids": {"essential": True, "values": [MFA]}}}
ARM = "https://management.azure.com/.default"


async def step_up(page: httpx.AsyncClient, person: Person, claims: object, answer: str) -> dict[str, str]:
    """Signs in with a claims challenge; `answer` is what the person says on their phone."""
    wished = asked(prompt="select_account", claims=json.dumps(claims))
    shown = await page.get(f"{OAUTH}/authorize", params=wished)
    chosen = await page.post(f"/{TENANT}/login", data={**hidden_fields(shown.text), "person": person.oid})
    assert "Approve on your phone" in chosen.text
    return answered(await page.post(f"/{TENANT}/login", data={**hidden_fields(chosen.text), "second_factor": answer}))


async def on_behalf_of(page: httpx.AsyncClient, token: str) -> httpx.Response:
    return await buy(
        page,
        grant_type="urn:ietf:params:oauth:grant-type:jwt-bearer",
        requested_token_use="on_behalf_of",
        client_id=API_CLIENT,
        client_secret=API_SECRET,
        assertion=token,
        scope=ARM,
    )


async def test_a_client_that_says_it_can_is_known_by_its_tokens(page: httpx.AsyncClient, stack: Stack) -> None:
    back = await sign_in(page, GRACE, claims=json.dumps(CP1))
    token = (await redeem(page, back["code"])).json()["access_token"]
    assert verified(stack, token, API_CLIENT)["xms_cc"] == ["CP1"]


async def test_a_context_is_in_the_token_once_it_was_proven(page: httpx.AsyncClient, stack: Stack) -> None:
    back = await step_up(page, GRACE, CONTEXT, "approved")
    token = (await redeem(page, back["code"])).json()["access_token"]
    claims = verified(stack, token, API_CLIENT)
    assert (claims["acrs"], claims["xms_cc"]) == (["c1"], ["CP1"])


async def test_a_browser_that_has_proven_it_is_not_asked_again(page: httpx.AsyncClient) -> None:
    await step_up(page, GRACE, CONTEXT, "approved")
    again = await page.get(f"{OAUTH}/authorize", params=asked(claims=json.dumps(CONTEXT)))
    assert "code" in answered(again)
    other = await page.get(f"{OAUTH}/authorize", params=asked(claims=json.dumps(CONTEXT).replace("c1", "c2")))
    assert "Approve on your phone" in other.text


async def test_what_one_person_proved_another_has_not(page: httpx.AsyncClient) -> None:
    await step_up(page, GRACE, CONTEXT, "approved")
    await step_up(page, EDITH, CONTEXT, "approved")


async def test_whoever_denies_is_not_signed_in(page: httpx.AsyncClient) -> None:
    assert (await step_up(page, GRACE, CONTEXT, "denied"))["error"] == "access_denied"


async def test_a_silent_sign_in_cannot_prove_anything(page: httpx.AsyncClient) -> None:
    await sign_in(page, GRACE)
    silent = await page.get(f"{OAUTH}/authorize", params=asked(prompt="none", claims=json.dumps(CONTEXT)))
    assert answered(silent)["error"] == "interaction_required"


async def test_a_renewal_cannot_either(page: httpx.AsyncClient) -> None:
    back = await sign_in(page, GRACE)
    sold = (await redeem(page, back["code"])).json()
    renewal = await buy(
        page,
        grant_type="refresh_token",
        client_id=asked()["client_id"],
        refresh_token=sold["refresh_token"],
        claims=json.dumps(CONTEXT),
    )
    assert (renewal.status_code, renewal.json()["error"]) == (400, "interaction_required")


async def test_the_tenant_demands_a_second_factor_for_arm(page: httpx.AsyncClient) -> None:
    back = await sign_in(page, EDITH)
    token = (await redeem(page, back["code"])).json()["access_token"]
    refused = await on_behalf_of(page, token)
    assert (refused.status_code, refused.json()["error"]) == (400, "interaction_required")
    assert json.loads(refused.json()["claims"]) == POLICY
    back = await step_up(page, EDITH, POLICY, "approved")
    token = (await redeem(page, back["code"])).json()["access_token"]
    assert (await on_behalf_of(page, token)).status_code == 200


async def test_the_demand_can_be_made_of_somebody_and_taken_back(page: httpx.AsyncClient, stack: Stack) -> None:
    for person, demanded in ((EDITH, False), (GRACE, True), (GRACE, False)):
        changed = await page.put(f"/admin/people/{person.oid}", json={"second_factor": demanded})
        assert changed.status_code == 204
        token = user_token(stack, person)
        assert (await on_behalf_of(page, token)).status_code == (400 if demanded else 200)


@pytest.mark.parametrize("body", [{}, {"second_factor": "yes"}, {"second_factor": True, "more": 1}, [], "{"])
async def test_a_demand_that_cannot_be_read_changes_nothing(page: httpx.AsyncClient, stack: Stack, body: Any) -> None:
    sent = await page.put(f"/admin/people/{EDITH.oid}", content=body if isinstance(body, str) else json.dumps(body))
    assert sent.status_code == 400
    assert (await page.put("/admin/people/nobody", json={"second_factor": True})).status_code == 400
    assert (await on_behalf_of(page, user_token(stack, EDITH))).status_code == 400


async def test_no_page_of_another_origin_can_change_a_demand(page: httpx.AsyncClient) -> None:
    asks = {"Origin": "http://localhost:8400", "Access-Control-Request-Method": "PUT"}
    assert (await page.options(f"/admin/people/{EDITH.oid}", headers=asks)).status_code == 400


async def test_of_others_it_does_not(page: httpx.AsyncClient) -> None:
    back = await sign_in(page, GRACE)
    token = (await redeem(page, back["code"])).json()["access_token"]
    assert (await on_behalf_of(page, token)).status_code == 200


@pytest.mark.parametrize("claims", ["{", "[]", '{"access_token": 5}', '{"access_token": {"acrs": "c1"}}'])
async def test_claims_that_cannot_be_read_are_refused(page: httpx.AsyncClient, claims: str) -> None:
    answer = await page.get(f"{OAUTH}/authorize", params=asked(claims=claims))
    assert answered(answer)["error"] == "invalid_request"
