"""One machine's COM1 as the gateway sees it: every byte is witnessed, then waits for exactly one client.

A byte leaves `waiting` only when it is handed to the connected client's socket. What a dying socket still held is lost
with it, as on the real service. Whoever connects is shown the end of the boot log first where the port replays
(behaviour.py), with what was printed meanwhile in it as far as it reaches; else what no socket has taken yet.
"""

import asyncio
import logging
from enum import StrEnum
from typing import Protocol

from dev.gateway.behaviour import Second
from dev.gateway.witness import Witness
from dev.machines.inventory import Boot, Spec
from dev.machines.machine import MachineError, State
from dev.machines.machine_factory import Workshop

log = logging.getLogger(__name__)

WAITING_LIMIT = 4 * 1024 * 1024
"""Bytes kept for a client. Beyond, a connected one has stalled and is let go; with nobody there the oldest go."""
LOG_BYTES = 1024 * 1024
"""Of the boot log that are kept, and so the most that can be replayed."""
LOGIN = b"login: "


class Fault(StrEnum):
    """What a test may do to a port; `close`, `maintain` and `restore` are moments, the others last until `restore`."""

    CLOSE = "close"
    REFUSE = "refuse"
    STALL = "stall"
    MAINTAIN = "maintain"
    RESTORE = "restore"


class Attached(Protocol):
    """The connected client, in the console's words."""

    def wake(self) -> None:
        """There is something to take."""

    def displace(self) -> None:
        """Somebody else connected."""

    def maintain(self) -> None:
        """The gateway needs to be without clients."""

    def finish(self) -> None:
        """Leave once everything waiting has been sent: the machine has stopped."""

    def abort(self) -> None:
        """Detach and leave at once, without a word."""


class Console:
    def __init__(self, spec: Spec, workshop: Workshop, witness: Witness) -> None:
        self.spec = spec
        self.machine = workshop(spec, self)
        self.witness = witness
        self.client: Attached | None = None
        self.refusing = False
        self.flowing = asyncio.Event()
        """Cleared while a test stalls the port."""
        self.flowing.set()
        self.greeted = asyncio.Event()
        """Set when the guest, since its last start, asked for a login or ended."""
        self.behaviour = spec.behaviour
        self._log = bytearray()
        """The end of everything printed, over starts and stops; it may grow to twice LOG_BYTES."""
        self._waiting = bytearray()
        self._last = b""
        self._power = asyncio.Lock()
        self._ever_started = False

    async def start(self) -> None:
        """Raises MachineError."""
        async with self._power:
            self._ever_started = True
            if self.machine.state is State.STOPPED:
                self.greeted.clear()
                await self.machine.start()

    async def stop(self, grace: float) -> None:
        async with self._power:
            await self.machine.stop(grace)

    async def start_for_a_client(self) -> None:
        """Boots a machine that waits for its first connection. Raises MachineError if it does not run after that."""
        if self.spec.boot is not Boot.ON_REQUEST and not self._ever_started:
            await self.start()
        if self.machine.state is State.STOPPED:
            raise MachineError(f"{self.spec.name} is stopped: {self.machine.reason}")

    @property
    def stopped(self) -> bool:
        """Off, and not to be booted by a connection."""
        booted = self._ever_started or self.spec.boot is Boot.ON_REQUEST
        return booted and self.machine.state is State.STOPPED

    @property
    def occupied(self) -> bool:
        """A second connection is refused now."""
        return self.client is not None and self.behaviour.second is Second.IS_REFUSED

    def attach(self, client: Attached) -> None:
        """The last connection wins."""
        if self.client is not None:
            self.client.displace()
        self.client = client
        if self.behaviour.replay_bytes:
            self._waiting = self._log[-min(self.behaviour.replay_bytes, LOG_BYTES) :]
        client.wake()

    def detach(self, client: Attached) -> None:
        if self.client is client:
            self.client = None

    def take(self, client: Attached, most: int) -> bytes:
        """The next bytes for `client` to put on its socket, now: nobody else will get them. Empty: none for it."""
        if self.client is not client or not self.flowing.is_set():
            return b""
        data = bytes(self._waiting[:most])
        del self._waiting[:most]
        return data

    def printed(self, data: bytes) -> None:
        self.witness.append(data)
        self._notice_login(data)
        self._log += data
        if len(self._log) > 2 * LOG_BYTES:
            del self._log[:-LOG_BYTES]
        self._waiting += data
        if self.client is not None and len(self._waiting) > WAITING_LIMIT:
            log.warning("%s: the client has stalled and is let go", self.spec.name)
            self.client.abort()
        if self.client is not None:
            self.client.wake()
        else:
            self._drop_oldest()

    def ended(self, reason: str) -> None:
        log.info("%s stopped: %s", self.spec.name, reason)
        self.greeted.set()
        if self.client is not None:
            self.client.finish()

    def inject(self, fault: Fault) -> None:
        match fault:
            case Fault.CLOSE:
                if self.client is not None:
                    self.client.abort()
            case Fault.MAINTAIN:
                if self.client is not None:
                    self.client.maintain()
            case Fault.REFUSE:
                self.refusing = True
            case Fault.STALL:
                self.flowing.clear()
            case Fault.RESTORE:
                self.refusing = False
                self.flowing.set()
                if self.client is not None:
                    self.client.wake()

    def _drop_oldest(self) -> None:
        excess = len(self._waiting) - WAITING_LIMIT
        if excess > 0:
            log.warning("%s: nobody is connected, dropped the oldest %d bytes", self.spec.name, excess)
            del self._waiting[:excess]

    def _notice_login(self, data: bytes) -> None:
        if not self.greeted.is_set():
            seen = self._last + data
            self._last = seen[-len(LOGIN) :]
            if LOGIN in seen:
                self.greeted.set()
