"""Passes commands of the function app from the public address to the private server, byte for byte.

If a relay has one address, as on Azure Container Apps, its control address is the same. The server there
(relay/control/commands.py) trusts a body by its signature alone, wherever it comes from, and answers commands only.
"""

import asyncio
from collections.abc import Callable
from typing import Any

PREFIX = "/control/"
MOST = 64
"""Connections at a time: the function app keeps a few open."""
SILENT_SECONDS = 150.0
"""After so long without an answer a connection is closed; no command takes as long (control.MAX_ASK_SECONDS)."""


class ControlProxy:
    """Connects clients to the port on loopback that answers commands."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connections: set[_ProxiedConnection] = set()

    @property
    def open(self) -> int:
        """The number of open connections."""
        return len(self._connections)

    async def take(self, transport: Any, data: bytes) -> None:
        """Connects the client to the private server. `data` holds the bytes that the client has sent so far."""
        if self.open >= MOST:
            transport.close()
            return
        connection = _ProxiedConnection(transport, self._connections.discard)
        self._connections.add(connection)
        try:
            inside, _ = await asyncio.get_running_loop().create_connection(connection.answers, "127.0.0.1", self._port)
        except OSError:
            connection.end()
        except BaseException:  # the client went away
            connection.end()
            raise
        else:
            connection.begin(inside, data)


class _ProxiedConnection:
    """A client's connection and the one to the private server. They end together, or after SILENT_SECONDS."""

    def __init__(self, outside: Any, over: Callable[["_ProxiedConnection"], None]) -> None:
        self._ends = [outside]
        self._over = over
        self._silence = asyncio.get_running_loop().call_later(SILENT_SECONDS, self.end)

    def answers(self) -> "_End":
        """Returns the protocol of the connection to the private server."""
        return _End(self._ends[0], self.end, self._answered)

    def begin(self, inside: Any, data: bytes) -> None:
        outside = self._ends[0]
        self._ends.append(inside)
        outside.set_protocol(_End(inside, self.end))
        inside.write(data)
        outside.resume_reading()

    def _answered(self) -> None:
        self._silence.cancel()
        self._silence = asyncio.get_running_loop().call_later(SILENT_SECONDS, self.end)

    def end(self) -> None:
        self._silence.cancel()
        self._over(self)
        for transport in self._ends:
            transport.close()


class _End(asyncio.Protocol):
    """One end of the pair: writes what it receives to the other end, and pauses reading while that end is slow."""

    def __init__(self, other: Any, lost: Callable[[], None], on_data: Callable[[], None] = lambda: None) -> None:
        self._other, self._lost, self._on_data = other, lost, on_data

    def data_received(self, data: bytes) -> None:
        self._on_data()
        self._other.write(data)

    def pause_writing(self) -> None:
        self._other.pause_reading()

    def resume_writing(self) -> None:
        self._other.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._lost()
