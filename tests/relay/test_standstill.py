"""A disk that takes no record: for a moment it costs time and no byte; for too long, everybody goes."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from relay.console.output_coalescer import RUN
from relay.console.pending_writes import PENDING_WRITE_SECONDS
from shared.access.commands import Command
from shared.base.record import RecordKind
from shared.session.grant import Mode
from tests.relay.stage import VM, Stage, staged


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged() as on_it:
        yield on_it


def has_pending_writes(stage: Stage) -> bool:
    return stage.relay.runners[VM.console].has_pending_writes


async def test_a_disk_that_is_full_for_a_moment_costs_no_byte(stage: Stage) -> None:
    ada = await stage.comes("ada")
    stage.epochs.failing = True
    stage.ports.last.listener.printed(b"first, ")
    stage.ports.last.listener.printed(b"second, ")
    stage.passes(1)
    assert (stage.ports.last.paused, stage.epochs.printed(), bytes(ada.bytes)) == (True, b"", b"")
    stage.epochs.failing = False
    stage.passes(1)
    stage.ports.last.listener.printed(b"third")
    await ada.sees(b"first, second, third")
    assert stage.epochs.printed() == bytes(ada.bytes)
    assert not stage.ports.last.paused
    numbers = [record.seq for record in stage.epochs.all()]
    assert numbers == list(range(1, len(numbers) + 1))


async def test_a_disk_that_is_full_again_at_once_goes_on_where_it_was(stage: Stage) -> None:
    ada = await stage.comes("ada")
    stage.epochs.room_for = room = len(stage.epochs.all())
    for word in (b"one ", b"two ", b"three"):
        stage.ports.last.listener.printed(word)
    while has_pending_writes(stage):
        room += 1
        stage.epochs.room_for = room
        stage.passes(0.1)
    await ada.sees(b"one two three")
    assert stage.epochs.printed() == b"one two three"


async def test_what_is_typed_while_nothing_can_be_recorded_is_typed_afterwards(stage: Stage) -> None:
    ada = await stage.comes("ada")
    stage.epochs.failing = True
    stage.ports.last.listener.printed(b"$ ")
    await ada.types(b"ls")
    await stage.until(lambda: stage.relay.runners[VM.console]._console.viewers["ada"].typed)
    assert not stage.ports.last.typed
    stage.epochs.failing = False
    stage.passes(1)
    await ada.sees(b"$ ls")


async def test_a_disk_that_stays_full_closes_the_console_and_shows_nothing_of_it(stage: Stage) -> None:
    ada = await stage.comes("ada")
    stage.epochs.failing = True
    stage.ports.last.listener.printed(b"unrecorded")
    stage.passes(PENDING_WRITE_SECONDS - 1)
    assert not stage.ports.last.closed
    stage.passes(1)
    assert await ada.closed() == (4007, "AuditUnavailable")
    assert not ada.bytes
    await stage.until(lambda: stage.ports.last.closed)
    await stage.until(lambda: stage.control_plane.detached)
    assert not stage.relay.runners
    assert stage.epochs.notes()[-2:] == ["record-failed", "end"]


async def test_what_was_given_up_takes_nothing_more_though_its_end_fills_the_spool(stage: Stage) -> None:
    await stage.comes("ada")

    def full() -> None:
        stage.epochs.failing = False
        stage.epochs.on_full()

    stage.epochs.on_end = full
    stage.epochs.failing = True
    for _ in range(2 * RUN):  # the last of them are gathered
        stage.ports.last.listener.printed(b"x")
    stage.passes(PENDING_WRITE_SECONDS)
    records = stage.epochs.all()
    assert [record.seq for record in records] == list(range(1, len(records) + 1))
    assert stage.epochs.notes()[-2:] == ["record-failed", "end"]
    assert not stage.epochs.printed()


async def test_after_it_was_given_up_a_console_opens_again(stage: Stage) -> None:
    ada = await stage.comes("ada")
    stage.epochs.failing = True
    stage.ports.last.listener.printed(b"unrecorded")
    stage.passes(PENDING_WRITE_SECONDS)
    await ada.closed()
    stage.epochs.failing = False
    bob = await stage.comes("bob", generation=2)
    stage.ports.last.listener.printed(b"recorded")
    await bob.sees(b"recorded")
    assert stage.epochs.printed() == b"recorded"


async def test_a_console_that_opens_while_the_disk_is_full_waits_for_it(stage: Stage) -> None:
    stage.epochs.failing = True
    coming = asyncio.create_task(stage.comes("ada"))
    await stage.until(lambda: stage.ports.opened)
    stage.ports.last.listener.printed(b"login: ")
    assert not coming.done()
    stage.epochs.failing = False
    stage.passes(1)
    ada = await coming
    await ada.sees(b"login: ")
    assert stage.epochs.printed() == b"login: "


async def test_a_vm_that_waits_for_the_spool_too_waits_on(stage: Stage) -> None:
    await stage.comes("ada")
    stage.epochs.on_full()
    stage.epochs.failing = True
    stage.ports.last.listener.printed(b"on its way")
    stage.epochs.failing = False
    stage.passes(1)
    assert stage.ports.last.paused
    stage.epochs.on_room()
    assert not stage.ports.last.paused


async def test_an_act_waits_until_it_is_recorded(stage: Stage) -> None:
    await stage.comes("ada")
    stage.epochs.failing = True
    asked = asyncio.create_task(stage.relay.command(VM, Command.NMI, "", "Grace"))
    await stage.until(lambda: has_pending_writes(stage))
    assert not stage.ports.last.acts
    stage.epochs.failing = False
    stage.passes(1)
    assert await asked is None
    assert stage.ports.last.acts == [(Command.NMI, "")]
    assert stage.epochs.notes()[-1] == "command"


async def test_a_port_that_is_lost_meanwhile_is_lost_after_what_it_printed(stage: Stage) -> None:
    ada = await stage.comes("ada", Mode.WATCH)
    stage.epochs.failing = True
    stage.ports.last.listener.printed(b"last words")
    stage.ports.last.listener.lost(False, "reset")  # noqa: FBT003 - shared.console.ports.PortListener's words
    stage.epochs.failing = False
    stage.passes(1)
    await ada.sees(b"last words")
    await stage.until(lambda: stage.ports.dials > 1)
    said = [
        record.body if record.kind is RecordKind.PRINTED else record.said()["event"] for record in stage.epochs.all()
    ]
    assert said[2:4] == [b"last words", "port-lost"]


async def test_a_relay_that_is_told_to_end_waits_for_the_disk(stage: Stage) -> None:
    ada = await stage.comes("ada")
    stage.epochs.failing = True
    stage.ports.last.listener.printed(b"last words")
    ending = asyncio.create_task(stage.relay.drain())
    await stage.until(lambda: stage.relay.draining)
    assert not stage.epochs.closed
    stage.epochs.failing = False
    await ending
    assert stage.epochs.printed() == b"last words"
    assert stage.epochs.all()[-1].kind is RecordKind.END
    assert await ada.closed() == (4009, "RelayDraining")


async def test_goodbyes_wait_as_long_as_the_disk_may(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relay.server.CLOSE_SECONDS", 2.0)
    monkeypatch.setattr("relay.server.TICK_SECONDS", 0.05)
    ada = await stage.comes("ada")
    stage.epochs.failing = True
    stage.ports.last.listener.printed(b"last words")
    ending = asyncio.create_task(stage.relay.drain())
    await asyncio.sleep(2.5)
    assert not stage.epochs.closed
    stage.epochs.failing = False
    await ending
    assert stage.epochs.printed() == b"last words"
    assert stage.epochs.all()[-1].kind is RecordKind.END
    assert await ada.closed() == (4009, "RelayDraining")


async def test_a_port_that_says_goodbye_is_read_to_its_end_whatever_the_disk_does(stage: Stage) -> None:
    ada = await stage.comes("ada")
    port = stage.ports.last
    port.goodbye.clear()
    await ada.leave()
    await stage.until(lambda: stage.control_plane.detached)
    stage.clock.ahead += 61
    stage.relay.tick()
    await stage.until(lambda: port.closed)
    stage.epochs.failing = True
    port.listener.printed(b"last ")
    assert has_pending_writes(stage)
    assert not port.paused
    port.unread = b"words"
    port.goodbye.set()
    stage.epochs.failing = False
    await stage.until(lambda: not port.unread)
    stage.passes(1)
    await stage.until(lambda: stage.epochs.printed() == b"last words")


async def test_a_port_that_opens_meanwhile_waits_too(stage: Stage) -> None:
    await stage.comes("ada")
    stage.ports.gate.clear()
    stage.ports.last.listener.lost(False, "reset")  # noqa: FBT003 - shared.console.ports.PortListener's words
    await stage.until(lambda: stage.ports.dials > 1)
    stage.epochs.failing = True
    stage.relay.note(VM, Command.RESTART, "Grace")
    assert has_pending_writes(stage)
    stage.ports.gate.set()
    await stage.until(lambda: len(stage.ports.opened) > 1 and stage.relay.runners[VM.console].connection.connected)
    assert stage.ports.last.paused
    stage.epochs.failing = False
    stage.passes(1)
    assert not stage.ports.last.paused
