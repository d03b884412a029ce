"""A relay at work: real sockets, scripted VMs."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from relay.console import viewer as listener
from shared.base.refusals import Code, refuse
from shared.console.port import REDIAL_SECONDS
from shared.session.grant import Mode
from tests.relay.stage import Client, Stage, staged


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged() as running:
        yield running


async def test_what_is_typed_reaches_the_vm_and_its_echo_comes_back_recorded(stage: Stage) -> None:
    ada = await stage.comes("ada")
    await ada.types(b"uname -a\r")
    await ada.sees(b"uname -a\r")
    assert stage.ports.last.typed == b"uname -a\r"
    assert stage.epochs.printed() == b"uname -a\r"
    await ada.leave()
    await stage.until(lambda: stage.control_plane.detached == [("ada", "Goodbye", 9, 9)])
    assert stage.epochs.notes() == ["port-open", "attach", "detach"]


async def test_a_takeover_closes_the_first_and_says_by_whom(stage: Stage) -> None:
    ada = await stage.comes("ada", generation=1)
    grace = await stage.comes("grace", generation=2)
    assert await ada.closed() == (4001, "SessionSuperseded")
    assert ada.texts[-1]["by"] == {"name": "Grace"}
    await grace.types(b"id\r")
    await grace.sees(b"id\r")
    assert len(stage.ports.opened) == 1


async def test_watchers_see_all_and_type_nothing(stage: Stage) -> None:
    ada = await stage.comes("ada")
    watchers = [await stage.comes(f"w{n}", Mode.WATCH) for n in range(5)]
    await watchers[0].types(b"rm -rf /\r")
    await watchers[0].heard("warning", code="WatchOnly")
    await ada.types(b"ls\r")
    for watcher in watchers:
        await watcher.sees(b"ls\r")
    assert stage.ports.last.typed == b"ls\r"
    await ada.heard("people", watchers=5)


async def test_a_returning_viewer_sees_each_byte_exactly_once(stage: Stage) -> None:
    bob = await stage.comes("bob", Mode.WATCH)
    stage.ports.last.listener.printed(b"0123456789")
    await bob.sees(b"0123456789")
    await bob.leave()
    stage.ports.last.listener.printed(b"abc")
    back = await stage.comes("bob2", Mode.WATCH, query=f"?epoch={bob.texts[0]['epoch']}&offset={bob.next}")
    stage.ports.last.listener.printed(b"def")
    await back.sees(b"abcdef")
    assert bytes(bob.bytes + back.bytes) == stage.epochs.printed() == b"0123456789abcdef"
    assert back.texts[0]["gap"] is False


async def stalls(stage: Stage, client: Client) -> None:
    """The VM prints until this client, which reads nothing, is slow."""
    client.connection.transport.pause_reading()
    runner = next(iter(stage.relay.runners.values()))
    viewer = runner._console.viewers
    while viewer and not any(each.stalled_at is not None for each in viewer.values()):
        stage.ports.last.listener.printed(b"x" * 65536)
        await asyncio.sleep(0)


async def test_a_watcher_that_stalls_is_cut_and_holds_nobody_up(stage: Stage) -> None:
    ada = await stage.comes("ada")
    bob = await stage.comes("bob", Mode.WATCH)
    await stalls(stage, bob)
    assert not stage.ports.last.paused
    await ada.types(b"still here")
    await ada.sees(b"still here")
    stage.clock.ahead += 11
    stage.relay.tick()
    await stage.until(lambda: [each[1] for each in stage.control_plane.detached] == ["SlowConsumer"])
    bob.connection.transport.resume_reading()


async def test_a_writer_that_stalls_holds_the_vm_until_it_reads_again(stage: Stage) -> None:
    ada = await stage.comes("ada")
    await stalls(stage, ada)
    assert stage.ports.last.paused
    ada.connection.transport.resume_reading()
    await stage.until(lambda: not stage.ports.last.paused)
    stage.ports.last.listener.printed(b"the end")
    await ada.sees(b"the end")
    assert stage.epochs.printed() == bytes(ada.bytes)


async def test_a_full_spool_pauses_the_vm_and_room_resumes_it(stage: Stage) -> None:
    ada = await stage.comes("ada")
    stage.epochs.on_full()
    await ada.heard("port", state="paused")
    assert stage.ports.last.paused
    stage.epochs.on_room()
    await ada.heard("port", state="open")
    assert not stage.ports.last.paused


async def test_a_console_opened_while_the_spool_is_full_waits_from_the_start(stage: Stage) -> None:
    stage.epochs.full = True
    await stage.comes("ada")
    assert stage.ports.last.paused


async def test_a_lost_port_is_dialled_again_under_a_new_epoch(stage: Stage) -> None:
    ada = await stage.comes("ada")
    stage.ports.last.listener.lost(False, "reset")  # noqa: FBT003 - the port's words
    await ada.heard("port", state="lost")
    await stage.until(lambda: len(ada.texts) > 2 and ada.texts[-1]["type"] == "hello")
    await ada.types(b"hi")
    await ada.sees(b"hi")
    hellos = [text["epoch"] for text in ada.texts if text["type"] == "hello"]
    assert len(set(hellos)) == len(stage.epochs.records) == 2
    assert stage.ports.dials == 2


async def test_a_vm_that_stopped_ends_the_session(stage: Stage) -> None:
    ada = await stage.comes("ada")
    stage.ports.refusal = refuse(Code.VM_NOT_RUNNING)
    stage.ports.last.listener.lost(False, "reset")  # noqa: FBT003 - the port's words
    assert await ada.closed() == (4005, "VmStopped")


async def test_a_port_that_stays_lost_is_given_up(stage: Stage) -> None:
    ada = await stage.comes("ada")
    stage.ports.refusal = refuse(Code.GATEWAY_TIMEOUT)
    stage.ports.last.listener.lost(False, "reset")  # noqa: FBT003 - the port's words
    await stage.until(lambda: stage.ports.dials == 2)
    stage.clock.ahead += REDIAL_SECONDS
    await stage.until(lambda: [line["event"] for line in stage.log][-1] == "port-refused")
    stage.relay.tick()
    assert await ada.closed() == (4006, "GatewayTimeout")


async def test_a_takeover_from_outside_is_told_apart(stage: Stage) -> None:
    ada = await stage.comes("ada")
    stage.ports.last.listener.lost(True, "another connection")  # noqa: FBT003 - the port's words
    assert await ada.closed() == (4010, "ExternalTakeover")


async def test_a_writer_who_types_nothing_is_warned_and_ended(stage: Stage) -> None:
    ada = await stage.comes("ada")
    stage.clock.ahead += 800
    stage.relay.tick()
    await ada.heard("limit", kind="idle", secondsLeft=120)
    stage.clock.ahead += 100
    stage.relay.tick()
    assert await ada.closed() == (4002, "IdleTimeout")


async def test_the_function_apps_heartbeat_ends_sessions_and_its_silence_does_not(stage: Stage) -> None:
    ada = await stage.comes("ada")
    stage.control_plane.away = True
    await stage.relay.heartbeat.beat()
    assert stage.relay.heartbeat.failures == 1
    await ada.types(b"x")
    await ada.sees(b"x")
    stage.control_plane.away = False
    stage.control_plane.endings = [("ada", "AccessRevoked", "Alan"), ("nobody", "SomethingNew", "")]
    await stage.relay.heartbeat.beat()
    assert await ada.closed() == (4004, "AccessRevoked")
    assert [grant.session for grant in stage.control_plane.beats[-1]] == ["ada"]
    beats = len(stage.control_plane.beats)
    await stage.until(lambda: not stage.relay.grants)
    for _ in range(3):
        await stage.relay.heartbeat.beat()
    assert stage.control_plane.beats[beats:] == [()], "that nobody is left is told once"


async def test_the_port_closes_when_nobody_came_back(stage: Stage) -> None:
    ada = await stage.comes("ada")
    await ada.leave()
    await stage.until(lambda: stage.control_plane.detached)
    stage.relay.tick()
    assert not stage.ports.last.closed
    stage.clock.ahead += 21
    stage.relay.tick()
    await stage.until(lambda: stage.ports.last.closed)
    await stage.until(lambda: stage.epochs.notes()[-1] == "end")
    stage.relay.tick()
    assert not stage.relay.runners


async def test_draining_tells_everyone_and_ends_every_epoch(stage: Stage) -> None:
    ada, bob = await stage.comes("ada"), await stage.comes("bob", Mode.WATCH)
    await stage.relay.drain()
    assert await ada.closed() == await bob.closed() == (4009, "RelayDraining")
    assert stage.epochs.notes()[-1] == "end"
    assert stage.ports.last.closed
    assert stage.epochs.closed
    assert {each[0] for each in stage.control_plane.detached} == {"ada", "bob"}


@pytest.mark.parametrize("said", ["nonsense", '{"type":"typed"}', '"x"', "x" * 5000])
async def test_text_that_is_not_ours_closes_the_session(stage: Stage, said: str) -> None:
    ada = await stage.comes("ada")
    await ada.connection.send(said)
    assert await ada.closed() == (4400, "InvalidRequest")
    await stage.until(lambda: [each[1] for each in stage.control_plane.detached] == ["InvalidRequest"])


async def test_a_frame_above_64_kib_is_too_big(stage: Stage) -> None:
    ada = await stage.comes("ada")
    await ada.types(b"x" * 65536)
    await stage.until(lambda: len(stage.ports.last.typed) == 65536)
    await ada.types(b"x" * 65537)
    assert (await ada.closed())[0] == 1009
    await stage.until(lambda: stage.control_plane.detached)


async def test_fragments_are_put_together(stage: Stage) -> None:
    ada = await stage.comes("ada")
    await ada.connection.send([b"l", b"s", b"\r"])
    await ada.sees(b"ls\r")
    asking = asyncio.create_task(stage.relay.ask(stage.grant("x").vm, 1, "Grace", 20))
    ask = (await ada.heard("ask"))["ask"]
    await ada.connection.send(['{"type":"answer",', f'"ask":"{ask}","allow":false}}'])
    assert await asking is False


async def test_a_peer_that_shows_no_sign_of_life_is_cut(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = await stage.comes("ada")
    monkeypatch.setattr(listener, "PING_EVERY", 1)
    (viewer,) = stage.relay.viewers
    for _ in range(10):  # it answers every ping
        stage.relay.tick()
        await stage.until(lambda: not viewer._silent)
    ada.connection.transport.pause_reading()
    for _ in range(4):
        stage.relay.tick()
    await stage.until(lambda: stage.control_plane.detached == [("ada", "ConnectionLost", 0, 0)])
    ada.connection.transport.resume_reading()


async def test_a_source_that_prints_byte_by_byte_is_gathered_but_an_echo_is_not_held_back(stage: Stage) -> None:
    ada = await stage.comes("ada")
    text = bytes(range(200))
    for at in range(len(text)):
        stage.ports.last.listener.printed(text[at : at + 1])
    await ada.sees(text)
    records = len(stage.epochs.all())
    assert records < 30
    await ada.types(b"x")
    await stage.until(lambda: len(stage.epochs.all()) == records + 1)
    assert stage.epochs.printed() == text + b"x"


async def test_what_the_vm_prints_while_its_port_opens_is_not_lost(stage: Stage) -> None:
    ports = stage.ports
    opening = ports.open

    async def chatty(vm: object, listener: object) -> object:
        port = await opening(vm, listener)  # type: ignore[arg-type]  # handed through
        ports.last.listener.printed(b"early")
        return port

    ports.open = chatty  # type: ignore[method-assign, assignment]  # this VM talks at once
    ada = await stage.comes("ada")
    await ada.sees(b"early")


async def test_what_the_gateway_has_sent_is_recorded_before_the_relay_ends(stage: Stage) -> None:
    await stage.comes("ada")
    stage.ports.last.unread = b"the last words"
    await stage.relay.drain()
    assert stage.epochs.printed() == b"the last words"
    assert stage.epochs.said()[-1]["event"] == "end"


async def test_a_goodbye_that_fails_ends_the_epoch_all_the_same(stage: Stage) -> None:
    await stage.comes("ada")

    async def breaks() -> None:
        raise RuntimeError

    stage.ports.last.close = breaks  # type: ignore[method-assign]  # a port that breaks
    await stage.relay.drain()
    assert stage.epochs.notes()[-1] == "end"
    assert [line["error"] for line in stage.log if line["event"] == "fault"] == ["RuntimeError"]
    stage.log.clear()
