import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError

from shared.adapters.on_behalf_of import managed_identity_assertions, no_assertions, sign_in_refusal
from shared.domain.refusals import Code
from shared.ports import Unavailable
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
    assert callable(managed_identity_assertions(""))
    with pytest.raises(NotImplementedError):
        no_assertions()
