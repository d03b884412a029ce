"""Commands of the function app that come to the public door are passed to the private side, byte for byte.

Where a relay has one address, as on Azure Container Apps, its control address is the same. What answers there
(relay/control.py) believes a body by its signature alone, wherever it comes from, and knows commands only.
"""

import asyncio
from typing import Any

PREFIX = "/control/"
MOST = 64
"""Connections at a time: the function app keeps a few open."""


class Passage:
    """To the port on loopback where commands are answered."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.open = 0
        """Connections that speak with the private side now."""

    async def take(self, transport: Any, data: bytes) -> None:
        """From here on the visitor speaks with the private side; `data` is what they said so far."""
        if self.open >= MOST:
            transport.close()
            return
        self.open += 1
        try:
            inside, _ = await asyncio.get_running_loop().create_connection(
                lambda: _End(transport, self._left), "127.0.0.1", self._port
            )
        except OSError:
            self._left()
            transport.close()
            return
        transport.set_protocol(_End(inside, _nothing))
        inside.write(data)
        transport.resume_reading()

    def _left(self) -> None:
        self.open -= 1


class _End(asyncio.Protocol):
    """One end: what is heard here is said there; when one end is gone, or slow, so is the other."""

    def __init__(self, other: Any, left: Any) -> None:
        self._other, self._left = other, left

    def data_received(self, data: bytes) -> None:
        self._other.write(data)

    def pause_writing(self) -> None:
        self._other.pause_reading()

    def resume_writing(self) -> None:
        self._other.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._left()
        self._other.close()


def _nothing() -> None:
    pass
