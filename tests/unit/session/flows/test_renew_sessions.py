import asyncio
from collections.abc import Sequence

import pytest

from shared.access.policy import Switch
from shared.base.ports import Dependency, Unavailable
from shared.base.refusals import Code, Refusal
from shared.session.flows.live_session import Live, SessionEnding
from shared.session.flows.open_session import Opened, OpenSessionRequest, open_session
from shared.session.flows.renew_sessions import FORGET_SECONDS, renew_sessions
from shared.session.grant import Mode
from shared.session.lock import LEASE_SECONDS, PENDING_SECONDS, Lease, Lock, Takeover
from tests.fakes import VM, FakeDependencies, person, without_read


async def live(fakes: FakeDependencies, oid: str = "ada", mode: Mode = Mode.WRITE) -> Live:
    opened = await open_session(fakes.dependencies, person(oid, oid.title()), VM, OpenSessionRequest(mode=mode))
    assert isinstance(opened, Opened)
    return Live(VM, opened.session.id, opened.session.generation, mode)


@pytest.mark.parametrize("mode", list(Mode))
async def test_a_live_session_goes_on(fakes: FakeDependencies, mode: Mode) -> None:
    session = await live(fakes, mode=mode)
    for _ in range(3):
        assert await renew_sessions(fakes.dependencies, "r0", [session]) == []


async def wants(fakes: FakeDependencies) -> Code | None:
    """What somebody hears who would not displace anybody."""
    answer = await open_session(
        fakes.dependencies, person("grace", "Grace"), VM, OpenSessionRequest(takeover=Takeover.NEVER)
    )
    return answer.code if isinstance(answer, Refusal) else None


async def test_a_heartbeat_keeps_the_lease(fakes: FakeDependencies) -> None:
    session = await live(fakes)
    fakes.clock.time += PENDING_SECONDS
    await renew_sessions(fakes.dependencies, "r0", [session])
    fakes.clock.time += LEASE_SECONDS - 1
    assert await wants(fakes) is Code.CONSOLE_IN_USE
    fakes.clock.time += 1
    assert await wants(fakes) is None


async def test_who_a_living_relay_does_not_name_has_left(fakes: FakeDependencies) -> None:
    session = await live(fakes)
    fakes.clock.time += PENDING_SECONDS
    await renew_sessions(fakes.dependencies, "r0", [session])
    await renew_sessions(fakes.dependencies, "r0", [])
    assert await wants(fakes) is None


async def test_a_heartbeat_asks_no_lock_and_writes_one_line(fakes: FakeDependencies) -> None:
    """However long the lock is away, and however many write."""
    session = await live(fakes)
    await renew_sessions(fakes.dependencies, "r0", [session])
    fakes.consoles.fail = Unavailable(Dependency.CONSOLE_LOCK, "away")
    for _ in range(100):
        fakes.clock.time += 5
        assert await renew_sessions(fakes.dependencies, "r0", [session]) == []
    assert fakes.leases.said == {"r0": Lease(fakes.clock.now(), frozenset({session.session}))}


async def test_watchers_keep_no_lease(fakes: FakeDependencies) -> None:
    await renew_sessions(fakes.dependencies, "r0", [await live(fakes, mode=Mode.WATCH)])
    assert fakes.leases.said["r0"].sessions == frozenset()


async def test_a_sign_of_life_that_could_not_be_kept_is_told_to_the_relay(fakes: FakeDependencies) -> None:
    fakes.leases.fail = Unavailable(Dependency.STORAGE_TABLES, "away")
    with pytest.raises(Unavailable, match="storage tables"):
        await renew_sessions(fakes.dependencies, "r0", [await live(fakes)])


async def test_a_notice_is_told_until_the_session_is_gone_and_kept_while_it_may_be_on_its_way(
    fakes: FakeDependencies,
) -> None:
    old, new = await live(fakes), await live(fakes, "grace")
    for _ in range(2):
        assert await renew_sessions(fakes.dependencies, "r0", [new]) == []
        assert await renew_sessions(fakes.dependencies, "r0", [old, new]) == [superseded(old)]
    assert await renew_sessions(fakes.dependencies, "r1", [old]) == [], "another relay's"
    fakes.clock.time += FORGET_SECONDS + 1
    assert await renew_sessions(fakes.dependencies, "r0", [old]) == [superseded(old)]
    assert await renew_sessions(fakes.dependencies, "r0", [new]) == []
    assert fakes.notices.rows == {}


async def test_a_writer_whose_notice_was_never_written_ends_with_the_next_look(fakes: FakeDependencies) -> None:
    old, new = await live(fakes), await live(fakes, "grace")
    fakes.notices.rows.clear()
    assert await looked_at(fakes, old, new) == [superseded(old)]


async def test_a_lock_that_hangs_ends_nobody(fakes: FakeDependencies, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.session.flows.renew_sessions.LOOK_SECONDS", 0.01)
    session = await live(fakes)

    async def never(*_: object) -> Lock:
        await asyncio.get_running_loop().create_future()
        return Lock()

    fakes.consoles.show = never  # type: ignore[assignment]  # it hangs
    assert await looked_at(fakes, session) == []


async def test_a_lock_that_is_away_ends_nobody(fakes: FakeDependencies) -> None:
    session = await live(fakes)
    fakes.consoles.fail = Unavailable(Dependency.CONSOLE_LOCK, "away")
    assert await looked_at(fakes, session) == []


async def test_what_goes_wrong_about_one_session_keeps_no_ending_of_another(
    fakes: FakeDependencies, caplog: pytest.LogCaptureFixture
) -> None:
    mine, other = await live(fakes), await live(fakes, "grace", Mode.WATCH)
    fakes.rights.lacking["grace"] = without_read()
    fakes.consoles.fail = KeyError("lock")
    assert await looked_at(fakes, mine, other) == [SessionEnding(other.session, Code.ACCESS_REVOKED, "")]
    assert f"session {mine.session} was not looked at" in caplog.text


async def looked_at(fakes: FakeDependencies, *live: Live) -> Sequence[SessionEnding]:
    """A heartbeat with which the look at every session is due."""
    fakes.dependencies.rechecked.update(dict.fromkeys((each.session for each in live), fakes.clock.now()))
    return await renew_sessions(fakes.dependencies, "r0", live)


def superseded(old: Live) -> SessionEnding:
    return SessionEnding(old.session, Code.SESSION_SUPERSEDED, "Grace")


async def test_a_superseded_writer_ends_and_learns_by_whom(fakes: FakeDependencies) -> None:
    old, new = await live(fakes), await live(fakes, "grace")
    assert await renew_sessions(fakes.dependencies, "r0", [old, new]) == [
        SessionEnding(old.session, Code.SESSION_SUPERSEDED, "Grace")
    ]


async def test_a_writer_whose_lock_is_gone_ends(fakes: FakeDependencies) -> None:
    session = await live(fakes)
    await fakes.consoles.release(VM, session.session, session.generation)
    assert await looked_at(fakes, session) == [SessionEnding(session.session, Code.SESSION_ENDED, "")]


async def test_a_watcher_whose_session_was_ended_ends(fakes: FakeDependencies) -> None:
    session = await live(fakes, mode=Mode.WATCH)
    await fakes.sessions.ended(VM, session.session, 1.0, "Goodbye")
    assert await looked_at(fakes, session) == [SessionEnding(session.session, Code.SESSION_ENDED, "Ada")]
    fakes.sessions.rows.clear()
    assert await looked_at(fakes, session) == [SessionEnding(session.session, Code.SESSION_ENDED, "")]


@pytest.mark.parametrize(
    ("scope", "code"),
    [
        ("/", Code.CONSOLE_DISABLED_BY_POLICY),
        (f"/subscriptions/{VM.subscription}", Code.CONSOLE_DISABLED_FOR_SUBSCRIPTION),
        (VM.console, Code.CONSOLE_DISABLED_BY_POLICY),
    ],
)
async def test_a_switch_turned_off_ends_the_session_at_its_next_heartbeat(
    fakes: FakeDependencies, scope: str, code: Code
) -> None:
    session = await live(fakes)
    assert await renew_sessions(fakes.dependencies, "r0", [session]) == []
    fakes.policies.put(scope, console=Switch.OFF)
    assert await renew_sessions(fakes.dependencies, "r0", [session]) == [SessionEnding(session.session, code, "")]
