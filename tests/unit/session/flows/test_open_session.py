import asyncio

import pytest

from shared.base.ports import Dependency, Unavailable
from shared.base.refusals import Code, Refusal, refuse
from shared.base.vm import Power
from shared.session.flows import open_session as flow
from shared.session.flows.open_session import Opened, OpenSessionRequest, open_session
from shared.session.grant import Mode
from shared.session.lock import PENDING_SECONDS, Takeover
from shared.session.lock_requests import NAME_CHARACTERS
from tests.fakes import NOW, VM, FakeDependencies, everything, machine, person, without_read

PLAIN = OpenSessionRequest()


async def opened(fakes: FakeDependencies, oid: str = "ada", wish: OpenSessionRequest = PLAIN) -> Opened:
    result = await open_session(fakes.dependencies, person(oid, oid.title()), VM, wish)
    assert isinstance(result, Opened)
    return result


async def refused(fakes: FakeDependencies, oid: str = "ada", wish: OpenSessionRequest = PLAIN) -> Refusal:
    result = await open_session(fakes.dependencies, person(oid, oid.title()), VM, wish)
    assert isinstance(result, Refusal)
    return result


async def test_a_session_is_locked_indexed_and_signed(fakes: FakeDependencies) -> None:
    result = await opened(fakes, wish=OpenSessionRequest(reason="boot loop"))
    row, (grant,) = fakes.sessions.rows[result.session.id], fakes.tokens.signed
    assert (row.state, row.reason, row.generation) == ("requested", "boot loop", 1)
    assert (grant.session, grant.generation, grant.audience) == (row.id, 1, "relay:r0")
    assert grant.token_id != grant.session
    assert (result.expires_at, result.address, result.displaced) == (int(NOW) + 30, "ws://relay", None)
    assert fakes.relays.told == []


async def test_all_that_stands_in_the_way_is_said_at_once(fakes: FakeDependencies) -> None:
    fakes.vms.vms[VM.console] = machine(power=Power.STOPPED, boot_diagnostics=False, provisioning="Updating")
    fakes.rights.lacking["ada"] = without_read()
    refusal = await refused(fakes)
    assert refusal.code is Code.VM_PERMISSION_DENIED
    assert [each.code for each in refusal.details] == [
        Code.VM_PROVISIONING,
        Code.VM_NOT_RUNNING,
        Code.BOOT_DIAGNOSTICS_DISABLED,
    ]
    assert fakes.consoles.locks == {}


async def test_who_may_not_read_the_vm_learns_nothing(fakes: FakeDependencies) -> None:
    fakes.rights.lacking["ada"] = everything()
    assert (await refused(fakes)) == refuse(Code.VM_NOT_FOUND, target=VM.resource_id)


async def test_a_stronger_sign_in_may_be_asked_for_on_either_question(fakes: FakeDependencies) -> None:
    mfa = refuse(Code.MFA_REQUIRED, claims="{}")
    fakes.rights.lacking["ada"] = mfa
    assert await refused(fakes) == mfa
    fakes.vms.refusal = mfa
    assert await refused(fakes) == mfa


async def test_a_second_user_displaces_the_first_and_the_relay_is_told(fakes: FakeDependencies) -> None:
    await opened(fakes)
    result = await opened(fakes, "grace")
    assert result.displaced is not None
    assert result.displaced.name == "Ada"
    assert fakes.relays.told == [("fence", 2, "Grace")]


async def test_never_says_who_and_since_when(fakes: FakeDependencies) -> None:
    await opened(fakes)
    refusal = await refused(fakes, "grace", OpenSessionRequest(takeover=Takeover.NEVER))
    assert refusal.message == "The console is in use by Ada since 2027-01-15T08:00:00Z."


async def test_who_is_gone_is_neither_asked_nor_named(fakes: FakeDependencies) -> None:
    for takeover in (Takeover.NEVER, Takeover.ASK, Takeover.FORCE):
        await opened(fakes)
        fakes.clock.time += PENDING_SECONDS
        result = await opened(fakes, "grace", OpenSessionRequest(takeover=takeover))
        assert result.displaced is None
        await fakes.consoles.release(VM, result.session.id, result.session.generation)
    assert fakes.relays.told == []


async def test_whoever_was_displaced_is_written_down_for_their_relay_though_it_seems_dead(
    fakes: FakeDependencies,
) -> None:
    old = await opened(fakes)
    fakes.clock.time += PENDING_SECONDS
    await opened(fakes, "grace")
    (notice,) = await fakes.notices.of("r0")
    assert (notice.session, notice.code, notice.by) == (old.session.id, Code.SESSION_SUPERSEDED, "Grace")


async def test_a_name_is_cut_to_what_the_lock_has_room_for(fakes: FakeDependencies) -> None:
    await open_session(fakes.dependencies, person("ada", "A" * 1000), VM, OpenSessionRequest())
    holder = (await fakes.consoles.show(VM)).holder
    assert holder is not None
    assert holder.name == "A" * NAME_CHARACTERS


async def test_ask_takes_the_console_when_the_holder_agrees(fakes: FakeDependencies) -> None:
    await opened(fakes)
    result = await opened(fakes, "grace", OpenSessionRequest(takeover=Takeover.ASK))
    assert result.session.generation == 2
    assert fakes.relays.told[0] == ("ask", 1, "Grace")


async def test_ask_leaves_the_console_when_the_holder_does_not(fakes: FakeDependencies) -> None:
    await opened(fakes)
    fakes.relays.allows = False
    assert (await refused(fakes, "grace", OpenSessionRequest(takeover=Takeover.ASK))).code is Code.TAKEOVER_REFUSED


async def test_consent_is_not_for_whoever_came_in_between(fakes: FakeDependencies) -> None:
    await opened(fakes)

    async def agree_too_late(*_: object) -> bool:
        await opened(fakes, "alan")
        return True

    fakes.relays.ask = agree_too_late  # type: ignore[assignment]  # the moment between question and answer
    refusal = await refused(fakes, "grace", OpenSessionRequest(takeover=Takeover.ASK))
    assert refusal.code is Code.CONSOLE_IN_USE
    assert "Alan" in refusal.message


async def test_a_watcher_takes_nothing(fakes: FakeDependencies) -> None:
    await opened(fakes)
    result = await opened(fakes, "grace", OpenSessionRequest(mode=Mode.WATCH))
    assert (result.session.generation, result.displaced) == (1, None)
    assert (await fakes.consoles.show(VM)).holder is not None


@pytest.mark.parametrize("fault", [Unavailable(Dependency.STORAGE_TABLES, "away"), asyncio.CancelledError()])
async def test_what_is_in_no_index_holds_no_console(fakes: FakeDependencies, fault: Exception) -> None:
    fakes.sessions.fail = fault
    with pytest.raises(type(fault)):
        await opened(fakes)
    assert (await fakes.consoles.show(VM)).holder is None


async def test_while_nothing_can_be_signed_nobody_is_displaced(fakes: FakeDependencies) -> None:
    await opened(fakes)
    fakes.tokens.fail_ready = True
    with pytest.raises(Unavailable, match="key vault"):
        await opened(fakes, "grace")
    lock = await fakes.consoles.show(VM)
    assert lock.holder is not None
    assert (lock.holder.name, lock.generation) == ("Ada", 1)
    assert not fakes.relays.told
    await opened(fakes, "grace", OpenSessionRequest(mode=Mode.WATCH))


async def test_who_gets_no_token_holds_no_console(fakes: FakeDependencies) -> None:
    fakes.tokens.fail_sign = True
    with pytest.raises(Unavailable, match="key vault"):
        await opened(fakes)
    assert (await fakes.consoles.show(VM)).holder is None


async def test_a_lock_that_cannot_be_given_back_counts_for_a_while(
    fakes: FakeDependencies, caplog: pytest.LogCaptureFixture
) -> None:
    fakes.sessions.fail, fakes.consoles.fail_release = Unavailable(Dependency.STORAGE_TABLES, "away"), True
    with pytest.raises(Unavailable, match="storage tables"):
        await opened(fakes)
    assert f"its lock counts for {PENDING_SECONDS:.0f} s more" in caplog.text


async def test_a_watcher_in_no_index_has_nothing_to_give_back(fakes: FakeDependencies) -> None:
    fakes.sessions.fail, fakes.consoles.fail_release = Unavailable(Dependency.STORAGE_TABLES, "away"), True
    with pytest.raises(Unavailable):
        await opened(fakes, wish=OpenSessionRequest(mode=Mode.WATCH))


@pytest.mark.parametrize("fault", [Unavailable(Dependency.RELAY, "away"), TimeoutError(), None])
async def test_a_relay_that_does_not_hear_delays_nothing(
    fakes: FakeDependencies, fault: Exception | None, caplog: pytest.LogCaptureFixture
) -> None:
    await opened(fakes)
    fakes.relays.fail, fakes.relays.reachable = fault, False
    assert (await opened(fakes, "grace")).session.generation == 2
    assert "its heartbeat will tell it" in caplog.text


async def test_a_slow_relay_costs_two_seconds_at_most() -> None:
    assert flow.FENCE_SECONDS == 2.0
