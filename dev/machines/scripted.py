"""The stand-in where QEMU cannot be had: a script on a kernel pty, with the manners of a machine.

Good for trying the console and the wire; no evidence for anything that a kernel or a boot does.
"""

import asyncio
import os
import sys

from dev.machines.die_with_parent import leashed
from dev.machines.inventory import Spec
from dev.machines.machine import Kind, MachineError, Observer, State
from dev.machines.script import POWER_OFF, REBOOT
from dev.stack import ROOT

ANSWERS = {
    "h": "HELP : loglevel(0-9) reboot(b) crash(c) show-memory-usage(m) sync(s) (simulated)",
    "b": "Resetting",
    "s": "Emergency Sync",
    "m": "Show Memory",
    "t": "Show State",
}


class PtyMachine:
    """A scripted machine; `stop` has nothing to wait for, whatever its grace."""

    kind = Kind.PTY

    def __init__(self, spec: Spec, observer: Observer) -> None:
        self._spec, self._observer = spec, observer
        self.state = State.STOPPED
        self.reason = "never started"
        self._restarting = self._stopping = False
        self._over = asyncio.Event()
        self._room = asyncio.Event()

    async def start(self) -> None:
        if self.state is not State.STOPPED:
            return
        self.state, self.reason = State.STARTING, ""
        self._over.clear()
        self._stopping = False
        await self._boot()

    async def stop(self, grace: float = 10.0) -> None:
        if self.state is State.STOPPED:
            return
        if grace:
            self._kernel("reboot: Power down")
        self._stopping = True
        self._kill()
        await self._over.wait()

    async def type(self, data: bytes) -> None:
        while data and self.state is State.RUNNING:
            try:
                data = data[os.write(self._pty, data) :]
            except BlockingIOError:
                await self._await_room()
            except OSError:
                return  # the script has just ended

    async def reset(self) -> None:
        self._must_run()
        self._restarting = True
        self._kill()

    async def nmi(self) -> None:
        self._must_run()
        self._kernel("Uhhuh. NMI received for unknown reason 30 on CPU 0.")

    async def sysrq(self, keys: str) -> None:
        for key in keys:
            self._must_run()
            self._kernel(f"sysrq: {ANSWERS.get(key, 'HELP : unknown key')}")
            if key == "b":
                await self.reset()

    async def _boot(self) -> None:
        self._pty, terminal = os.openpty()
        os.set_blocking(self._pty, False)
        command = [sys.executable, "-m", "dev.machines.script", self._spec.name]
        try:
            self._process = await asyncio.create_subprocess_exec(
                *leashed([*command, *(["--keys-only"] if self._spec.keys_only else [])]),
                stdin=terminal,
                stdout=terminal,
                stderr=terminal,
                start_new_session=True,
                cwd=ROOT,
            )
        except OSError as broken:
            os.close(self._pty)
            self.state, self.reason = State.STOPPED, str(broken)
            raise MachineError(self.reason) from broken
        finally:
            os.close(terminal)
        self.state = State.RUNNING
        self._hung_up = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._pty, self._read)
        self._end = asyncio.create_task(self._await_end())
        if self._stopping:  # asked for between two boots
            self._kill()

    def _read(self) -> None:
        try:
            data = os.read(self._pty, 65536)
        except BlockingIOError:
            return
        except OSError:  # EIO: the script's end is closed and all of it has been read
            data = b""
        if data:
            self._observer.printed(data)
        else:
            asyncio.get_running_loop().remove_reader(self._pty)
            self._hung_up.set()

    async def _await_room(self) -> None:
        """Waits until the tty takes more bytes, or its script ends."""
        self._room.clear()
        asyncio.get_running_loop().add_writer(self._pty, self._has_room)
        await self._room.wait()

    def _has_room(self) -> None:
        asyncio.get_running_loop().remove_writer(self._pty)
        self._room.set()

    async def _await_end(self) -> None:
        code = await self._process.wait()
        await self._hung_up.wait()
        self.state = State.STARTING
        self._has_room()
        os.close(self._pty)
        if (code == REBOOT or self._restarting) and not self._stopping:
            self._restarting = False
            await self._boot()
            return
        self.state = State.STOPPED
        self.reason = "powered off" if code == POWER_OFF or self._stopping else f"the script ended with {code}"
        self._over.set()
        self._observer.ended(self.reason)

    def _kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()

    def _kernel(self, text: str) -> None:
        """A line as a kernel would print it, past the tty."""
        self._observer.printed(f"\r\n[ simulated ] {text}\r\n".encode())

    def _must_run(self) -> None:
        if self.state is not State.RUNNING:
            raise MachineError(f"{self._spec.name} is {self.state}")
