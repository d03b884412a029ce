from collections.abc import AsyncIterator

import pytest

from dev.demo import GUEST_PASSWORD
from dev.machines import test_pattern
from dev.machines.inventory import Spec
from dev.machines.machine import Kind, MachineError, State
from dev.machines.scripted import PtyMachine
from tests.dev.machines.screen import Screen


@pytest.fixture
def screen() -> Screen:
    return Screen()


@pytest.fixture
async def machine(screen: Screen) -> AsyncIterator[PtyMachine]:
    machine = PtyMachine(Spec("web-01"), screen)
    await machine.start()
    yield machine
    await machine.stop(grace=0)


async def log_in(machine: PtyMachine, screen: Screen, user: str) -> None:
    await screen.wait_for(b"login: ")
    await machine.type(f"{user}\r".encode())
    await screen.wait_for(b"Password: ")
    await machine.type(f"{GUEST_PASSWORD}\r".encode())
    await screen.wait_for(f"{user}@web-01:~".encode())


async def test_it_says_that_it_is_simulated(machine: PtyMachine, screen: Screen) -> None:
    await screen.wait_for(b"SIMULATED MACHINE")
    await screen.wait_for(b"web-01 (simulated)")
    assert machine.kind is Kind.PTY


async def test_the_demo_user_can_log_in_and_run_commands(machine: PtyMachine, screen: Screen) -> None:
    await log_in(machine, screen, "ops")
    await machine.type(b"id\r")
    await screen.wait_for(b"uid=1000(ops)")
    await machine.type(b"rm -rf /\r")
    await screen.wait_for(b"rm: not found")


async def test_a_password_is_not_echoed(machine: PtyMachine, screen: Screen) -> None:
    await log_in(machine, screen, "root")
    typed = bytes(screen.seen).split(b"Password: ")[1]
    assert GUEST_PASSWORD.encode() not in typed.split(b"root@")[0]


async def test_its_known_stream_arrives_byte_for_byte(machine: PtyMachine, screen: Screen) -> None:
    await log_in(machine, screen, "ops")
    await machine.type(b"say-hash 300 5\r")
    await screen.wait_for(test_pattern.transcript(300, 5))


async def test_reset_and_reboot_bring_the_login_back(machine: PtyMachine, screen: Screen) -> None:
    await screen.wait_for(b"login: ")
    await machine.reset()
    await log_in(machine, screen, "root")
    await machine.type(b"reboot\r")
    await screen.wait_for(b"Restarting system")
    await screen.wait_for(b"login: ")
    assert screen.endings == []


async def test_powering_off_from_inside_stops_it(machine: PtyMachine, screen: Screen) -> None:
    await log_in(machine, screen, "root")
    await machine.type(b"poweroff\r")
    assert await screen.wait_for_end() == "powered off"
    assert machine.state is State.STOPPED


async def test_nmi_and_sysrq_print_what_a_kernel_would(machine: PtyMachine, screen: Screen) -> None:
    await machine.nmi()
    await screen.wait_for(b"NMI received")
    await machine.sysrq("h")
    await screen.wait_for(b"sysrq: HELP")


async def test_a_stopped_machine_refuses_commands_and_can_be_started_again(machine: PtyMachine, screen: Screen) -> None:
    await machine.stop()
    with pytest.raises(MachineError, match="stopped"):
        await machine.nmi()
    await machine.type(b"lost\r")
    await machine.start()
    await screen.wait_for(b"login: ")


async def test_stopping_during_a_reset_stops_it(machine: PtyMachine) -> None:
    await machine.reset()
    await machine.stop(grace=0)
    assert machine.state is State.STOPPED


async def test_with_ssh_keys_only_nobody_can_log_in(screen: Screen) -> None:
    machine = PtyMachine(Spec("web-04", keys_only=True), screen)
    await machine.start()
    try:
        await screen.wait_for(b"SSH keys only")
        await screen.wait_for(b"login: ")
        await machine.type(b"root\r")
        await screen.wait_for(b"Password: ")
        await machine.type(f"{GUEST_PASSWORD}\r".encode())
        await screen.wait_for(b"Login incorrect")
    finally:
        await machine.stop(grace=0)
