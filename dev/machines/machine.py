"""What the gateway asks of a machine, whatever it is made of. A machine owns its COM1: nobody else can open it."""

from enum import StrEnum
from typing import Protocol


class Kind(StrEnum):
    QEMU = "qemu"
    PTY = "pty"
    """Simulated: a script on a kernel pty. No evidence for anything a kernel or a boot does."""


class State(StrEnum):
    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"


class MachineError(Exception):
    """The machine could not be started, or is not running and so cannot do what was asked."""


class Observer(Protocol):
    """Who is told what a machine does. Called from the event loop; must not block."""

    def printed(self, data: bytes) -> None:
        """Bytes that left COM1: everything, in order, once."""

    def ended(self, reason: str) -> None:
        """The machine stopped, by itself or by request; all it printed has been told before."""


class Machine(Protocol):
    """One machine. Every method may be called in any state."""

    @property
    def kind(self) -> Kind: ...
    @property
    def state(self) -> State: ...
    @property
    def reason(self) -> str:
        """Why it stopped last; empty while it runs."""

    async def start(self) -> None:
        """Powers on; returns when COM1 is open, long before a login. Raises MachineError."""

    async def stop(self, grace: float = 10.0) -> None:
        """Presses the power button and gives the guest `grace` seconds (0: none), then pulls the plug."""

    async def type(self, data: bytes) -> None:
        """Sends bytes into COM1; returns when there is room for more. Dropped when it does not run."""

    async def reset(self) -> None:
        """Raises MachineError when it does not run; so do the next two."""

    async def nmi(self) -> None: ...

    async def sysrq(self, keys: str) -> None:
        """BREAK and the key on COM1, for each key in turn."""
