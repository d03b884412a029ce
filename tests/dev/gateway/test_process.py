"""The gateway as the supervisor starts it: one process with the machines below it."""

import asyncio
import json
import os
import shutil
import signal
import ssl
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from websockets.asyncio.client import ClientConnection

from dev.demo import GUEST_PASSWORD
from dev.gateway.service import running
from dev.machines import test_pattern
from dev.machines.inventory import Boot, Spec
from dev.machines.machine import Kind
from dev.machines.machine_factory import open_workshop
from dev.machines.packages import QEMU
from dev.stack import ROOT, Port, Stack
from tests.dev.gateway.conftest import Bench, check, read
from tests.patience import PATIENCE
from tests.ports import reserve_run

DIALOGUE = ((b"login: ", "ops\r"), (b"Password: ", f"{GUEST_PASSWORD}\r"), (b"$ ", "say-hash 1000 42\r"))


async def read_until(socket: ClientConnection, expected: bytes) -> bytes:
    """What the console prints, up to the frame that completes `expected`."""
    seen = b""
    async with asyncio.timeout(PATIENCE):
        while expected not in seen:
            seen += await read(socket, 1)
    return seen


def machines(stack: Stack) -> list[dict[str, object]]:
    with urllib.request.urlopen(f"{stack.http(Port.GATEWAY_CONTROL)}/machines", timeout=PATIENCE) as answer:  # noqa: S310 - our own http address
        found: list[dict[str, object]] = json.load(answer)
        return found


def children(parent: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def until(condition: Callable[[], bool], limit: float = PATIENCE) -> None:
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.02)


def both_eager_ones_run(stack: Stack) -> bool:
    try:
        return sum(one["state"] == "running" for one in machines(stack)) == 2
    except OSError:
        return False


@asynccontextmanager
async def gateway(home: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, Stack]]:
    """A gateway process over simulated machines, up to its two eager ones."""
    stack = Stack(reserve_run(), home)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "dev.gateway", "--base", str(stack.base), "--home", str(home)),
        cwd=ROOT,
        env={**os.environ, "CONSOLE_MACHINES": "pty"},
    )
    try:
        await until(lambda: both_eager_ones_run(stack))
        yield process, stack
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_it_boots_the_eager_machines_and_ends_cleanly_on_sigterm(tmp_path: Path) -> None:
    async with gateway(tmp_path) as (process, stack):
        states = {str(one["name"]): one["state"] for one in machines(stack)}
        below = children(process.pid)
        process.terminate()
        assert await asyncio.wait_for(process.wait(), PATIENCE) == 0
    assert states["web-01"] == states["db-01"] == "running"
    assert states["web-02"] == states["workers_0"] == "stopped"
    assert below
    assert not any(alive(pid) for pid in below)
    assert b"SIMULATED MACHINE" in (tmp_path / "machines" / "web-01.printed").read_bytes()


async def test_a_gateway_that_is_killed_takes_its_machines_along(tmp_path: Path) -> None:
    async with gateway(tmp_path) as (process, _):
        below = children(process.pid)
        process.send_signal(signal.SIGKILL)
        await process.wait()
    assert below
    await until(lambda: not any(alive(pid) for pid in below))


@pytest.mark.qemu
async def test_a_real_guests_stream_is_the_same_on_the_wire_and_in_the_witness(
    tmp_path: Path, certificate: ssl.SSLContext, trust: ssl.SSLContext
) -> None:
    if shutil.which(QEMU) is None:
        pytest.skip("no QEMU here: python -m dev.machines build")
    workshop = open_workshop(Stack().home, print, {})
    specs = [Spec("web-01", Boot.WITH_THE_STACK)]
    async with running(specs, workshop, tmp_path, check, certificate) as serving:
        console = serving.consoles["web-01"]
        if console.machine.kind is not Kind.QEMU:
            pytest.skip("no real machine can be had here")
        await asyncio.wait_for(console.greeted.wait(), PATIENCE)
        async with aiohttp.ClientSession() as http, Bench(serving, {}, trust, tmp_path, http).connected() as socket:
            seen = b""
            for expected, answer in DIALOGUE:
                seen += await read_until(socket, expected)
                await socket.send(answer)
            seen += await read_until(socket, test_pattern.transcript(1000, 42))
    assert (tmp_path / "web-01.printed").read_bytes().startswith(seen)
