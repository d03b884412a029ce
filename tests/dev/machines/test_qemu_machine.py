"""Real guests, one at a time."""

import asyncio
import dataclasses
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from dev.demo import GUEST_PASSWORD
from dev.machines import test_pattern
from dev.machines.images import Images
from dev.machines.inventory import Spec
from dev.machines.machine import MachineError, State
from dev.machines.qemu import QemuMachine
from tests.dev.machines.screen import Screen
from tests.patience import PATIENCE

pytestmark = pytest.mark.qemu

type Boot = Callable[..., Awaitable[tuple[QemuMachine, Screen]]]


@pytest.fixture
async def boot(built: Images) -> AsyncIterator[Boot]:
    """Boots machines for one test; whatever still runs at its end is stopped."""
    machines: list[QemuMachine] = []

    async def start(spec: Spec, **options: str) -> tuple[QemuMachine, Screen]:
        screen = Screen()
        machine = QemuMachine(spec, built, screen, **options)
        machines.append(machine)
        await machine.start()
        return machine, screen

    yield start
    for machine in machines:
        await machine.stop(grace=0)


async def log_in(machine: QemuMachine, screen: Screen, user: str, prompt: str) -> None:
    await screen.wait_for(b"login: ")
    await machine.type(f"{user}\r".encode())
    await screen.wait_for(b"Password: ")
    await machine.type(f"{GUEST_PASSWORD}\r".encode())
    await screen.wait_for(prompt.encode())


async def test_a_guest_boots_prints_exactly_and_obeys_its_port(boot: Boot) -> None:
    machine, screen = await boot(Spec("web-01"))
    await screen.wait_for(b"web-01: demo machine. Log in as ops")
    await log_in(machine, screen, "ops", "ops@web-01:~$ ")
    await machine.type(b"say-hash 500 11\r")
    await screen.wait_for(test_pattern.transcript(500, 11))
    await machine.sysrq("h")
    await screen.wait_for(b"sysrq: HELP")
    await machine.nmi()
    await screen.wait_for(b"NMI received")
    await machine.reset()
    await log_in(machine, screen, "root", "root@web-01:~# ")
    await machine.type(b"reboot\r")
    await screen.wait_for(b"Restarting system")
    await screen.wait_for(b"login: ")
    await machine.stop(grace=20)
    assert await screen.wait_for_end() == "powered off"
    assert b"Power button pressed" in screen.seen
    assert screen.seen.endswith(b"reboot: Power down\r\n")


async def test_with_ssh_keys_only_nobody_can_log_in(boot: Boot) -> None:
    machine, screen = await boot(Spec("web-04", keys_only=True))
    await screen.wait_for(b"web-04: SSH keys only")
    await log_in(machine, screen, "root", "Login incorrect")


async def test_a_broken_fstab_is_repaired_from_the_emergency_shell(boot: Boot) -> None:
    machine, screen = await boot(Spec("web-01"), extra="fstab=broken")
    await screen.wait_for(b"You are in emergency mode")
    await screen.wait_for(b"root password")
    await machine.type(f"{GUEST_PASSWORD}\r".encode())
    await screen.wait_for(b"# ")
    await machine.type(b"sed -i /0badc0de/d /etc/fstab; exit\r")
    await log_in(machine, screen, "ops", "ops@web-01:~$ ")


async def test_a_qemu_that_dies_leaves_the_machine_stopped_with_the_reason(built: Images, tmp_path: Path) -> None:
    shutil.copy(built.kernel, tmp_path)
    machine = QemuMachine(Spec("web-01"), dataclasses.replace(built, folder=tmp_path), Screen())
    with pytest.raises(MachineError, match=r"initrd\.cpio"):
        await machine.start()
    assert machine.state is State.STOPPED
    assert "initrd.cpio" in machine.reason


async def test_a_machine_that_is_killed_says_so(boot: Boot) -> None:
    machine, screen = await boot(Spec("web-01"))
    machine._process.kill()
    assert "-9" in await screen.wait_for_end()
    with pytest.raises(MachineError, match="stopped"):
        await asyncio.wait_for(machine.nmi(), PATIENCE)
