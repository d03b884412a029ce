"""Requests over a network that loses, doubles, delays and reorders, against what each may do: one thing, once."""

import json
from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared.session import lock
from shared.session.lock import Acquired, Claim, Held, Holder, Lock, Takeover
from shared.session.lock_codec import NO_RELAY, state_from_json, state_to_json
from shared.session.lock_requests import (
    NAME_CHARACTERS,
    OUTCOMES,
    Expired,
    LockRequests,
    Operation,
    Outcome,
    Request,
    perform,
)

PATIENCE = 15.0


@dataclass
class Sent:
    """One request, as often as it is delivered."""

    request: Request
    session: str
    operation: Operation
    first: Outcome | None = None
    """What became of it when it was done."""


def force(session: str, now: float = 0.0, *, who: str = "ada") -> Operation:
    claim = Claim(Holder(session, who, who, 0.0, "r0"), Takeover.FORCE)
    return lambda held: lock.acquire(held, claim, now)


class Network(RuleBasedStateMachine):
    """Every signal ever sent may still come, any time, any number of times."""

    def __init__(self) -> None:
        super().__init__()
        self.state, self.now = LockRequests(), 1000.0
        self.sent: list[Sent] = []
        self.acquired: list[Sent] = []
        """In the order in which they were done."""
        self.free = True

    @rule(seconds=st.sampled_from([0.1, 1.0, PATIENCE / 2, PATIENCE]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(who=st.sampled_from(["ada", "grace"]), takeover=st.sampled_from(Takeover))
    def somebody_wants_it(self, who: str, takeover: Takeover) -> None:
        session, now = f"s{len(self.sent)}", self.now
        claim = Claim(Holder(session, who, who, now, "r0"), takeover)
        self._send(session, lambda held: lock.acquire(held, claim, now))

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def somebody_leaves(self, data: st.DataObject) -> None:
        session = data.draw(st.sampled_from(self.sent)).session
        self._send(session, lambda held: lock.release(held, session))

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), times=st.integers(1, 2))
    def a_signal_comes(self, data: st.DataObject, times: int) -> None:
        sent = self.sent[data.draw(st.integers(0, len(self.sent) - 1))]
        for _ in range(times):
            self._deliver(sent)

    @rule()
    def many_others_come(self) -> None:
        for _ in range(OUTCOMES):
            self._send("nobody", lambda held: lock.release(held, "nobody"))
            self._deliver(self.sent[-1])

    @rule()
    def the_host_is_killed(self) -> None:
        """What is not in the hub's own words is gone."""
        self.state = state_from_json(json.loads(json.dumps(state_to_json(self.state))))

    def _send(self, session: str, operation: Operation) -> None:
        number = len(self.sent)
        self.sent.append(Sent(Request(f"q{number}", self.now + PATIENCE), session, operation))

    def _deliver(self, sent: Sent) -> None:
        before = self.state
        self.state = perform(before, sent.request, sent.operation, self.now)
        outcome = self.state.outcome(sent.request.id)
        if sent.first is not None and not isinstance(sent.first, Expired):
            assert self.state.lock == before.lock, "it was done before"
            assert outcome in (sent.first, Expired()), "an outcome does not change; it may be forgotten"
            return
        if self.now >= sent.request.deadline:
            assert outcome == Expired()
            assert self.state.lock == before.lock, "nobody waits for it any more"
        sent.first = outcome
        if isinstance(outcome, Acquired):
            self.acquired.append(sent)
            self.free = False
        if outcome is True:
            assert self.acquired[-1].session == sent.session, "only who holds it can leave it"
            self.free = True
        if isinstance(outcome, Held):
            assert outcome.holder.session == self.acquired[-1].session

    @invariant()
    def each_generation_belongs_to_one_request(self) -> None:
        assert self.state.lock.generation == len(self.acquired)

    @invariant()
    def exactly_one_writes_or_nobody(self) -> None:
        holder = self.state.lock.holder
        assert (holder is None) is self.free
        if holder is not None:
            assert holder.session == self.acquired[-1].session

    @invariant()
    def outcomes_are_bounded(self) -> None:
        assert len(self.state.answered) <= OUTCOMES


TestNetwork = Network.TestCase


def test_a_console_nobody_opened_has_no_state() -> None:
    assert state_from_json(None) == LockRequests()


def test_a_lock_as_an_earlier_version_kept_it_goes_on_from_its_generation() -> None:
    holder = {"session": "s", "subject": "t.a", "name": "Ada", "since": 1.0}
    stored = {"generation": 3, "holder": holder, "lease_until": 2.0}
    state = state_from_json(stored)
    assert state == LockRequests(Lock(3, Holder("s", "t.a", "Ada", 1.0, NO_RELAY)))
    later = perform(state, Request("later", 20.0), force("s1"), 10.0)
    assert later.outcome("later") == Acquired(4, state.lock)
    assert state_from_json({"generation": 3, "holder": None, "lease_until": 0.0}).lock == Lock(3)


def test_a_clock_that_was_ahead_shuts_nobody_out() -> None:
    """An instance a day ahead is refused, and what others ask after it is done."""
    now = 1000.0
    state = perform(LockRequests(), Request("ahead", now + 86_400), force("s0"), now)
    assert state.outcome("ahead") == Expired()
    for number in range(OUTCOMES + 1):
        state = perform(state, Request(f"r{number}", now + PATIENCE), force(f"o{number}"), now)
        now += 60
    state = perform(state, Request("later", now + PATIENCE), force("s1"), now)
    assert isinstance(state.outcome("later"), Acquired)


def test_a_floor_that_an_earlier_version_took_from_a_clock_ahead_holds_nobody_off() -> None:
    state = perform(LockRequests(floor=1e9), Request("later", 1000 + PATIENCE), force("s1"), 1000.0)
    assert isinstance(state.outcome("later"), Acquired)


def test_a_request_that_was_done_and_forgotten_is_not_done_again() -> None:
    first = Request("first", 20.0)
    state = perform(LockRequests(), first, force("s1"), 10.0)
    for number in range(OUTCOMES):
        state = perform(state, Request(f"r{number}", 21.0), force(f"o{number}"), 11.0)
    assert state.outcome("first") is None
    again = perform(state, first, force("s1"), 12.0)
    assert (again.lock, again.outcome("first")) == (state.lock, Expired())
    later = perform(again, Request("later", 22.0), force("s2"), 12.0)
    assert isinstance(later.outcome("later"), Acquired), "who asks now is not taken for one of those"


def test_a_full_state_fits_into_the_hubs_own_row() -> None:
    """Azure tables hold 64 KiB of UTF-16 in a column; above 60 KiB the engine needs a blob for it."""
    name = "\N{PERSON WITH BALL}" * NAME_CHARACTERS
    holder = Holder("s" * 22, "t" * 36 + "." + "o" * 36, name, 1_800_000_000.123456, "r" * 24)
    state = LockRequests(Lock(10**6, holder, 1_800_000_000.123456))
    claim = Claim(holder, Takeover.FORCE)
    for number in range(OUTCOMES):
        request = Request(f"{number:016}", 20.0)
        state = perform(state, request, lambda held: lock.acquire(held, claim, 1_800_000_000.123456), 10.0)
    assert len(json.dumps(state_to_json(state))) < 60 * 1024
