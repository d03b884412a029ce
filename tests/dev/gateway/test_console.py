"""What waits for whom, without a network."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.gateway import console as module
from dev.gateway.behaviour import Behaviour
from dev.gateway.console import Console, Fault
from dev.gateway.witness import Witness
from dev.machines.inventory import Boot, Spec
from dev.machines.machine import MachineError, State
from tests.dev.gateway.conftest import FakeMachine

KEEPS = Behaviour(replay_bytes=0)


class Watcher:
    """A client that only notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def wake(self) -> None:
        self.told.append("wake")

    def displace(self) -> None:
        self.told.append("displace")

    def maintain(self) -> None:
        self.told.append("maintain")

    def finish(self) -> None:
        self.told.append("finish")

    def abort(self) -> None:
        self.told.append("abort")


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[Witness]:
    witness = Witness(tmp_path / "printed")
    yield witness
    witness.close()


@pytest.fixture
def console(witness: Witness) -> Console:
    return Console(Spec("web-01"), FakeMachine, witness)


def test_a_byte_is_witnessed_before_anybody_can_take_it(console: Console, tmp_path: Path) -> None:
    seen: list[bytes] = []

    class Peeking(Watcher):
        def wake(self) -> None:
            seen.append((tmp_path / "printed").read_bytes())

    console.attach(Peeking())
    console.printed(b"abc")
    assert seen == [b"", b"abc"]


def test_only_the_attached_client_can_take_and_where_nothing_is_replayed_each_byte_once(console: Console) -> None:
    console.behaviour = KEEPS
    first, second = Watcher(), Watcher()
    console.attach(first)
    console.printed(b"abcdef")
    assert console.take(first, 4) == b"abcd"
    console.attach(second)
    assert console.take(first, 4) == b""
    assert console.take(second, 4) == b"ef"
    assert console.take(second, 4) == b""
    assert first.told == ["wake", "wake", "displace"]


def test_a_displaced_client_that_leaves_does_not_take_the_port_along(console: Console) -> None:
    first, second = Watcher(), Watcher()
    console.attach(first)
    console.attach(second)
    console.detach(first)
    assert console.client is second


def test_with_nobody_connected_the_oldest_bytes_go_first_and_the_loss_is_logged(
    console: Console, caplog: pytest.LogCaptureFixture
) -> None:
    console.behaviour = KEEPS
    console.printed(b"x" * 10)
    console.printed(b"y" * module.WAITING_LIMIT)
    watcher = Watcher()
    console.attach(watcher)
    assert console.take(watcher, module.WAITING_LIMIT + 10) == b"y" * module.WAITING_LIMIT
    assert "dropped the oldest 10 bytes" in caplog.text


def test_a_client_that_stalls_is_let_go(console: Console) -> None:
    watcher = Watcher()
    console.attach(watcher)
    console.printed(b"x" * module.WAITING_LIMIT)
    assert "abort" not in watcher.told
    console.printed(b"y")
    assert "abort" in watcher.told


def test_a_client_is_told_when_the_machine_ends(console: Console) -> None:
    watcher = Watcher()
    console.attach(watcher)
    console.ended("powered off")
    assert watcher.told[-1] == "finish"


def test_a_login_is_noticed_even_when_it_comes_in_pieces(console: Console) -> None:
    console.printed(b"web-01 log")
    assert not console.greeted.is_set()
    console.printed(b"in: ")
    assert console.greeted.is_set()


async def test_a_machine_stopped_by_request_is_not_booted_by_a_client(console: Console) -> None:
    await console.start_for_a_client()
    await console.stop(grace=0)
    with pytest.raises(MachineError, match="stopped"):
        await console.start_for_a_client()


async def test_a_deallocated_machine_takes_clients_once_it_was_started(witness: Witness) -> None:
    console = Console(Spec("web-02", Boot.ON_REQUEST), FakeMachine, witness)
    await console.start()
    await console.start_for_a_client()
    assert console.machine.state is State.RUNNING


def test_restoring_a_port_wakes_its_client(console: Console) -> None:
    watcher = Watcher()
    console.attach(watcher)
    console.inject(Fault.STALL)
    console.printed(b"abc")
    assert console.take(watcher, 3) == b""
    watcher.told.clear()
    console.inject(Fault.RESTORE)
    assert watcher.told == ["wake"]
    assert console.take(watcher, 3) == b"abc"


def test_a_replay_holds_what_it_holds_over_a_stop_and_a_start_and_no_more_than_the_log(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOG_BYTES", 4)
    console.behaviour = Behaviour(replay_bytes=6)
    console.printed(b"abcdefghij")
    console.ended("powered off")
    watcher = Watcher()
    console.attach(watcher)
    assert console.take(watcher, 100) == b"ghij"
