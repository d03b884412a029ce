import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dev.arm.world import World
from dev.demo import EDITH, GRACE
from dev.entra import app as entra
from dev.entra.issuer import Issuer
from dev.entra.keys import kept_key
from dev.vault.keys import Keys
from shared.access.azure.on_behalf_of import managed_identity_assertions, no_assertions, sign_in_refusal
from shared.access.commands import Command
from shared.base.ports import Unavailable
from shared.base.refusals import Code, Refusal
from tests.contract.arm import Arm, vm
from tests.dev.local_azure import LocalAzure, free_stack, served
from tests.fakes import person

CLAIMS = '{"access_token":{"capolids":{"essential":true,"values":["p1"]}}}'
MODERN = replace(person(), answers_challenges=True)


class Answer:
    """As much of an SDK's response as an error carries."""

    reason, status_code = "Bad Request", 400

    def __init__(self, said: Any) -> None:
        self.headers: dict[str, str] = {}
        self._text = said if isinstance(said, str) else json.dumps(said)

    def text(self) -> str:
        return self._text

    def body(self) -> bytes:
        return self._text.encode()


def error(said: Any) -> ClientAuthenticationError:
    made = ClientAuthenticationError("no")
    made.response = Answer(said)  # type: ignore[assignment]  # as much of one as is read
    return made


def test_a_claims_challenge_reaches_the_client() -> None:
    refusal = sign_in_refusal(error({"error": "interaction_required", "claims": CLAIMS}), MODERN)
    assert (refusal.code, refusal.claims) == (Code.MFA_REQUIRED, CLAIMS)


def test_a_client_that_cannot_handle_one_is_told_so() -> None:
    refusal = sign_in_refusal(error({"error": "interaction_required", "claims": CLAIMS}), person())
    assert (refusal.code, refusal.claims) == (Code.STEP_UP_UNSUPPORTED, None)


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_challenge_of_arm_itself_reaches_the_client(encode: Callable[[bytes], bytes]) -> None:
    """Continuous access evaluation: ARM takes a token back before its time."""
    made = error({"error": {"code": "InvalidAuthenticationToken"}})
    claims = '{"access_token":{"nbf":{"essential":true,"value":"1700000000"}},"x":"??>>"}'
    header = f'Bearer error="insufficient_claims", claims="{encode(claims.encode()).decode().rstrip("=")}"'
    made.response.headers = {"WWW-Authenticate": header}  # type: ignore[union-attr]  # as much of one as is read
    assert sign_in_refusal(made, MODERN).claims == claims


@pytest.mark.parametrize("header", ['Bearer claims="%%%"', 'Bearer claims="/w"', "Basic"])
def test_a_challenge_that_cannot_be_read_is_none(header: str) -> None:
    made = error({"error": {"code": "InvalidAuthenticationToken"}})
    made.response.headers = {"WWW-Authenticate": header}  # type: ignore[union-attr]  # as above
    assert sign_in_refusal(made, MODERN).code is Code.CALLER_NOT_AUTHENTICATED


@pytest.mark.parametrize("said", [{"error": "invalid_grant"}, {"error": {"code": "ExpiredAuthenticationToken"}}])
def test_an_outdated_token_is_the_callers_to_renew(said: Any) -> None:
    assert sign_in_refusal(error(said), MODERN).code is Code.CALLER_NOT_AUTHENTICATED


@pytest.mark.parametrize("said", [{"error": "invalid_client"}, "not JSON", [], {}])
def test_all_else_is_ours(said: Any) -> None:
    with pytest.raises(Unavailable, match="entra"):
        sign_in_refusal(error(said), MODERN)


def test_an_error_without_an_answer_is_ours() -> None:
    with pytest.raises(Unavailable, match="entra"):
        sign_in_refusal(ClientAuthenticationError("no identity here"), MODERN)


def test_a_managed_identity_is_asked_only_when_needed() -> None:
    assert callable(managed_identity_assertions("", "AzureUSGovernment"))
    with pytest.raises(NotImplementedError):
        no_assertions()


REVOKED = '{"access_token":{"nbf":{"essential":true,"value":"1800000000"}}}'


async def _revoked(_: Request) -> Response:
    """What ARM says once somebody has taken a person's sessions back, whatever token they bring."""
    claims = base64.b64encode(REVOKED.encode()).decode()
    challenge = f'Bearer realm="", authorization_uri="https://login/", error="insufficient_claims", claims="{claims}"'
    said = {"error": {"code": "TokenCreatedWithOutdatedPolicies", "message": "The access token was revoked."}}
    return JSONResponse(said, 401, headers={"WWW-Authenticate": challenge})


@pytest.fixture
async def revoking(azure_home: Path) -> AsyncIterator[Arm]:
    """The adapters of ARM before an ARM that takes no token any more."""
    async with AsyncExitStack() as running:
        stack, at_entra, at_arm, at_vault = free_stack(azure_home)
        at_vault.close()  # nobody signs here
        sign_in = entra.build(Issuer(stack, kept_key(azure_home)))
        await running.enter_async_context(served(sign_in, at_entra, stack.certificate))
        refusing = Starlette(routes=[Route("/{path:path}", _revoked, methods=["GET", "POST"])])
        await running.enter_async_context(served(refusing, at_arm, stack.certificate))
        made = Arm(LocalAzure(stack, World(), Keys(azure_home)))
        running.push_async_callback(made.close)
        yield made


async def test_sessions_that_were_taken_back_reach_the_person_through_every_question_to_arm(revoking: Arm) -> None:
    modern = replace(revoking.user(GRACE), answers_challenges=True)
    found = [
        await revoking.vms.find(modern, vm("web-01")),
        await revoking.vms.visible(modern),
        await revoking.rights.missing(modern, vm("web-01").resource_id, ["Microsoft.Compute/virtualMachines/read"]),
        await revoking.power.do(modern, vm("web-01"), Command.RESTART),
    ]
    for each in found:
        assert isinstance(each, Refusal)
        assert (each.code, each.claims) == (Code.MFA_REQUIRED, REVOKED)
    older = await revoking.vms.find(revoking.user(GRACE), vm("web-01"))
    assert isinstance(older, Refusal)
    assert older.code is Code.STEP_UP_UNSUPPORTED


async def test_what_entra_demands_for_arm_reaches_the_person(arm: Arm) -> None:
    refused = await arm.vms.find(replace(arm.user(EDITH), answers_challenges=True), vm("web-01"))
    assert isinstance(refused, Refusal)
    assert refused.code is Code.MFA_REQUIRED
    assert json.loads(refused.claims or "")["access_token"]["capolids"]["essential"] is True
