"""The lock against a model that keeps history instead of state."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from shared.session.lock import (
    LEASE_SECONDS,
    PENDING_SECONDS,
    Acquired,
    Claim,
    Held,
    Holder,
    Lease,
    Lock,
    Takeover,
    acquire,
    release,
)
from shared.session.lock_codec import claim_from_json, claim_to_json, outcome_from_json, outcome_to_json
from shared.session.lock_requests import Expired, Outcome

PEOPLE = st.sampled_from(["ada", "grace", "alan"])


class LockAgainstHistory(RuleBasedStateMachine):
    """The model: the list of all who ever acquired, who is the writer by the last of them, and what relays said."""

    def __init__(self) -> None:
        super().__init__()
        self.lock, self.now = Lock(), 1000.0
        self.history: list[Holder] = []
        self.writer: Holder | None = None
        self.granted = 0.0
        self.heard: dict[str, float] = {}
        """When each session was named by its relay; those of a relay that is gone are not."""
        self.lease: Lease | None = None

    @rule(seconds=st.sampled_from([0.0, 1.0, 5.0, LEASE_SECONDS, PENDING_SECONDS]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(who=PEOPLE, takeover=st.sampled_from(Takeover), vacated=st.integers(-1, 1) | st.none())
    def somebody_wants_the_console(self, who: str, takeover: Takeover, vacated: int | None) -> None:
        wish = Holder(f"s{len(self.history)}-{self.now}", who, who, self.now, "r0")
        generation = None if vacated is None else len(self.history) + vacated
        before = self.lock
        free = self.writer is None or self.writer.subject == who
        self.lock, outcome = acquire(self.lock, Claim(wish, takeover, generation), self.now)
        if free or takeover is Takeover.FORCE or vacated == 0:
            self.history.append(wish)
            self.writer, self.granted = wish, self.now
            assert outcome == Acquired(len(self.history), before)
        else:
            assert isinstance(outcome, Held)
            assert outcome.lock == before == self.lock

    @rule(named=st.booleans())
    def the_relay_says_who_writes(self, named: bool) -> None:  # noqa: FBT001 - drawn by name
        sessions = {self.writer.session} if named and self.writer else set[str]()
        self.lease = Lease(self.now, frozenset(sessions))
        self.heard = dict.fromkeys(sessions, self.now)

    @rule(back=st.integers(0, 2), generation=st.sampled_from([0, 1, None]))
    def somebody_leaves(self, back: int, generation: int | None) -> None:
        if back >= len(self.history):
            return
        index = len(self.history) - 1 - back
        holds = self.writer is not None and back == 0 and generation in (1, None)
        number = None if generation is None else index + generation
        self.lock, freed = release(self.lock, self.history[index].session, number)
        self.writer = None if holds else self.writer
        assert freed is holds

    @invariant()
    def the_generation_counts_all_who_ever_acquired(self) -> None:
        assert self.lock.generation == len(self.history)

    @invariant()
    def the_live_holder_is_the_last_writer_while_fresh_or_named_by_a_living_relay(self) -> None:
        expected = self.writer
        if expected and self.now >= self.granted + PENDING_SECONDS:
            named = self.heard.get(expected.session)
            expected = expected if named is not None and self.now < named + LEASE_SECONDS else None
        assert self.lock.live_holder(self.lease, self.now) == expected

    @invariant()
    def only_the_last_writer_holds_it(self) -> None:
        for index, each in enumerate(self.history):
            last = index == len(self.history) - 1 and self.writer is not None
            assert self.lock.holds(each.session, index + 1) is last
            assert not self.lock.holds(each.session, index)


TestLock = LockAgainstHistory.TestCase

HOLDER = Holder("s", "t.o", "Ada", 1.5, "r0")
OUTCOMES: list[Outcome] = [
    Acquired(3, Lock(2)), Acquired(4, Lock(3, HOLDER, 2.5)), Held(HOLDER, 5, 9.5), True, False, Expired(),
]  # fmt: skip


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_an_outcome_survives_the_task_hub(outcome: Outcome) -> None:
    assert outcome_from_json(outcome_to_json(outcome)) == outcome


@given(takeover=st.sampled_from(Takeover), vacated=st.none() | st.integers())
def test_a_claim_survives_the_task_hub(takeover: Takeover, vacated: int | None) -> None:
    claim = Claim(replace(HOLDER), takeover, vacated)
    assert claim_from_json(claim_to_json(claim)) == claim


def test_a_lease_outlives_a_host_that_is_away_and_a_heartbeat_that_hangs() -> None:
    """docs/faults.md, "The lock": half a minute without any instance, a call of 10 s, a pause of 5 s."""
    assert LEASE_SECONDS >= 30 + 10 + 5
