"""When live sessions are looked at again, and what ends them then."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from shared.access.approval import Approval
from shared.access.checks import OPEN
from shared.access.flows.approve import ask_approval, decide_approval
from shared.access.rights import Right
from shared.base.caller import Caller
from shared.base.ports import Dependency, Unavailable
from shared.base.refusals import Code, Refusal, refuse
from shared.base.vm import Os, Power
from shared.session.dependencies import LiveAzure
from shared.session.flows.live_session import Live, SessionEnding
from shared.session.flows.open_session import Opened, OpenSessionRequest, open_session
from shared.session.flows.recheck_sessions import AGAIN_SECONDS, MOST_LOOKS, due
from shared.session.flows.renew_sessions import AT_ONCE, renew_sessions
from shared.session.grant import Mode
from tests.fakes import VM, FakeDependencies, FakeRights, machine, person, without_read

HEARTBEAT = 5.0


async def live(fakes: FakeDependencies, oid: str = "ada", mode: Mode = Mode.WRITE) -> Live:
    fakes.paces.due.clear()
    opened = await open_session(fakes.dependencies, person(oid, oid.title()), VM, OpenSessionRequest(mode=mode))
    assert isinstance(opened, Opened)
    return Live(VM, opened.session.id, opened.session.generation, mode)


async def a_period_later(fakes: FakeDependencies, *live: Live) -> list[SessionEnding]:
    """What the heartbeats of one period say together."""
    endings: list[SessionEnding] = []
    for _ in range(int(fakes.dependencies.settings.recheck_seconds / HEARTBEAT) + 1):
        fakes.clock.time += HEARTBEAT
        endings += await renew_sessions(fakes.dependencies, "r0", live)
    return endings


async def looks(fakes: FakeDependencies, seconds: float, *live: Live) -> list[float]:
    """When rights were asked, of heartbeats for so long."""
    asked, start = [], fakes.clock.now()
    while fakes.clock.now() < start + seconds:
        before = fakes.rights.asked
        await renew_sessions(fakes.dependencies, "r0", live)
        asked += [fakes.clock.now() - start] * (fakes.rights.asked - before)
        fakes.clock.time += HEARTBEAT
    return asked


async def test_a_role_withdrawn_ends_the_session_within_a_minute(fakes: FakeDependencies) -> None:
    session = await live(fakes)
    assert await a_period_later(fakes, session) == []
    fakes.rights.lacking["ada"] = without_read()
    assert SessionEnding(session.session, Code.ACCESS_REVOKED, "") in await a_period_later(fakes, session)


@pytest.mark.parametrize("mode", list(Mode))
async def test_rights_are_asked_once_in_a_period(fakes: FakeDependencies, mode: Mode) -> None:
    session = await live(fakes, mode=mode)
    await a_period_later(fakes, session)
    assert len(await looks(fakes, 10 * fakes.dependencies.settings.recheck_seconds, session)) == 10


async def test_a_process_that_never_heard_of_the_sessions_spreads_its_looks(fakes: FakeDependencies) -> None:
    sessions = [await live(fakes, f"person-{number}", Mode.WATCH) for number in range(400)]
    asked = await looks(fakes, fakes.dependencies.settings.recheck_seconds + HEARTBEAT, *sessions)
    assert 400 <= len(asked) < 800, "all within one period, some of them twice"
    assert max(asked.count(at) for at in set(asked)) < 400 * HEARTBEAT / fakes.dependencies.settings.recheck_seconds * 3


async def test_the_sessions_of_one_person_in_a_subscription_are_looked_at_together(fakes: FakeDependencies) -> None:
    sessions = [await live(fakes, mode=Mode.WATCH) for _ in range(20)]
    await a_period_later(fakes, *sessions)
    assert len(set(await looks(fakes, fakes.dependencies.settings.recheck_seconds, *sessions))) == 1


async def test_a_process_goes_on_where_another_left_off(fakes: FakeDependencies) -> None:
    session = await live(fakes)
    await a_period_later(fakes, session)
    again = fakes.dependencies.rechecked.pop(session.session)
    told = replace(session, again=again)
    fakes.rights.asked = 0
    await renew_sessions(fakes.dependencies, "r0", [told])
    assert fakes.rights.asked == 0, "the relay says when it is due"
    fakes.dependencies.rechecked.clear()
    fakes.clock.time = again
    await renew_sessions(fakes.dependencies, "r0", [told])
    assert fakes.rights.asked == 1, "and not later than that"


async def test_what_a_relay_says_cannot_put_a_look_off_for_long(fakes: FakeDependencies) -> None:
    session = replace(await live(fakes), again=fakes.clock.now() + 1e9)
    fakes.rights.lacking["ada"] = without_read()
    assert due(fakes.dependencies, [session]) == []
    fakes.clock.time += fakes.dependencies.settings.recheck_seconds
    assert due(fakes.dependencies, [session]) == [session]


async def test_what_another_relay_says_again_and_again_puts_no_look_off(fakes: FakeDependencies) -> None:
    session, period = await live(fakes), fakes.dependencies.settings.recheck_seconds
    assert await a_period_later(fakes, session) == []
    fakes.rights.lacking["ada"] = without_read()
    endings: list[SessionEnding] = []
    for _ in range(int(period / HEARTBEAT) + 1):
        fakes.clock.time += HEARTBEAT
        await renew_sessions(fakes.dependencies, "r1", [replace(session, again=fakes.clock.now() + period)])
        endings += await renew_sessions(fakes.dependencies, "r0", [session])
    assert SessionEnding(session.session, Code.ACCESS_REVOKED, "") in endings


async def test_a_clock_that_was_ahead_and_is_set_right_puts_no_look_off(fakes: FakeDependencies) -> None:
    session = await live(fakes)
    fakes.clock.time += 3600
    assert await a_period_later(fakes, session) == []
    fakes.clock.time -= 3600
    fakes.rights.lacking["ada"] = without_read()
    assert SessionEnding(session.session, Code.ACCESS_REVOKED, "") in await a_period_later(fakes, session)


async def test_one_heartbeat_looks_at_a_bounded_number_the_longest_due_first(fakes: FakeDependencies) -> None:
    now = fakes.clock.now()
    late = [Live(VM, f"s{number}", 1, Mode.WATCH, now - number) for number in range(MOST_LOOKS + 10)]
    looked = due(fakes.dependencies, late)
    assert len(looked) == MOST_LOOKS
    assert looked == late[:9:-1]


async def test_a_period_of_no_length_looks_with_every_heartbeat() -> None:
    fakes = FakeDependencies(RECHECK_SECONDS="0")
    session = await live(fakes)
    assert len(await looks(fakes, 5 * HEARTBEAT, session)) == 5


type Change = Callable[[FakeDependencies], object]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda fakes: fakes.vms.vms.clear(), Code.VM_NOT_FOUND),
        (lambda fakes: fakes.vms.vms.update({VM.console: machine(os=Os.WINDOWS)}), Code.OS_TYPE_CONFLICT),
        (
            lambda fakes: fakes.vms.vms.update({VM.console: machine(boot_diagnostics=False)}),
            Code.BOOT_DIAGNOSTICS_DISABLED,
        ),
        (
            lambda fakes: setattr(fakes.around, "surroundings", replace(OPEN, port_enabled=False)),
            Code.SERIAL_PORT_DISABLED,
        ),
        (lambda fakes: fakes.policies.put(VM.console, tags={"console": ("yes",)}), Code.TAG_NOT_ALLOWED),
    ],
)
async def test_what_comes_in_the_way_later_ends_the_session_for_its_reason(
    fakes: FakeDependencies, change: Change, code: Code
) -> None:
    session = await live(fakes)
    assert await a_period_later(fakes, session) == []
    change(fakes)
    assert SessionEnding(session.session, code, "") in await a_period_later(fakes, session)


async def test_a_slow_azure_keeps_no_lease_and_no_ending_waiting(
    fakes: FakeDependencies, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.session.flows.renew_sessions.LOOK_SECONDS", 0.01)
    old, new = await live(fakes), await live(fakes, "grace")
    asked: list[str] = []

    async def never(*_: object, **__: object) -> object:
        asked.append("arm")
        return await asyncio.get_running_loop().create_future()

    fakes.vms.find = never  # type: ignore[method-assign,assignment]  # it hangs
    due(fakes.dependencies, [new])
    fakes.clock.time = fakes.dependencies.rechecked[new.session]
    assert await renew_sessions(fakes.dependencies, "r0", [old, new]) == [
        SessionEnding(old.session, Code.SESSION_SUPERSEDED, "Grace")
    ]
    assert fakes.leases.said["r0"].at == fakes.clock.now()
    await renew_sessions(fakes.dependencies, "r0", [new])
    assert asked == ["arm"], "it is not asked again with the next beat"
    fakes.clock.time += AGAIN_SECONDS
    await renew_sessions(fakes.dependencies, "r0", [new])
    assert len(asked) == 2


async def test_a_slow_azure_takes_one_deadline_of_a_heartbeat_however_many_are_due(
    fakes: FakeDependencies, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those whose look had begun are asked about later; the others come first with the next heartbeat."""
    monkeypatch.setattr("shared.session.flows.renew_sessions.LOOK_SECONDS", 0.5)
    sessions = [replace(await live(fakes, f"p{number}", Mode.WATCH), again=1.0) for number in range(2 * AT_ONCE)]
    begun, answering = list[str](), fakes.rights.missing

    async def slow(caller: Caller, *args: Any, **kwargs: Any) -> Sequence[str] | Refusal:
        begun.append(caller.oid)
        if caller.oid != "p3":
            await asyncio.get_running_loop().create_future()
        return await answering(caller, *args, **kwargs)

    fakes.rights.missing = slow  # type: ignore[method-assign]
    fakes.rights.lacking["p3"] = without_read()
    ended = [SessionEnding(sessions[3].session, Code.ACCESS_REVOKED, "")]
    assert await renew_sessions(fakes.dependencies, "r0", sessions) == ended, "what is known is told"
    assert len(begun) == AT_ONCE + 1
    await renew_sessions(fakes.dependencies, "r0", [*sessions[:3], *sessions[4:]])
    assert set(begun) == {f"p{number}" for number in range(2 * AT_ONCE)}
    assert len(begun) == 2 * AT_ONCE


async def test_a_session_ends_with_the_approval_that_opened_it(fakes: FakeDependencies) -> None:
    fakes.policies.put(VM.console, approval=frozenset({Right.WRITE}), approval_seconds=60)
    asked = await ask_approval(fakes.dependencies, person(), VM, Right.WRITE, "why")
    assert isinstance(asked, Approval)
    await decide_approval(fakes.dependencies, person("grace"), VM, asked.id, allow=True, comment=None)
    session = await live(fakes)
    assert await renew_sessions(fakes.dependencies, "r0", [session]) == []
    fakes.clock.time += 60
    assert await renew_sessions(fakes.dependencies, "r0", [session]) == [
        SessionEnding(session.session, Code.APPROVAL_REQUIRED, "")
    ]


async def test_a_live_session_is_judged_by_what_answers_for_many(fakes: FakeDependencies) -> None:
    session, many = await live(fakes), FakeRights(lacking={"ada": without_read()})
    dependencies = replace(fakes.dependencies, live_azure=LiveAzure(vms=fakes.vms, rights=many, around=fakes.around))
    fakes.clock.time += fakes.dependencies.settings.recheck_seconds
    assert await renew_sessions(dependencies, "r0", [replace(session, again=1.0)]) == [
        SessionEnding(session.session, Code.ACCESS_REVOKED, "")
    ]


async def test_a_stop_of_the_vm_is_left_to_its_port_to_tell(fakes: FakeDependencies) -> None:
    session = await live(fakes)
    fakes.vms.vms[VM.console] = machine(power=Power.STOPPED)
    assert await a_period_later(fakes, session) == []
    assert fakes.rights.asked > 1


async def test_what_cannot_be_learnt_ends_nobody(fakes: FakeDependencies) -> None:
    session = await live(fakes)
    fakes.rights.fail = Unavailable(Dependency.ARM, "away")
    assert await a_period_later(fakes, session) == []
    fakes.rights.fail = None
    fakes.rights.lacking["ada"] = refuse(Code.MFA_REQUIRED)
    assert await a_period_later(fakes, session) == []


async def test_sessions_long_over_are_forgotten(fakes: FakeDependencies) -> None:
    await renew_sessions(fakes.dependencies, "r0", [await live(fakes)])
    assert fakes.dependencies.rechecked
    fakes.clock.time += 11 * fakes.dependencies.settings.recheck_seconds
    await renew_sessions(fakes.dependencies, "r0", [])
    assert not fakes.dependencies.rechecked
