import pytest

from shared.domain.grant import Mode
from shared.domain.refusals import Code, Refusal
from shared.flows.close_session import Left, close_session, detach_session, show_session
from shared.flows.open_session import Opened, Wish, open_session
from shared.flows.renew_sessions import Live
from shared.ports import Session
from tests.fakes import VM, FakeWorld, person


async def session(fakes: FakeWorld, mode: Mode = Mode.WRITE) -> Session:
    opened = await open_session(fakes.world, person(), VM, Wish(mode=mode))
    assert isinstance(opened, Opened)
    return opened.session


async def test_its_owner_ends_a_session_and_the_console_is_free(fakes: FakeWorld) -> None:
    mine = await session(fakes)
    assert await close_session(fakes.world, person(), VM, mine.id) == mine
    assert (await fakes.consoles.show(VM)).holder is None
    assert fakes.sessions.rows[mine.id].ended_by == "SessionEnded"
    assert fakes.relays.told == [("end", mine.id, Code.SESSION_ENDED, "Ada")]


async def test_ending_twice_tells_the_relay_once(fakes: FakeWorld) -> None:
    mine = await session(fakes)
    for _ in range(2):
        assert not isinstance(await close_session(fakes.world, person(), VM, mine.id), Refusal)
    assert len(fakes.relays.told) == 1


async def test_a_watcher_who_leaves_frees_nothing(fakes: FakeWorld) -> None:
    writer, watcher = await session(fakes), await session(fakes, Mode.WATCH)
    await close_session(fakes.world, person(), VM, watcher.id)
    holder = (await fakes.consoles.show(VM)).holder
    assert holder is not None
    assert holder.session == writer.id


async def test_the_session_of_another_does_not_exist(fakes: FakeWorld) -> None:
    mine = await session(fakes)
    for flow in (show_session, close_session):
        for who, which in ((person("grace"), mine.id), (person(), "unknown")):
            found = await flow(fakes.world, who, VM, which)
            assert isinstance(found, Refusal)
            assert found.code is Code.SESSION_NOT_FOUND


@pytest.mark.parametrize("mode", list(Mode))
async def test_a_relay_reports_the_end_and_its_reason_stays(fakes: FakeWorld, mode: Mode) -> None:
    mine = await session(fakes, mode)
    left = Left(Live(VM, mine.id, mine.generation, mode), "IdleTimeout", 3, 40)
    await detach_session(fakes.world, left)
    await detach_session(fakes.world, Left(left.live, "Goodbye", 3, 40))
    assert fakes.sessions.rows[mine.id].ended_by == "IdleTimeout"
    assert (await fakes.consoles.show(VM)).holder is None
