"""What an operation makes of the state that the task hub keeps."""

from typing import Any

import pytest

from shared.session.lock import Acquired, Claim, Holder, Lock, Takeover
from shared.session.lock_codec import Json, claim_to_json, state_from_json
from shared.session.lock_entity import changed

ADA = Holder("s1", "t.ada", "Ada", 1.0, "r0")
CLAIM = {"request": {"id": "q1", "deadline": 20.0}, "claim": claim_to_json(Claim(ADA, Takeover.NEVER))}
RELEASE = {"request": {"id": "q2", "deadline": 20.0}, "session": "s1", "generation": 1}


def after(*steps: tuple[str, dict[str, Any]]) -> Json | None:
    stored: Json | None = None
    for operation, said in steps:
        stored = changed(stored, operation, said, 10.0) or stored
    return stored


def test_a_claim_and_its_release_change_the_lock_and_leave_their_outcomes() -> None:
    taken = state_from_json(after(("acquire", CLAIM)))
    assert (taken.lock.holder, taken.outcome("q1")) == (ADA, Acquired(1, Lock()))
    given_back = state_from_json(after(("acquire", CLAIM), ("release", RELEASE)))
    assert (given_back.lock.holder, given_back.outcome("q2")) == (None, True)


def test_a_request_that_comes_again_leaves_the_state_as_it_is() -> None:
    assert changed(after(("acquire", CLAIM)), "acquire", CLAIM, 11.0) is None


def test_an_operation_that_is_none_is_refused() -> None:
    with pytest.raises(KeyError):
        changed(None, "renew", CLAIM, 10.0)
