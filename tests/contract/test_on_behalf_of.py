import json
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError

from shared.adapters.on_behalf_of import managed_identity_assertions, no_assertions, sign_in_refusal
from shared.domain.refusals import Code
from shared.ports import Unavailable


class Answer:
    """As much of an SDK's response as an error carries."""

    reason, status_code = "Bad Request", 400
    headers: dict[str, str] = {}  # noqa: RUF012 - never written

    def __init__(self, said: Any) -> None:
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
    claims = '{"access_token":{"capolids":{"essential":true,"values":["p1"]}}}'
    refusal = sign_in_refusal(error({"error": "interaction_required", "claims": claims}))
    assert (refusal.code, refusal.claims) == (Code.MFA_REQUIRED, claims)


@pytest.mark.parametrize("said", [{"error": "invalid_grant"}, {"error": {"code": "ExpiredAuthenticationToken"}}])
def test_an_outdated_token_is_the_callers_to_renew(said: Any) -> None:
    assert sign_in_refusal(error(said)).code is Code.CALLER_NOT_AUTHENTICATED


@pytest.mark.parametrize("said", [{"error": "invalid_client"}, "not JSON", [], {}])
def test_all_else_is_ours(said: Any) -> None:
    with pytest.raises(Unavailable, match="entra"):
        sign_in_refusal(error(said))


def test_an_error_without_an_answer_is_ours() -> None:
    with pytest.raises(Unavailable, match="entra"):
        sign_in_refusal(ClientAuthenticationError("no identity here"))


def test_a_managed_identity_is_asked_only_when_needed() -> None:
    assert callable(managed_identity_assertions(""))
    with pytest.raises(NotImplementedError):
        no_assertions()
