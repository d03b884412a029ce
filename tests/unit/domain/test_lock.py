"""The lock against a model that keeps history instead of state."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from shared.domain.lock import (
    LEASE_SECONDS,
    PENDING_SECONDS,
    Acquired,
    Claim,
    Held,
    Holder,
    Lock,
    Takeover,
    acquire,
    release,
    renew,
)
from shared.domain.lock_codec import (
    claim_from_json,
    claim_to_json,
    lock_from_json,
    lock_to_json,
    outcome_from_json,
    outcome_to_json,
)

PEOPLE = st.sampled_from(["ada", "grace", "alan"])


class LockAgainstHistory(RuleBasedStateMachine):
    """The model: the list of all who ever acquired, who is the writer by the last of them, and until when."""

    def __init__(self) -> None:
        super().__init__()
        self.lock, self.now = Lock(), 1000.0
        self.history: list[Holder] = []
        self.writer: Holder | None = None
        self.until = 0.0

    @rule(seconds=st.sampled_from([0.0, 1.0, LEASE_SECONDS, PENDING_SECONDS]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(who=PEOPLE, takeover=st.sampled_from(Takeover), consented=st.integers(-1, 1))
    def somebody_wants_the_console(self, who: str, takeover: Takeover, consented: int) -> None:
        wish = Holder(f"s{len(self.history)}-{self.now}", who, who, self.now)
        consent = len(self.history) + consented if takeover is Takeover.ASK else None
        before = self.writer if self.now < self.until else None
        may = (
            before is None
            or before.subject == who
            or takeover is Takeover.FORCE
            or (takeover is Takeover.ASK and consented == 0)
        )
        self.lock, outcome = acquire(self.lock, Claim(wish, takeover, consent), self.now)
        if may:
            self.history.append(wish)
            self.writer, self.until = wish, self.now + PENDING_SECONDS
            assert outcome == Acquired(len(self.history), before)
        else:
            assert before is not None
            assert outcome == Held(before, len(self.history))

    @rule(back=st.integers(0, 2), right_generation=st.booleans(), data=st.booleans())
    def a_relay_speaks(self, back: int, right_generation: bool, data: bool) -> None:  # noqa: FBT001 - drawn by name
        if back >= len(self.history):
            return
        index = len(self.history) - 1 - back
        session, generation = self.history[index].session, index + 1 if right_generation else index
        holds = self.writer is not None and back == 0 and right_generation
        if data:
            self.lock, answer = renew(self.lock, session, generation, self.now)
            self.until = self.now + LEASE_SECONDS if holds else self.until
        else:
            self.lock, answer = release(self.lock, session, generation)
            self.writer = None if holds else self.writer
        assert answer is holds

    @invariant()
    def the_generation_counts_all_who_ever_acquired(self) -> None:
        assert self.lock.generation == len(self.history)

    @invariant()
    def the_live_holder_is_the_last_writer_within_the_lease(self) -> None:
        expected = self.writer if self.now < self.until else None
        assert self.lock.live_holder(self.now) == expected

    @invariant()
    def what_the_task_hub_stores_comes_back(self) -> None:
        assert lock_from_json(lock_to_json(self.lock)) == self.lock


TestLock = LockAgainstHistory.TestCase


def test_a_console_nobody_opened_has_no_state() -> None:
    assert lock_from_json(None) == Lock()


HOLDER = Holder("s", "t.o", "Ada", 1.5)


@pytest.mark.parametrize("outcome", [Acquired(3, None), Acquired(4, HOLDER), Held(HOLDER, 5)])
def test_an_outcome_survives_the_task_hub(outcome: Acquired | Held) -> None:
    assert outcome_from_json(outcome_to_json(outcome)) == outcome


@given(takeover=st.sampled_from(Takeover), consent=st.none() | st.integers())
def test_a_claim_survives_the_task_hub(takeover: Takeover, consent: int | None) -> None:
    claim = Claim(replace(HOLDER), takeover, consent)
    assert claim_from_json(claim_to_json(claim)) == claim
