import httpx
import jwt
import pytest

from dev.demo import (
    ADA,
    API_CLIENT,
    API_SECRET,
    API_URI,
    PAGE_CLIENT,
    PARTNER_TENANT,
    RELAY,
    SERVICE,
    STRANGER_TENANT,
    TENANT,
)
from dev.entra.tokens import (
    Making,
    app_token,
    expired_token,
    foreign_key_token,
    unsigned_token,
    user_token,
    wrong_audience_token,
    wrong_tenant_token,
)
from dev.stack import Port, Stack
from tests.dev.entra.browser import buy, refusal

ARM = "https://management.azure.com"


def read(token: str) -> dict[str, object]:
    claims: dict[str, object] = jwt.decode(token, options={"verify_signature": False})
    return claims


def on_behalf_of(assertion: str) -> dict[str, str]:
    return {
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "requested_token_use": "on_behalf_of",
        "client_id": API_CLIENT,
        "client_secret": API_SECRET,
        "scope": f"{ARM}/.default",
        "assertion": assertion,
    }


def as_relay(**changes: str | None) -> dict[str, str | None]:
    told = {"client_id": RELAY.client, "client_secret": RELAY.secret, "scope": f"{API_URI}/.default"}
    return {"grant_type": "client_credentials", **told, **changes}


async def test_an_application_gets_its_roles_on_the_api_and_no_scope(page: httpx.AsyncClient) -> None:
    claims = read((await buy(page, **as_relay())).json()["access_token"])
    assert (claims["aud"], claims["roles"], claims["idtyp"]) == (API_CLIENT, ["Relay.Attach"], "app")
    assert claims["oid"] == claims["sub"] == RELAY.oid
    assert "scp" not in claims


async def test_every_resource_is_an_audience_of_its_own(page: httpx.AsyncClient, stack: Stack) -> None:
    here = stack.https(Port.ARM)
    for scope, audience in {f"{ARM}/.default": ARM, f"{ARM}//.default": ARM, f"{here}/.default": here}.items():
        claims = read((await buy(page, **as_relay(scope=scope))).json()["access_token"])
        assert claims["aud"] == audience
        assert "roles" not in claims


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"client_secret": "wrong"}, (401, 7000215, "invalid_client")),
        ({"client_secret": None}, (401, 7000218, "invalid_client")),
        ({"client_id": "nobody"}, (400, 700016, "unauthorized_client")),
        ({"scope": f"{API_URI}/Console.Access"}, (400, 1002012, "invalid_scope")),
        ({"scope": "https://nowhere.example/.default"}, (400, 500011, "invalid_resource")),
        ({"scope": None}, (400, 900144, "invalid_request")),
        ({"grant_type": "password"}, (400, 70003, "unsupported_grant_type")),
        ({"grant_type": None}, (400, 900144, "invalid_request")),
    ],
)
async def test_an_application_is_refused_with_entras_number(
    page: httpx.AsyncClient, changes: dict[str, str | None], refused: tuple[int, int, str]
) -> None:
    assert refusal(await buy(page, **as_relay(**changes))) == refused


async def test_the_secret_may_come_as_http_basic(page: httpx.AsyncClient) -> None:
    form = {"grant_type": "client_credentials", "scope": f"{ARM}/.default"}
    answer = await page.post("/organizations/oauth2/v2.0/token", data=form, auth=(SERVICE.client, SERVICE.secret))
    assert answer.status_code == 200


async def test_the_api_acts_for_the_person_who_called_it(page: httpx.AsyncClient, stack: Stack) -> None:
    claims = read((await buy(page, **on_behalf_of(user_token(stack, ADA)))).json()["access_token"])
    assert (claims["aud"], claims["oid"], claims["azp"]) == (ARM, ADA.oid, API_CLIENT)
    assert claims["scp"] == "user_impersonation"


async def test_an_old_token_is_acted_on_like_a_new_one(page: httpx.AsyncClient, stack: Stack) -> None:
    old = user_token(stack, ADA, making=Making(version="1.0", contexts=["c1"]))
    claims = read(old)
    assert (claims["iss"], claims["aud"]) == (f"https://sts.windows.net/{TENANT}/", API_URI)
    assert (claims["amr"], claims["upn"], claims["appid"]) == (["pwd", "mfa"], ADA.email, PAGE_CLIENT)
    assert not {"azp", "preferred_username"} & claims.keys()
    assert read((await buy(page, **on_behalf_of(old))).json()["access_token"])["oid"] == ADA.oid


async def test_a_partners_keys_are_served_and_a_strangers_are_not(page: httpx.AsyncClient) -> None:
    ours = (await page.get(f"/{TENANT}/discovery/v2.0/keys")).json()["keys"]
    partners = (await page.get(f"/{PARTNER_TENANT}/discovery/v2.0/keys")).json()["keys"]
    assert [key["kid"] for key in ours] == [key["kid"] for key in partners]
    assert PARTNER_TENANT in partners[0]["issuer"]
    assert refusal(await page.get(f"/{STRANGER_TENANT}/discovery/v2.0/keys"))[1] == 90002


async def test_the_api_may_not_act_on_a_token_that_does_not_hold(page: httpx.AsyncClient, stack: Stack) -> None:
    numbers = {
        expired_token(stack, ADA): 500133,
        wrong_audience_token(stack, ADA): 500131,
        wrong_tenant_token(stack, ADA): 50013,
        user_token(stack, ADA, making=Making(PARTNER_TENANT, "1.0")): 50013,
        foreign_key_token(stack, ADA): 50013,
        foreign_key_token(stack, ADA, borrow_kid=True): 50013,
        unsigned_token(stack, ADA): 50013,
        app_token(stack, RELAY): 7000114,
        "nonsense": 50027,
    }
    for assertion, number in numbers.items():
        assert refusal(await buy(page, **on_behalf_of(assertion)))[1] == number


async def test_only_the_tenant_and_its_aliases_are_served(page: httpx.AsyncClient, stack: Stack) -> None:
    for tenant in ("common", "organizations"):
        told = (await page.get(f"/{tenant}/v2.0/.well-known/openid-configuration")).json()
        assert told["issuer"].startswith(stack.authority)
        assert told["token_endpoint"].startswith(f"{stack.http(Port.ENTRA_PAGE)}/{tenant}/")
    assert refusal(await page.get("/elsewhere/v2.0/.well-known/openid-configuration"))[1] == 90002
