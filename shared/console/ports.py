"""A VM's serial port and the record of it, as the relay needs them."""

from collections.abc import Sequence
from typing import Protocol

from shared.access.commands import Command
from shared.base.record import Record, Source
from shared.base.refusals import Refusal
from shared.base.vm import VmId


class PortListener(Protocol):
    """Who is told what the VM's port does."""

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
        """Reset, NMI or SysRq (`keys`: its letters and digits), down this line; CONSOLE_FAULT or GATEWAY_TIMEOUT when
        it did not reach the VM, or nobody knows.
        """
        ...

    async def close(self) -> None:
        """Says goodbye and returns when the far side has answered, or some seconds later. All that it had sent by
        then is told to the listener, paused or not, and then the loss.
        """
        ...


class SerialPorts(Protocol):
    async def open(self, vm: VmId, listener: PortListener) -> SerialPort | Refusal:
        """Dials the VM's COM1; returns once bytes can flow. Raises Unavailable."""
        ...


class RecordSink(Protocol):
    async def send(self, source: Source, records: Sequence[bytes]) -> None:
        """Returns when the hub has stored this run of encoded records. Raises Unavailable; then nobody knows
        whether it was stored, and it must be sent again.
        """
        ...


class Recorder(Protocol):
    """The spool of one console's epoch."""

    def append(self, record: Record) -> None:
        """In the file when it returns (survives a kill). Raises OSError when it cannot be written."""
        ...

    def give_up(self, now_us: int) -> None:
        """Nothing more is recorded: the epoch says so, and ends, at once or as soon as it can be written."""
        ...
