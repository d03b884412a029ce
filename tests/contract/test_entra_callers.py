"""Callers by tokens that the Entra ID stand-in's own key signed, with its key set served over https."""

import asyncio
import logging
import ssl
from dataclasses import replace
from typing import Any

import httpx
import jwt
import pytest

from dev.demo import ADA, API_CLIENT, API_URI, AUTOMATION, PARTNER_TENANT, RELAY, STRANGER_TENANT, TENANT
from dev.entra.keys import kept_key
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
from dev.stack import Stack
from shared.access.azure.callers import LEEWAY_SECONDS, EntraCallers
from shared.base.caller import Caller, CallerKind
from shared.base.refusals import Code, Refusal
from shared.base.signing_keys import SigningKeys
from shared.base.system_clock import SystemClock
from tests.dev.local_azure import LocalAzure
from tests.fakes import settings


class Sut:
    """The adapter, and every address that it fetched."""

    def __init__(self, stack: Stack, *, tenants: str = TENANT, keys: dict[str, Any] | None = None) -> None:
        """`keys` are the key sets of further tenants."""
        self.stack, self.fetched = stack, list[str]()
        self._keys = keys or {}
        about = settings(
            ENTRA_AUTHORITY=stack.authority, ENTRA_TENANTS=tenants, API_CLIENT_ID=API_CLIENT, API_AUDIENCE=API_URI
        )
        self._callers = EntraCallers(about, SigningKeys(self._fetch, SystemClock()))

    async def _fetch(self, address: str) -> dict[str, Any]:
        self.fetched.append(address)
        async with httpx.AsyncClient(verify=ssl.create_default_context(cafile=self.stack.ca)) as client:
            known = next((keys for tenant, keys in self._keys.items() if tenant in address), None)
            answer: dict[str, Any] = known or (await client.get(address)).json()
            return answer

    async def identify(self, token: str | None) -> Caller | Refusal:
        return await self._callers.identify(token and f"Bearer {token}")

    async def header(self, header: str) -> Caller | Refusal:
        return await self._callers.identify(header)


@pytest.fixture
def sut(azure: LocalAzure) -> Sut:
    return Sut(azure.stack)


def code(found: Caller | Refusal) -> Code | None:
    return found.code if isinstance(found, Refusal) else None


async def test_a_user_is_known_by_tenant_and_object_id(sut: Sut) -> None:
    caller = await sut.identify(user_token(sut.stack, ADA))
    assert isinstance(caller, Caller)
    assert (caller.subject, caller.name, caller.kind) == (f"{TENANT}.{ADA.oid}", ADA.name, CallerKind.USER)


async def test_an_application_is_known_by_its_roles(sut: Sut) -> None:
    caller = await sut.identify(app_token(sut.stack, RELAY))
    assert isinstance(caller, Caller)
    assert (caller.kind, caller.roles) == (CallerKind.APPLICATION, frozenset({"Relay.Attach"}))


async def test_a_version_1_token_is_accepted_from_its_own_issuer_only(sut: Sut) -> None:
    old: dict[str, Any] = {"ver": "1.0", "iss": f"https://sts.windows.net/{TENANT}/", "aud": API_URI}
    assert code(await sut.identify(user_token(sut.stack, ADA, **old))) is None
    for mixed in ({"ver": "1.0"}, {"iss": old["iss"]}, {"ver": "3.0"}, {"ver": 2.0}):
        assert code(await sut.identify(user_token(sut.stack, ADA, **mixed))) is Code.CALLER_NOT_AUTHENTICATED


async def test_old_tokens_say_the_same_of_people_and_applications(sut: Sut) -> None:
    caller = await sut.identify(user_token(sut.stack, ADA, making=Making(version="1.0", contexts=["c3"])))
    assert isinstance(caller, Caller)
    assert (caller.name, caller.contexts, caller.answers_challenges) == (ADA.name, frozenset({"c3"}), True)
    application = await sut.identify(app_token(sut.stack, RELAY, making=Making(version="1.0", capabilities=())))
    assert isinstance(application, Caller)
    assert (application.kind, application.answers_challenges) == (CallerKind.APPLICATION, False)


async def test_a_managed_identitys_token_need_not_say_that_it_is_an_applications(sut: Sut) -> None:
    assert code(await sut.identify(app_token(sut.stack, AUTOMATION, idtyp=None))) is None


@pytest.mark.parametrize("version", ["1.0", "2.0"])
async def test_a_tenant_is_served_by_the_list_alone_however_the_list_is_written(
    azure: LocalAzure, version: str
) -> None:
    partner = user_token(azure.stack, ADA, making=Making(PARTNER_TENANT, version))
    listed = Sut(azure.stack, tenants=f"{TENANT} {PARTNER_TENANT.upper()}")
    caller = await listed.identify(partner)
    assert isinstance(caller, Caller)
    assert caller.subject == f"{PARTNER_TENANT}.{ADA.oid}"
    assert code(await Sut(azure.stack).identify(partner)) is Code.CALLER_NOT_AUTHENTICATED
    stranger = user_token(azure.stack, ADA, making=Making(STRANGER_TENANT, version))
    assert code(await listed.identify(stranger)) is Code.CALLER_NOT_AUTHENTICATED
    assert listed.fetched == [f"{azure.stack.authority}/{PARTNER_TENANT}/discovery/v2.0/keys"]


async def test_tokens_of_another_making_name_nobody(sut: Sut) -> None:
    stack = sut.stack
    key = kept_key(stack.home)
    claims = jwt.decode(user_token(stack, ADA), options={"verify_signature": False})
    confused = jwt.encode(claims, "a public key taken for a secret, long enough", "HS256", headers={"kid": key.kid})
    tokens = [
        expired_token(stack, ADA), wrong_audience_token(stack, ADA), wrong_tenant_token(stack, ADA), confused,
        foreign_key_token(stack, ADA), foreign_key_token(stack, ADA, borrow_kid=True), unsigned_token(stack, ADA),
        user_token(stack, ADA, oid=None), user_token(stack, ADA, oid=""), user_token(stack, ADA, exp=None),
        user_token(stack, ADA, nbf=2**33), user_token(stack, ADA, tid=["x"]), "", "a", "a.b", "a.b.c", "e30.e30.", "?",
        "x" * 20000, "A.A.A", None,
    ]  # fmt: skip
    for token in tokens:
        assert code(await sut.identify(token)) is Code.CALLER_NOT_AUTHENTICATED, token


async def test_only_the_bearer_scheme_is_read(sut: Sut) -> None:
    token = user_token(sut.stack, ADA)
    assert code(await sut.header(f"bearer  {token} ")) is None
    for header in (token, f"Basic {token}", "Bearer", "Bearer "):
        assert code(await sut.header(header)) is Code.CALLER_NOT_AUTHENTICATED


async def test_scope_and_roles_are_demanded(sut: Sut) -> None:
    assert code(await sut.identify(user_token(sut.stack, ADA, scp="User.Read"))) is Code.CALLER_NOT_PERMITTED
    assert code(await sut.identify(app_token(sut.stack, replace(RELAY, roles=())))) is Code.CALLER_NOT_PERMITTED
    assert code(await sut.identify(user_token(sut.stack, ADA, scp=None))) is Code.CALLER_NOT_AUTHENTICATED


async def test_clocks_may_differ_by_a_minute(sut: Sut) -> None:
    now = int(SystemClock().now())
    late = user_token(sut.stack, ADA, exp=now - LEEWAY_SECONDS + 20)
    too_late = user_token(sut.stack, ADA, exp=now - LEEWAY_SECONDS - 5)
    assert [code(await sut.identify(token)) for token in (late, too_late)] == [None, Code.CALLER_NOT_AUTHENTICATED]


async def test_a_tenant_that_is_not_on_the_list_makes_nobody_fetch(sut: Sut) -> None:
    await sut.identify(wrong_tenant_token(sut.stack, ADA))
    await sut.identify(unsigned_token(sut.stack, ADA))
    assert sut.fetched == []


async def test_forged_key_ids_do_not_hammer_the_issuer(sut: Sut) -> None:
    good = user_token(sut.stack, ADA)
    await asyncio.gather(*(sut.identify(good) for _ in range(20)))
    await asyncio.gather(*(sut.identify(foreign_key_token(sut.stack, ADA)) for _ in range(3)))
    assert sut.fetched == [f"{sut.stack.authority}/{TENANT}/discovery/v2.0/keys"]


async def test_no_log_holds_a_part_of_a_token(sut: Sut, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    tokens = [user_token(sut.stack, ADA), expired_token(sut.stack, ADA), foreign_key_token(sut.stack, ADA)]
    for token in tokens:
        await sut.identify(token)
    for part in (part for token in tokens for part in token.split(".")):
        assert part not in caplog.text
