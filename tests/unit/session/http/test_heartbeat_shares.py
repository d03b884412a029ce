"""Heartbeats of a relay with very many sessions: everybody lives by each, and each is told in full soon."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.access.policy import Typing
from shared.access.recording_settings import RecordingSettings
from shared.session.grant import Grant, Mode
from shared.session.http import heartbeat_shares
from shared.session.http.heartbeat_shares import SESSIONS, Shares
from tests.relay.stage import VM

FIRST = Grant("j", "s", "t.o", "Ada", VM, Mode.WRITE, 7, "relay:r0", "http://issuer", 100, 130)
NOTHING: dict[str, Any] = {"end": [], "again": {}, "keep": [], "keepTo": None, "capture": []}


def grants(count: int) -> list[Grant]:
    modes = (Mode.WRITE, Mode.WATCH)
    return [
        replace(FIRST, session=f"s{at:06d}", vm=replace(VM, name=f"vm-{at:06d}"), mode=modes[at % 2])
        for at in range(count)
    ]


def test_few_sessions_are_told_in_full_and_nothing_else_is_said() -> None:
    shares, live = Shares(), grants(3)
    for _ in range(3):
        share, said = shares.next(live)
        assert [each["session"] for each in said["sessions"]] == [each.session for each in live]
        assert said.keys() == {"sessions"}
        assert shares.heard(share, NOTHING).covered is None


def test_of_many_each_is_named_every_time_and_told_in_full_in_turn() -> None:
    shares, live, full = Shares(), grants(2 * SESSIONS + 5), list[str]()
    for beat in range(3):
        share, said = shares.next(live)
        told = [each["session"] for each in said["sessions"]]
        assert len(told) == SESSIONS
        others = {mode: said["others"][mode].split() for mode in ("write", "watch")}
        assert sorted([*told, *others["write"], *others["watch"]]) == [each.session for each in live]
        assert set(others["write"]) <= {each.session for each in live if each.mode is Mode.WRITE}
        full += told
        answer = NOTHING | {"again": dict.fromkeys(told, 1000 + beat)}
        assert shares.heard(share, answer).covered == {each.vm.console for each in share.told}
    assert {*full} == {each.session for each in live}
    _, said = shares.next(live)
    assert all(each["again"] >= 1000 for each in said["sessions"]), "what was told of another share is not forgotten"


def test_an_answer_that_did_not_come_is_asked_for_again() -> None:
    shares, live = Shares(), grants(SESSIONS + 1)
    first, _ = shares.next(live)
    assert shares.next(live)[0] == first
    shares.heard(first, NOTHING)
    assert shares.next(live)[0] != first


def test_what_is_kept_and_did_not_fit_is_told_next_and_speaks_of_no_other_console() -> None:
    shares, live = Shares(), grants(4)
    consoles = [each.vm.console for each in live]
    share, said = shares.next(live)
    assert "keepAfter" not in said
    masked = {"vm": live[0].vm.resource_id, "typed": "masked", "mask": []}
    beat = shares.heard(share, NOTHING | {"keep": [masked], "keepTo": consoles[1]})
    assert beat.covered == {*consoles[:2]}
    assert beat.keep == {consoles[0]: RecordingSettings(Typing.MASKED)}
    share, said = shares.next(live)
    assert said["keepAfter"] == consoles[1]
    assert shares.heard(share, NOTHING).covered == {*consoles[2:]}
    assert "keepAfter" not in shares.next(live)[1]


@given(st.lists(st.tuples(st.sets(st.integers(0, 12)), st.booleans()), max_size=30), st.integers(1, 5))
def test_whoever_stays_is_told_in_full_within_as_many_answers_as_it_takes(
    beats: list[tuple[set[int], bool]], most: int
) -> None:
    """Sessions come and go, answers are lost; session 7 stays."""
    everybody, before = grants(13), heartbeat_shares.SESSIONS
    heartbeat_shares.SESSIONS = most
    try:
        shares, since = Shares(), 0
        for there, answered in beats:
            share, said = shares.next([everybody[number] for number in sorted(there | {7})])
            since += 1
            if "s000007" in {each["session"] for each in said["sessions"]}:
                since = 0
            if answered:
                shares.heard(share, NOTHING)
            else:
                since = max(0, since - 1)
            assert since <= 13 // most + 1
    finally:
        heartbeat_shares.SESSIONS = before
