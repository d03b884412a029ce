import pytest

from shared.domain.grant import Mode
from shared.domain.policy import Switch
from shared.domain.refusals import Code
from shared.flows.live_session import Ending, Live
from shared.flows.open_session import Opened, Wish, open_session
from shared.flows.renew_sessions import renew_sessions
from tests.fakes import VM, FakeWorld, person


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
