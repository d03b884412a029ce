"""A VM's serial port and the record of it, as the relay needs them."""

from collections.abc import Sequence
from typing import Protocol

from shared.access.commands import Command
from shared.base.record import Record, Source
from shared.base.refusals import Refusal
from shared.base.vm import VmId


class PortListener(Protocol):
    """Receives the output and the loss of a VM's port."""

    def printed(self, data: bytes) -> None: ...

    def lost(self, taken_over: bool, why: str) -> None: ...  # noqa: FBT001 - called by position once, by the adapter


class SerialPort(Protocol):
    """An open COM1."""

    def type(self, data: bytes) -> None: ...

    def pause(self) -> None:
        """Stops reading: the bytes wait at the VM's side."""
        ...

    def resume(self) -> None: ...

    async def command(self, act: Command, keys: str) -> Refusal | None:
        """Sends reset, NMI or SysRq (`keys`: its letters and digits) down this line. Returns CONSOLE_FAULT or
        GATEWAY_TIMEOUT if it did not reach the VM, or nobody knows.
        """
        ...

    async def close(self) -> None:
        """Closes the port. Returns when the gateway has answered, or some seconds later. The listener gets all that it
        had sent by then, paused or not, and then the loss.
        """
        ...


class SerialPorts(Protocol):
    async def open(self, vm: VmId, listener: PortListener) -> SerialPort | Refusal:
        """Dials the VM's COM1; returns once bytes can flow. Raises Unavailable."""
        ...


class RecordSink(Protocol):
    async def send(self, source: Source, records: Sequence[bytes]) -> None:
        """Sends a run of encoded records. Returns when the hub has stored it.

        Raises Unavailable if nobody knows whether it is stored. Then it must be sent again.
        """
        ...


class Recorder(Protocol):
    """The spool of one console's epoch."""

    def append(self, record: Record) -> None:
        """Writes a record, which survives a kill when this returns. Raises OSError if it cannot be written."""
        ...

    def give_up(self, now_us: int) -> None:
        """Ends the epoch with an event that its recording failed, at once or as soon as that can be written."""
        ...
