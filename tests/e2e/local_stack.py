"""The whole product as `make up` starts it, on ports of its own, for tests."""

import os
import re
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from dev.demo import VirtualMachine
from dev.stack import ROOT, Port, Stack
from tests.patience import PATIENCE
from tests.ports import reserve_run


class LocalStack:
    """`python -m dev.up` as a child process; `stop` is Ctrl-C."""

    def __init__(self, home: Path, hub_pace: float = 0.1, /, **settings: str) -> None:
        """`settings` are of the function app and the relay, beside those that the stack gives them."""
        self.stack = Stack(reserve_run(), home)
        self.address = self.stack.http(Port.FRONT_DOOR)
        _lend_images(home)
        self.output = home / "up.log"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dev.up", "--base", str(self.stack.base), "--home", str(home), "--no-prepare",
                 "--hub-pace", str(hub_pace)],
                cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                env=hub_in_memory() | settings,
            )  # fmt: skip

    def wait_until_up(self) -> None:
        def up() -> bool:
            assert self.process.poll() is None, self.said()
            return "Serial console:" in self.said()

        until(up, "the stack is up", said=self.said)

    def stop(self) -> int:
        """The exit status after Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE)

    def said(self) -> str:
        return self.output.read_text(errors="replace")

    def log(self, part: str) -> str:
        return (self.stack.home / "logs" / f"{part}.log").read_text(errors="replace")

    def logs(self) -> dict[str, str]:
        return {path.stem: path.read_text(errors="replace") for path in (self.stack.home / "logs").iterdir()}

    def pid(self, part: str) -> int:
        return int((self.stack.home / "run" / f"{part}.pid").read_text())

    def kill(self, part: str) -> None:
        """kill -9, then wait until the supervisor has started it again and the API finds everything healthy."""
        self.restart(part)
        until(self.healthy, f"all is healthy after {part} was killed", said=self.said)

    def restart(self, part: str) -> None:
        """kill -9, then wait until the supervisor has started it again."""
        before = self.pid(part)
        os.kill(before, signal.SIGKILL)
        until(lambda: self.pid(part) != before, f"{part} is started again", said=self.said)

    def freeze(self, part: str) -> None:
        os.kill(self.pid(part), signal.SIGSTOP)

    def thaw(self, part: str) -> None:
        os.kill(self.pid(part), signal.SIGCONT)

    def printed(self, vm: VirtualMachine) -> bytes:
        """The witness: what the gateway read from the machine's COM1, written before anybody else saw it."""
        return (self.stack.home / "machines" / f"{vm.name}.printed").read_bytes()

    def logged_by_qemu(self, vm: VirtualMachine) -> bytes:
        """A second witness, of QEMU itself; it may hold a byte twice, so compare by `once`."""
        return (self.stack.home / "machines" / f"{vm.name}.qemu.log").read_bytes()

    def gateway(self, vm: VirtualMachine, act: str, **body: Any) -> None:
        address = f"{self.stack.http(Port.GATEWAY_CONTROL)}/machines/{vm.name}/{act}"
        httpx.post(address, json=body, timeout=PATIENCE).raise_for_status()

    def lift_throttle(self) -> None:
        """Lets ARM be asked without a limit: a stack whose answers are not kept asks more than any deployment does."""
        arm = self.stack.https(Port.ARM)
        trust = ssl.create_default_context(cafile=str(self.stack.ca))
        httpx.post(f"{arm}/admin/throttle", json={"scale": None}, verify=trust, timeout=PATIENCE).raise_for_status()

    def healthy(self) -> bool:
        """Whether the API answers and calls each of its dependencies healthy."""
        return httpx.get(f"{self.address}/api/health", timeout=PATIENCE).status_code == httpx.codes.OK


def hub_in_memory() -> dict[str, str]:
    """The environment of a stack. Faults freeze and kill its storage, which is the task hub's too where Microsoft's
    engine runs (HOST_PARTS): a host does not start then, and a lock is away for half a minute. tests/functions tries
    the lock on that engine.
    """
    return {name: value for name, value in os.environ.items() if name != "HOST_PARTS"}


def once(data: bytes) -> bytes:
    """Runs of equal bytes as one: what is left of a log that doubles some."""
    return re.sub(rb"(.)\1+", rb"\1", data, flags=re.DOTALL)


def recorded_as(kept: bytes, printed: bytes) -> bool:
    """Whether all that was printed is kept, but for what a policy masks."""
    return len(kept) == len(printed) and all(one in (other, ord("*")) for one, other in zip(kept, printed, strict=True))


def until(holds: Callable[[], bool], what: str, patience: float = PATIENCE, said: Callable[[], str] = str) -> None:
    """Waits for a condition; the time is only there to end a test that would hang."""
    deadline = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < deadline, f"never: {what}\n{said()}"
        time.sleep(0.05)


def _lend_images(home: Path) -> None:
    """The machines' images, built once for the developer's own stack."""
    (home / "machines").mkdir(parents=True, exist_ok=True)
    for name in ("vmlinux", "initrd.cpio", "recipe"):
        if (built := ROOT / ".local/machines" / name).exists():
            os.link(built, home / "machines" / name)
