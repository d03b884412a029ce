from dataclasses import replace

import pytest

from shared.access.rights import Right
from shared.base.ports import Unavailable
from shared.base.refusals import Code, Refusal
from shared.session.flows.close_session import Left, close_session, detach_session, list_sessions, show_session
from shared.session.flows.live_session import Live
from shared.session.flows.open_session import Opened, OpenSessionRequest, open_session
from shared.session.grant import Mode
from shared.session.ports import Session
from tests.fakes import VM, FakeDependencies, everything, person, without_read


async def session(fakes: FakeDependencies, mode: Mode = Mode.WRITE) -> Session:
    opened = await open_session(fakes.dependencies, person(), VM, OpenSessionRequest(mode=mode))
    assert isinstance(opened, Opened)
    return opened.session


async def test_its_owner_ends_a_session_and_the_console_is_free(fakes: FakeDependencies) -> None:
    mine = await session(fakes)
    assert await close_session(fakes.dependencies, person(), VM, mine.id) == mine
    assert (await fakes.consoles.show(VM)).holder is None
    assert fakes.sessions.rows[mine.id].ended_by == "SessionEnded"
    assert fakes.relays.told == [("end", mine.id, Code.SESSION_ENDED, "Ada")]


async def test_its_owner_may_look_at_it(fakes: FakeDependencies) -> None:
    mine = await session(fakes)
    assert await show_session(fakes.dependencies, person(), VM, mine.id) == mine


async def test_an_ended_session_is_written_down_for_its_relay(fakes: FakeDependencies) -> None:
    mine = await session(fakes)
    fakes.consoles.fail_release = True
    with pytest.raises(Unavailable):
        await close_session(fakes.dependencies, person(), VM, mine.id)
    (notice,) = await fakes.notices.of("r0")
    assert (notice.session, notice.code, notice.by) == (mine.id, Code.SESSION_ENDED, "Ada")


async def test_a_lock_that_is_away_keeps_no_end_out_of_the_index(fakes: FakeDependencies) -> None:
    mine = await session(fakes)
    fakes.consoles.fail_release = True
    with pytest.raises(Unavailable):
        await detach_session(fakes.dependencies, Left(Live(VM, mine.id, mine.generation, Mode.WRITE), "Goodbye", 3, 40))
    assert fakes.sessions.rows[mine.id].ended_by == "Goodbye"


async def test_ending_twice_tells_the_relay_once(fakes: FakeDependencies) -> None:
    mine = await session(fakes)
    for _ in range(2):
        assert not isinstance(await close_session(fakes.dependencies, person(), VM, mine.id), Refusal)
    assert len(fakes.relays.told) == 1


async def test_a_watcher_who_leaves_frees_nothing(fakes: FakeDependencies) -> None:
    writer, watcher = await session(fakes), await session(fakes, Mode.WATCH)
    await close_session(fakes.dependencies, person(), VM, watcher.id)
    holder = (await fakes.consoles.show(VM)).holder
    assert holder is not None
    assert holder.session == writer.id


async def test_the_session_of_another_does_not_exist(fakes: FakeDependencies) -> None:
    mine = await session(fakes)
    fakes.rights.lacking["grace"] = ["Microsoft.SerialConsole/serialPorts/write"]
    for flow in (show_session, close_session):
        for who, which in ((person("grace"), mine.id), (person(), "unknown")):
            found = await flow(fakes.dependencies, who, VM, which)
            assert isinstance(found, Refusal)
            assert found.code is Code.SESSION_NOT_FOUND


async def test_an_administrator_ends_the_session_of_another(fakes: FakeDependencies) -> None:
    mine = await session(fakes)
    assert await close_session(fakes.dependencies, person("grace", "Grace"), VM, mine.id) == mine
    assert fakes.relays.told == [("end", mine.id, Code.SESSION_ENDED, "Grace")]
    assert (await fakes.consoles.show(VM)).holder is None


async def test_an_administrator_is_told_what_would_let_them_end_it(fakes: FakeDependencies) -> None:
    mine = await session(fakes)
    fakes.policies.put(VM.console, sign_in={Right.ADMINISTER: "c1"})
    modern = replace(person("grace", "Grace"), answers_challenges=True)
    answer = await close_session(fakes.dependencies, modern, VM, mine.id)
    assert isinstance(answer, Refusal)
    assert answer.code is Code.MFA_REQUIRED


async def test_live_sessions_are_listed_for_those_who_may_write(fakes: FakeDependencies) -> None:
    mine = await session(fakes)
    over = await session(fakes, Mode.WATCH)
    await fakes.sessions.ended(VM, over.id, 1.0, "Goodbye")
    assert await list_sessions(fakes.dependencies, person("grace"), VM) == [mine]
    fakes.rights.lacking["grace"] = without_read()
    for code in (Code.VM_PERMISSION_DENIED, Code.VM_NOT_FOUND):
        listed = await list_sessions(fakes.dependencies, person("grace"), VM)
        assert isinstance(listed, Refusal)
        assert listed.code is code
        fakes.rights.lacking["grace"] = everything()


@pytest.mark.parametrize("mode", list(Mode))
async def test_a_relay_reports_the_end_and_its_reason_stays(fakes: FakeDependencies, mode: Mode) -> None:
    mine = await session(fakes, mode)
    left = Left(Live(VM, mine.id, mine.generation, mode), "IdleTimeout", 3, 40)
    await detach_session(fakes.dependencies, left)
    await detach_session(fakes.dependencies, Left(left.live, "Goodbye", 3, 40))
    assert fakes.sessions.rows[mine.id].ended_by == "IdleTimeout"
    assert (await fakes.consoles.show(VM)).holder is None
