from typing import Any

import pytest

from shared.session.grant import Grant, InvalidGrant, Mode
from tests.fakes import VM

GRANT = Grant("id", "sid", "t.o", "Ada", VM, Mode.WRITE, 3, "relay:r0", "http://issuer", 100, 130)


def test_claims_are_read_as_they_were_written() -> None:
    assert Grant.from_claims(GRANT.claims()) == GRANT


@pytest.mark.parametrize(
    "change", [{"port": 1}, {"port": None}, {"exp": 131}, {"mode": "own"}, {"vm": "/x"}, {"gen": "x"}, {"iat": None}]
)
def test_other_claims_are_no_grant(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidGrant):
        Grant.from_claims(GRANT.claims() | change)


def test_a_missing_claim_is_no_grant() -> None:
    claims = GRANT.claims()
    del claims["jti"]
    with pytest.raises(InvalidGrant):
        Grant.from_claims(claims)
