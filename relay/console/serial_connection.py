"""Connects a console to its VM: dials the port, reads and writes it, and closes it, as the runner says."""

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
"""How long the call for the end of the archive may delay an opening, counted from the dial."""
CLOCKS_SECONDS = 300.0
"""By how much the clocks of two relays may differ."""


class Background(Protocol):
    def start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Runs a coroutine in the background, until it ends or the relay does."""
        ...


class SerialConnection:
    """The connection of one VM. `report` takes events of the port; its output goes through the recording filter."""

    def __init__(
        self,
        vm: VmId,
        dependencies: RelayDependencies,
        background: Background,
        recording_filter: RecordingFilter,
        report: Callable[[Event], None],
    ) -> None:
        self._vm, self._dependencies, self._background, self._filter, self._report = (
            vm,
            dependencies,
            background,
            recording_filter,
            report,
        )
        self._coalescer: OutputCoalescer | None = None
        self._tail = dependencies.epochs.tail(vm.console)
        self._epoch = ""
        self._continues_tail = False
        """The next print follows the last bytes of the tail."""
        self._port: SerialPort | None = None
        self._closing = False
        self._paused = False
        """The VM is to be paused."""
        self.printed_bytes = 0
        self.typed_bytes = 0

    @property
    def connected(self) -> bool:
        return self._port is not None

    # --- as the runner uses it --------------------------------------------------------------------------------

    def open(self) -> None:
        """Dials the port. It ends in PortOpened or PortRefused, unless it is dropped before."""
        self._coalescer = OutputCoalescer(self._printed, self._lost)
        self._background.start("dial", self._dial(self._coalescer))

    def flush(self) -> None:
        """Reports the output that was read and gathered."""
        if self._coalescer is not None:
            self._coalescer.flush()

    def type(self, session: str, data: bytes) -> None:
        if self._port is not None and self._coalescer is not None:
            self.typed_bytes += len(data)
            self._coalescer.typed()
            self._filter.typed(session, data)
            self._port.type(data)

    async def command(self, act: Command, keys: str) -> Refusal | None:
        """Sends a command down the line. Returns None when the gateway has done it."""
        if self._port is None:  # lost in the meantime
            return refuse(Code.CONSOLE_NOT_OPEN, target=self._vm.resource_id)
        return await self._port.command(act, keys)

    def pause_or_resume(self, *, wait: bool) -> None:
        """Pauses reading if `wait`, so that output stays with the VM; else resumes it.

        A port that is being closed is not paused: its last bytes can be read only now.
        """
        self._paused = wait
        if self._port is not None:
            if wait and not self._closing:
                self._port.pause()
            else:
                self._port.resume()

    def close(self) -> None:
        """Closes the port. Reports output until the gateway answers, then the loss."""
        if self._coalescer is not None and self._port is not None:
            self._closing = True
            self._background.start("close port", self._close_port(self._coalescer, self._port))

    def drop(self) -> None:
        """Drops the port or the dial at once. Reports nothing more."""
        coalescer, port, self._coalescer, self._port = self._coalescer, self._port, None, None
        self._filter.forget()
        self.forget_recorded_tail()
        if coalescer is not None:
            coalescer.drop()
        if port is not None:
            self._dependencies.log("port-dropped", vm=self._vm.console)
            self._background.start("drop port", port.close())

    def forget_recorded_tail(self) -> None:
        """Forgets the tail, because some reported output was not recorded. If it is replayed it counts as new."""
        self._tail.clear()

    # --- the dial -----------------------------------------------------------------------------------------

    async def _dial(self, coalescer: OutputCoalescer) -> None:
        record_end_task, end = asyncio.create_task(self._record_end()), None
        try:
            outcome = await self._open_port(coalescer)
            if not isinstance(outcome, Refusal):
                end, _ = await asyncio.gather(record_end_task, coalescer.burst(self._dependencies.waits))
        finally:
            record_end_task.cancel()
        if coalescer is not self._coalescer:  # dropped while it was being opened
            if not isinstance(outcome, Refusal):
                await outcome.close()
        elif isinstance(outcome, Refusal):
            self._coalescer = None
            self._dependencies.log("port-refused", vm=self._vm.console, code=outcome.code.value)
            self._report(PortRefused(outcome))
        else:
            self._accept_port(coalescer, outcome, end)

    async def _open_port(self, coalescer: OutputCoalescer) -> SerialPort | Refusal:
        try:
            return await self._dependencies.ports.open(self._vm, coalescer)
        except Unavailable as error:
            self._dependencies.log(
                "port-unavailable", vm=self._vm.console, what=error.what, trouble=error.trouble.value
            )
            return self._unavailable(error)
        except Exception as error:  # noqa: BLE001 - whoever waits for the port must hear of it; the log has the fault
            self._dependencies.log("fault", vm=self._vm.console, where="dial", error=type(error).__name__)
            return refuse(Code.CONSOLE_FAULT, target=self._vm.resource_id)

    async def _record_end(self) -> RecordEnd | None:
        """Returns the end of the archive; None if it could not be learnt. The port opens all the same."""
        try:
            async with asyncio.timeout(RECORD_END_SECONDS):
                end = await self._dependencies.control_plane.record_end(self._vm)
            return None if self._is_later(end.epoch) else end
        except Exception as error:  # noqa: BLE001 - an opening never fails for this; the log has the fault
            self._dependencies.log("record-end-unknown", vm=self._vm.console, error=type(error).__name__)
            return None

    def _is_later(self, epoch: str) -> bool:
        """Returns True if an epoch was opened in the future. It would count as the newest for as long as that lasts."""
        latest = epoch_name(int((self._dependencies.clock.now() + CLOCKS_SECONDS) * 1e6), 0)
        if epoch > latest:
            self._dependencies.log("record-end-unknown", vm=self._vm.console, error="Later")
        return epoch > latest

    def _accept_port(self, coalescer: OutputCoalescer, port: SerialPort, end: RecordEnd | None) -> None:
        """Reports an open port. If that fails it drops the port, since nobody would see it and nothing be recorded."""
        try:
            self._begin_epoch(coalescer, port, end)
        except Exception as error:  # noqa: BLE001 - whoever waits for the port must hear of it; the log has the fault
            self._dependencies.log("fault", vm=self._vm.console, where="opened", error=type(error).__name__)
            self._port = port
            self.drop()
            self._report(RecordFailed())

    def _unavailable(self, error: Unavailable) -> Refusal:
        """Names Azure Resource Manager and Entra ID in the refusal. Anything else is a timeout on the way to the VM."""
        match error.what:
            case Dependency.ARM | Dependency.ENTRA:
                return tell_unavailable(error, self._vm.resource_id)
            case _:
                return refuse(Code.GATEWAY_TIMEOUT, target=self._vm.resource_id)

    def _begin_epoch(self, coalescer: OutputCoalescer, port: SerialPort, end: RecordEnd | None) -> None:
        self._port, self._closing = port, False
        epoch = self._epoch = epoch_name(int(self._dependencies.clock.now() * 1e6), self._dependencies.nonce())
        self._dependencies.log("port-open", vm=self._vm.console, epoch=epoch)
        self.pause_or_resume(wait=self._paused)
        if end is not None and end.is_newer(self._tail):
            self._tail.replace(end.printed, cut=end.cut, epoch=end.epoch)
            self._filter.others_recorded()
        burst = coalescer.early
        opening = self._compare_burst(burst, known=end is not None) if burst else None
        self._continues_tail = opening is not None and opening.replay.compared > 0
        if opening is None:
            self._filter.begin_unknown(others=end is None)
        elif not self._continues_tail:
            self._filter.begin_anywhere()
        self._report(PortOpened(epoch, opening, self._dependencies.name))
        if coalescer is self._coalescer:  # else it was dropped at once
            coalescer.opened(opening.replay.fresh if opening else b"")
            if coalescer.flooded:
                self._background.start("drop port", port.close())

    def _compare_burst(self, burst: bytes, *, known: bool) -> Opening:
        tail, replay = self._tail, settle(self._tail, burst)
        digest = replay.hash(self._dependencies.mask_key if tail.masked else None)
        return Opening(replay, digest, tail.masked, tail.epoch, known)

    async def _close_port(self, coalescer: OutputCoalescer, port: SerialPort) -> None:
        """Closes the port, and reports the loss however the close ends."""
        try:
            await port.close()
        finally:
            coalescer.lost(False, "closed")  # noqa: FBT003 - nothing, where the port has said so itself

    def _printed(self, data: bytes) -> None:
        if not data:
            return
        self.printed_bytes += len(data)
        if not self._continues_tail:
            self._tail.clear()
            self._continues_tail = True
        self._tail.add(data)
        self._tail.epoch = self._epoch
        self._tail.masked |= self._filter.masks
        self._filter.printed(data)

    def _lost(self, taken_over: bool, why: str) -> None:  # noqa: FBT001 - shared.console.ports.PortListener's words
        self._filter.flush()
        self._coalescer = self._port = None
        event = "port-closed" if self._closing else "port-lost"
        self._dependencies.log(event, vm=self._vm.console, taken_over=taken_over, why=why)
        self._report(PortLost(taken_over, why))
