"""Commands of the function app that come to the public door are passed to the private side, byte for byte.

Where a relay has one address, as on Azure Container Apps, its control address is the same. What answers there
(relay/control/commands.py) believes a body by its signature alone, wherever it comes from, and knows commands only.
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
    """To the port on loopback where commands are answered."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._talks: set[_Talk] = set()

    @property
    def open(self) -> int:
        """Connections that speak with the private side now."""
        return len(self._talks)

    async def take(self, transport: Any, data: bytes) -> None:
        """From here on the visitor speaks with the private side; `data` is what they said so far."""
        if self.open >= MOST:
            transport.close()
            return
        talk = _Talk(transport, self._talks.discard)
        self._talks.add(talk)
        try:
            inside, _ = await asyncio.get_running_loop().create_connection(talk.answers, "127.0.0.1", self._port)
        except OSError:
            talk.end()
        except BaseException:  # the visitor went away
            talk.end()
            raise
        else:
            talk.begin(inside, data)


class _Talk:
    """A visitor's connection and the one to the private side. They end together, and after a long silence."""

    def __init__(self, outside: Any, over: Callable[["_Talk"], None]) -> None:
        self._ends = [outside]
        self._over = over
        self._silence = asyncio.get_running_loop().call_later(SILENT_SECONDS, self.end)

    def answers(self) -> "_End":
        """What hears the private side."""
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
    """One end: what is heard here is said at the other, and when that is slow, it waits."""

    def __init__(self, other: Any, lost: Callable[[], None], heard: Callable[[], None] = lambda: None) -> None:
        self._other, self._lost, self._heard = other, lost, heard

    def data_received(self, data: bytes) -> None:
        self._heard()
        self._other.write(data)

    def pause_writing(self) -> None:
        self._other.pause_reading()

    def resume_writing(self) -> None:
        self._other.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._lost()
