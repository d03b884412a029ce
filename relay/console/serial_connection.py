"""A console's way to its VM: dials the port, listens to it, types into it and lets go of it, as the bridge says."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from relay.console.output_coalescer import OutputCoalescer
from relay.console.recording_filter import RecordingFilter
from relay.dependencies import RelayDependencies
from shared.access.commands import Command
from shared.access.flows.tell_unavailable import tell_unavailable
from shared.base.ports import Dependency, Unavailable
from shared.base.record import epoch_name
from shared.base.record_end import RecordEnd
from shared.base.refusals import Code, Refusal, refuse
from shared.base.vm import VmId
from shared.console.events import Event, PortLost, PortOpened, PortRefused, RecordFailed
from shared.console.ports import SerialPort
from shared.console.replay import Opening, settle

RECORD_END_SECONDS = 3.0
"""What learning how the archive ends may add to an opening, from the dial on."""
CLOCKS_SECONDS = 300.0
"""By how much the clocks of two relays may differ."""


class Background(Protocol):
    def start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Runs a coroutine in the background, until it ends or the relay does."""
        ...


class SerialConnection:
    """One VM's. `tell` takes what happens to the port; what it prints goes by way of the ear."""

    def __init__(
        self,
        vm: VmId,
        dependencies: RelayDependencies,
        background: Background,
        ear: RecordingFilter,
        tell: Callable[[Event], None],
    ) -> None:
        self._vm, self._dependencies, self._background, self._ear, self._tell = vm, dependencies, background, ear, tell
        self._line: OutputCoalescer | None = None
        self._tail = dependencies.epochs.tail(vm.console)
        self._epoch = ""
        self._follows = False
        """What is printed next follows what the tail ends with."""
        self._port: SerialPort | None = None
        self._closing = False
        self._waits = False
        """The VM is to wait."""
        self.printed_bytes = 0
        self.typed_bytes = 0

    @property
    def connected(self) -> bool:
        return self._port is not None

    # --- as the bridge uses it --------------------------------------------------------------------------------

    def open(self) -> None:
        """Ends in PortOpened or PortRefused, unless it is dropped before."""
        self._line = OutputCoalescer(self._printed, self._lost)
        self._background.start("dial", self._dial(self._line))

    def flush(self) -> None:
        """What was read and gathered is told."""
        if self._line is not None:
            self._line.flush()

    def type(self, session: str, data: bytes) -> None:
        if self._port is not None and self._line is not None:
            self.typed_bytes += len(data)
            self._line.typed()
            self._ear.typed(session, data)
            self._port.type(data)

    async def command(self, act: Command, keys: str) -> Refusal | None:
        """None: the gateway has done it."""
        if self._port is None:  # lost in the meantime
            return refuse(Code.CONSOLE_NOT_OPEN, target=self._vm.resource_id)
        return await self._port.command(act, keys)

    def hold(self, *, wait: bool) -> None:
        """Whether the VM waits: what it prints stays with it. Not while its last bytes are read: there is no later."""
        self._waits = wait
        if self._port is not None:
            if wait and not self._closing:
                self._port.pause()
            else:
                self._port.resume()

    def close(self) -> None:
        """Says goodbye; what the VM printed until the answer comes is told, then the loss."""
        if self._line is not None and self._port is not None:
            self._closing = True
            self._background.start("close port", self._read_out(self._line, self._port))

    def drop(self) -> None:
        """At once, and a dial under way too; nothing more is told."""
        line, port, self._line, self._port = self._line, self._port, None, None
        self._ear.forget()
        self.unrecorded()
        if line is not None:
            line.drop()
        if port is not None:
            self._dependencies.log("port-dropped", vm=self._vm.console)
            self._background.start("drop port", port.close())

    def unrecorded(self) -> None:
        """Something that was told is not on record: should it be replayed, it is new."""
        self._tail.clear()

    # --- what happens -----------------------------------------------------------------------------------------

    async def _dial(self, line: OutputCoalescer) -> None:
        ending, end = asyncio.create_task(self._record_end()), None
        try:
            outcome = await self._asked_for(line)
            if not isinstance(outcome, Refusal):
                end, _ = await asyncio.gather(ending, line.burst(self._dependencies.waits))
        finally:
            ending.cancel()
        if line is not self._line:  # dropped while it was being opened
            if not isinstance(outcome, Refusal):
                await outcome.close()
        elif isinstance(outcome, Refusal):
            self._line = None
            self._dependencies.log("port-refused", vm=self._vm.console, code=outcome.code.value)
            self._tell(PortRefused(outcome))
        else:
            self._taken(line, outcome, end)

    async def _asked_for(self, line: OutputCoalescer) -> SerialPort | Refusal:
        try:
            return await self._dependencies.ports.open(self._vm, line)
        except Unavailable as error:
            self._dependencies.log(
                "port-unavailable", vm=self._vm.console, what=error.what, trouble=error.trouble.value
            )
            return self._unavailable(error)
        except Exception as error:  # noqa: BLE001 - whoever waits for the port must hear of it; the log has the fault
            self._dependencies.log("fault", vm=self._vm.console, where="dial", error=type(error).__name__)
            return refuse(Code.CONSOLE_FAULT, target=self._vm.resource_id)

    async def _record_end(self) -> RecordEnd | None:
        """None where it could not be learnt: the port opens all the same."""
        try:
            async with asyncio.timeout(RECORD_END_SECONDS):
                end = await self._dependencies.control_plane.record_end(self._vm)
            return None if self._is_later(end.epoch) else end
        except Exception as error:  # noqa: BLE001 - an opening never fails for this; the log has the fault
            self._dependencies.log("record-end-unknown", vm=self._vm.console, error=type(error).__name__)
            return None

    def _is_later(self, epoch: str) -> bool:
        """Whether it was opened in the future: it would count as the newest for as long as that lasts."""
        latest = epoch_name(int((self._dependencies.clock.now() + CLOCKS_SECONDS) * 1e6), 0)
        if epoch > latest:
            self._dependencies.log("record-end-unknown", vm=self._vm.console, error="Later")
        return epoch > latest

    def _taken(self, line: OutputCoalescer, port: SerialPort, end: RecordEnd | None) -> None:
        """A port of which the console cannot be told is not kept: nobody would see it, and nothing be recorded."""
        try:
            self._opened(line, port, end)
        except Exception as error:  # noqa: BLE001 - whoever waits for the port must hear of it; the log has the fault
            self._dependencies.log("fault", vm=self._vm.console, where="opened", error=type(error).__name__)
            self._port = port
            self.drop()
            self._tell(RecordFailed())

    def _unavailable(self, error: Unavailable) -> Refusal:
        """Azure Resource Manager and Entra ID by name; whatever else does not answer is on the way to the VM."""
        match error.what:
            case Dependency.ARM | Dependency.ENTRA:
                return tell_unavailable(error, self._vm.resource_id)
            case _:
                return refuse(Code.GATEWAY_TIMEOUT, target=self._vm.resource_id)

    def _opened(self, line: OutputCoalescer, port: SerialPort, end: RecordEnd | None) -> None:
        self._port, self._closing = port, False
        epoch = self._epoch = epoch_name(int(self._dependencies.clock.now() * 1e6), self._dependencies.nonce())
        self._dependencies.log("port-open", vm=self._vm.console, epoch=epoch)
        self.hold(wait=self._waits)
        if end is not None and end.is_newer(self._tail):
            self._tail.replace(end.printed, cut=end.cut, epoch=end.epoch)
            self._ear.others_recorded()
        burst = line.early
        opening = self._settled(burst, known=end is not None) if burst else None
        self._follows = opening is not None and opening.replay.compared > 0
        if opening is None:
            self._ear.begin_unknown(others=end is None)
        elif not self._follows:
            self._ear.begin_anywhere()
        self._tell(PortOpened(epoch, opening, self._dependencies.name))
        if line is self._line:  # else it was dropped at once
            line.opened(opening.replay.fresh if opening else b"")
            if line.flooded:
                self._background.start("drop port", port.close())

    def _settled(self, burst: bytes, *, known: bool) -> Opening:
        tail, replay = self._tail, settle(self._tail, burst)
        digest = replay.hash(self._dependencies.mask_key if tail.masked else None)
        return Opening(replay, digest, tail.masked, tail.epoch, known)

    async def _read_out(self, line: OutputCoalescer, port: SerialPort) -> None:
        """However the goodbye ends, the console hears that the port is closed."""
        try:
            await port.close()
        finally:
            line.lost(False, "closed")  # noqa: FBT003 - nothing, where the port has said so itself

    def _printed(self, data: bytes) -> None:
        if not data:
            return
        self.printed_bytes += len(data)
        if not self._follows:
            self._tail.clear()
            self._follows = True
        self._tail.add(data)
        self._tail.epoch = self._epoch
        self._tail.masked |= self._ear.masks
        self._ear.printed(data)

    def _lost(self, taken_over: bool, why: str) -> None:  # noqa: FBT001 - shared.ports.PortListener's words
        self._ear.flush()
        self._line = self._port = None
        event = "port-closed" if self._closing else "port-lost"
        self._dependencies.log(event, vm=self._vm.console, taken_over=taken_over, why=why)
        self._tell(PortLost(taken_over, why))
