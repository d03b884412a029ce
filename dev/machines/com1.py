"""Our end of a QEMU machine's COM1: reads without pause, whoever watches, and paces what is typed."""

import asyncio
from collections.abc import Callable


class Com1(asyncio.Protocol):
    """QEMU sends a byte at a time and stalls the guest when nobody reads: every wake takes what has gathered, and
    nothing between the socket and `printed` ever waits.
    """

    def __init__(self, printed: Callable[[bytes], None]) -> None:
        self._printed = printed
        self._transport: asyncio.WriteTransport | None = None
        self._room = asyncio.Event()
        self.ended = asyncio.Event()
        """Set when the other end is closed and all of it has been read."""

    async def type(self, data: bytes) -> None:
        """Returns when the guest has taken enough for more to fit."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)
            await self._room.wait()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101 - a stream transport by construction; narrows the type
        self._transport = transport
        self._room.set()

    def data_received(self, data: bytes) -> None:
        self._printed(data)

    def pause_writing(self) -> None:
        self._room.clear()

    def resume_writing(self) -> None:
        self._room.set()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc  # a broken socket ends the line just as a closed one does
        self._room.set()
        self.ended.set()
