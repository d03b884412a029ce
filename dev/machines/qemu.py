"""A real machine: QEMU, its COM1 and its control protocol on socket pairs that only this process holds.

Socket pairs leave nothing in the file system: no path limit, nothing to clean up, and no second client on COM1.
"""

import asyncio
import socket

from dev.machines.com1 import Com1
from dev.machines.die_with_parent import leashed
from dev.machines.images import Images
from dev.machines.inventory import Spec
from dev.machines.machine import Kind, MachineError, Observer, State
from dev.machines.packages import QEMU
from dev.machines.qmp import Qmp

MEMORY = "128M"
APPEND = (
    "console=ttyS0,115200n8 loglevel=4 nokaslr mitigations=off random.trust_cpu=on no_timer_check "
    "cryptomgr.notests panic=0"
)
LAST_BYTES = 0.2
"""Seconds that QEMU is left to hand over what the guest printed last."""
QUIT = 2.0
"""Seconds that QEMU has to quit before it is killed."""
BETWEEN_KEYS = 0.05
"""Seconds between SysRq keys: the UART remembers one BREAK, not which byte it came before."""


class QemuMachine:
    """Boots the images with the guest named as `spec` says. `extra` is added to the kernel's command line."""

    kind = Kind.QEMU

    def __init__(self, spec: Spec, images: Images, observer: Observer, *, accel: str = "tcg", extra: str = "") -> None:
        self._spec, self._images, self._observer = spec, images, observer
        self._accel, self._extra = accel, extra
        self.state = State.STOPPED
        self.reason = "never started"
        self._over = asyncio.Event()
        self._end: asyncio.Task[None] | None = None

    async def start(self) -> None:
        if self.state is not State.STOPPED:
            return
        self.state, self.reason = State.STARTING, ""
        self._over.clear()
        com1, qmp = await self._spawn()
        loop = asyncio.get_running_loop()
        _, self._com1 = await loop.create_unix_connection(lambda: Com1(self._observer.printed), sock=com1)
        self._end = asyncio.create_task(self._await_end())
        try:
            self._qmp = await Qmp.open(qmp)
        except MachineError as broken:
            await self._over.wait()
            raise MachineError(self.reason) from broken
        self.state = State.RUNNING

    async def stop(self, grace: float = 10.0) -> None:
        if self.state is State.STOPPED:
            return
        if grace and self.state is State.RUNNING:
            await self._press_power_button(grace)
        if not self._over.is_set():
            await asyncio.sleep(LAST_BYTES)
            await self._quit()

    async def type(self, data: bytes) -> None:
        if self.state is State.RUNNING:
            await self._com1.type(data)

    async def reset(self) -> None:
        await self._control().run("system_reset")

    async def nmi(self) -> None:
        await self._control().run("inject-nmi")

    async def sysrq(self, keys: str) -> None:
        for key in keys:
            await self._control().run("chardev-send-break", id="com1")
            await self.type(key.encode())
            await asyncio.sleep(BETWEEN_KEYS)

    def _control(self) -> Qmp:
        if self.state is not State.RUNNING:
            raise MachineError(f"{self._spec.name} is {self.state}")
        return self._qmp

    async def _spawn(self) -> tuple[socket.socket, socket.socket]:
        """Starts QEMU; returns our ends of COM1 and QMP."""
        (com1, their_com1), (qmp, their_qmp) = socket.socketpair(), socket.socketpair()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *leashed(self._command(their_com1.fileno(), their_qmp.fileno())),
                pass_fds=(their_com1.fileno(), their_qmp.fileno()),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
        except BaseException as broken:
            com1.close()
            qmp.close()
            self.state, self.reason = State.STOPPED, str(broken)
            if isinstance(broken, OSError):
                raise MachineError(self.reason) from broken
            raise
        finally:
            their_com1.close()
            their_qmp.close()
        return com1, qmp

    @property
    def _log(self) -> str:
        """QEMU's own log of COM1, of this power-on: a second witness. Under load it logs a byte twice."""
        return str(self._images.folder / f"{self._spec.name}.qemu.log").replace(",", ",,")

    def _command(self, com1: int, qmp: int) -> list[str]:
        words = [f"host={self._spec.name}", "keys=only" if self._spec.keys_only else "", self._extra]
        append = " ".join([APPEND, *filter(None, words)])
        machine = f"-machine pc -accel {self._accel} -cpu qemu64 -smp 1 -m {MEMORY} -nodefaults -no-user-config"
        return [
            *(QEMU, "-name", self._spec.name, *machine.split(), "-display", "none"),
            *("-kernel", str(self._images.kernel), "-initrd", str(self._images.initrd), "-append", append),
            *("-chardev", f"socket,id=com1,fd={com1},logfile={self._log},logappend=off", "-serial", "chardev:com1"),
            *("-chardev", f"socket,id=qmp,fd={qmp}", "-mon", "chardev=qmp,mode=control"),
        ]

    async def _press_power_button(self, grace: float) -> None:
        try:
            async with asyncio.timeout(grace):
                await self._qmp.run("system_powerdown")
                await self._over.wait()
        except (TimeoutError, MachineError):
            return  # a guest that hangs, or has just ended: the plug is next

    async def _quit(self) -> None:
        self._process.terminate()
        try:
            async with asyncio.timeout(QUIT):
                await self._over.wait()
        except TimeoutError:
            self._process.kill()
            await self._over.wait()

    async def _await_end(self) -> None:
        """Follows QEMU to its end; the observer hears of it when the last byte of COM1 has been read."""
        assert self._process.stderr is not None  # noqa: S101 - asked for above; narrows the type
        complaint = await self._process.stderr.read()
        code = await self._process.wait()
        await self._com1.ended.wait()
        if self.state is State.RUNNING:
            self._qmp.close()
        self.state, self.reason = State.STOPPED, _reason(code, complaint)
        self._over.set()
        self._observer.ended(self.reason)


def _reason(code: int, complaint: bytes) -> str:
    lines = complaint.decode(errors="replace").strip().splitlines()
    if code == 0:
        return "powered off"
    return lines[-1] if lines else f"QEMU ended with {code}"
