import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from shared.domain.approval import Approval
from shared.domain.checks import OPEN
from shared.domain.grant import Mode
from shared.domain.policy import Switch
from shared.domain.refusals import Code, refuse
from shared.domain.rights import Right
from shared.domain.vm import Os, Power
from shared.flows.approve import ask_approval, decide_approval
from shared.flows.live_session import Ending, Live
from shared.flows.open_session import Opened, Wish, open_session
from shared.flows.recheck_sessions import AGAIN_SECONDS
from shared.flows.renew_sessions import renew_sessions
from shared.ports import Unavailable
from tests.fakes import VM, FakeWorld, machine, person, without_read


async def live(fakes: FakeWorld, oid: str = "ada", mode: Mode = Mode.WRITE) -> Live:
    opened = await open_session(fakes.world, person(oid, oid.title()), VM, Wish(mode=mode))
    assert isinstance(opened, Opened)
    return Live(VM, opened.session.id, opened.session.generation, mode)


@pytest.mark.parametrize("mode", list(Mode))
async def test_a_live_session_goes_on(fakes: FakeWorld, mode: Mode) -> None:
    session = await live(fakes, mode=mode)
    for _ in range(3):
        assert await renew_sessions(fakes.world, [session]) == []


async def test_a_heartbeat_keeps_the_lease(fakes: FakeWorld) -> None:
    session = await live(fakes)
    fakes.clock.time += 60
    await renew_sessions(fakes.world, [session])
    assert (await fakes.consoles.show(VM)).live_holder(fakes.clock.now() + 14) is not None


async def test_a_superseded_writer_ends_and_learns_by_whom(fakes: FakeWorld) -> None:
    old, new = await live(fakes), await live(fakes, "grace")
    assert await renew_sessions(fakes.world, [old, new]) == [Ending(old.session, Code.SESSION_SUPERSEDED, "Grace")]


async def test_a_writer_whose_lock_is_gone_ends(fakes: FakeWorld) -> None:
    session = await live(fakes)
    await fakes.consoles.release(VM, session.session, session.generation)
    assert await renew_sessions(fakes.world, [session]) == [Ending(session.session, Code.SESSION_ENDED, "")]


async def test_a_watcher_whose_session_was_ended_ends(fakes: FakeWorld) -> None:
    session = await live(fakes, mode=Mode.WATCH)
    await fakes.sessions.ended(VM, session.session, 1.0, "Goodbye")
    assert await renew_sessions(fakes.world, [session]) == [Ending(session.session, Code.SESSION_ENDED, "Ada")]
    fakes.sessions.rows.clear()
    assert await renew_sessions(fakes.world, [session]) == [Ending(session.session, Code.SESSION_ENDED, "")]


async def test_a_role_withdrawn_ends_the_session_within_a_minute(fakes: FakeWorld) -> None:
    session = await live(fakes)
    assert await renew_sessions(fakes.world, [session]) == []
    fakes.rights.lacking["ada"] = without_read()
    assert await renew_sessions(fakes.world, [session]) == []
    fakes.clock.time += fakes.world.settings.recheck_seconds
    assert await renew_sessions(fakes.world, [session]) == [Ending(session.session, Code.ACCESS_REVOKED, "")]


@pytest.mark.parametrize("mode", list(Mode))
async def test_rights_are_asked_once_a_minute(fakes: FakeWorld, mode: Mode) -> None:
    session = await live(fakes, mode=mode)
    fakes.rights.asked = 0
    for _ in range(5):
        await renew_sessions(fakes.world, [session])
    assert fakes.rights.asked == 1


type Change = Callable[[FakeWorld], object]


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
    fakes: FakeWorld, change: Change, code: Code
) -> None:
    session = await live(fakes)
    assert await renew_sessions(fakes.world, [session]) == []
    change(fakes)
    fakes.clock.time += fakes.world.settings.recheck_seconds
    assert await renew_sessions(fakes.world, [session]) == [Ending(session.session, code, "")]


@pytest.mark.parametrize(
    ("scope", "code"),
    [
        ("/", Code.CONSOLE_DISABLED_BY_POLICY),
        (f"/subscriptions/{VM.subscription}", Code.CONSOLE_DISABLED_FOR_SUBSCRIPTION),
        (VM.console, Code.CONSOLE_DISABLED_BY_POLICY),
    ],
)
async def test_a_switch_turned_off_ends_the_session_at_its_next_heartbeat(
    fakes: FakeWorld, scope: str, code: Code
) -> None:
    session = await live(fakes)
    assert await renew_sessions(fakes.world, [session]) == []
    fakes.policies.put(scope, console=Switch.OFF)
    assert await renew_sessions(fakes.world, [session]) == [Ending(session.session, code, "")]


async def test_a_slow_azure_keeps_no_lease_and_no_ending_waiting(
    fakes: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.flows.recheck_sessions.LOOK_SECONDS", 0.01)
    old, new = await live(fakes), await live(fakes, "grace")
    asked: list[str] = []

    async def never(*_: object, **__: object) -> object:
        asked.append("arm")
        return await asyncio.get_running_loop().create_future()

    fakes.vms.find = never  # type: ignore[method-assign,assignment]  # it hangs
    fakes.clock.time += 14
    assert await renew_sessions(fakes.world, [old, new]) == [Ending(old.session, Code.SESSION_SUPERSEDED, "Grace")]
    assert (await fakes.consoles.show(VM)).live_holder(fakes.clock.now() + 14) is not None
    await renew_sessions(fakes.world, [new])
    assert asked == ["arm"], "it is not asked again with the next beat"
    fakes.clock.time += AGAIN_SECONDS
    await renew_sessions(fakes.world, [new])
    assert len(asked) == 2


async def test_a_session_ends_with_the_approval_that_opened_it(fakes: FakeWorld) -> None:
    fakes.policies.put(VM.console, approval=frozenset({Right.WRITE}), approval_seconds=60)
    asked = await ask_approval(fakes.world, person(), VM, Right.WRITE, "why")
    assert isinstance(asked, Approval)
    await decide_approval(fakes.world, person("grace"), VM, asked.id, allow=True, comment=None)
    session = await live(fakes)
    assert await renew_sessions(fakes.world, [session]) == []
    fakes.clock.time += 60
    assert await renew_sessions(fakes.world, [session]) == [Ending(session.session, Code.APPROVAL_REQUIRED, "")]


async def test_a_live_session_is_judged_by_nothing_that_was_kept(fakes: FakeWorld) -> None:
    session = await live(fakes)
    fakes.rights.fresh.clear()
    await renew_sessions(fakes.world, [session])
    assert fakes.rights.fresh == [True]


async def test_a_stop_of_the_vm_is_left_to_its_port_to_tell(fakes: FakeWorld) -> None:
    session = await live(fakes)
    fakes.vms.vms[VM.console] = machine(power=Power.STOPPED)
    assert await renew_sessions(fakes.world, [session]) == []


async def test_what_cannot_be_learnt_ends_nobody(fakes: FakeWorld) -> None:
    session = await live(fakes)
    fakes.rights.fail = Unavailable("arm", "away")
    assert await renew_sessions(fakes.world, [session]) == []
    fakes.rights.fail = None
    fakes.rights.lacking["ada"] = refuse(Code.MFA_REQUIRED)
    assert await renew_sessions(fakes.world, [session]) == []


async def test_sessions_long_over_are_forgotten(fakes: FakeWorld) -> None:
    await renew_sessions(fakes.world, [await live(fakes)])
    assert fakes.world.rechecked
    fakes.clock.time += 11 * fakes.world.settings.recheck_seconds
    await renew_sessions(fakes.world, [])
    assert not fakes.world.rechecked
