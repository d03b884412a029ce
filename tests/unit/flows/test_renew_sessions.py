import pytest

from shared.domain.grant import Mode
from shared.domain.refusals import Code, refuse
from shared.flows.open_session import Opened, Wish, open_session
from shared.flows.renew_sessions import RECHECK_SECONDS, Ending, Live, renew_sessions
from shared.ports import Unavailable
from tests.fakes import VM, FakeWorld, person, without_read


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
    fakes.clock.time += RECHECK_SECONDS
    assert await renew_sessions(fakes.world, [session]) == [Ending(session.session, Code.ACCESS_REVOKED, "")]


@pytest.mark.parametrize("mode", list(Mode))
async def test_rights_are_asked_once_a_minute(fakes: FakeWorld, mode: Mode) -> None:
    session = await live(fakes, mode=mode)
    fakes.rights.asked = 0
    for _ in range(5):
        await renew_sessions(fakes.world, [session])
    assert fakes.rights.asked == 1


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
    fakes.clock.time += 11 * RECHECK_SECONDS
    await renew_sessions(fakes.world, [])
    assert not fakes.world.rechecked
