"""The one address of the extension's endpoint, as long as the host lives; behind it an engine, or none yet.

The real extension opens its endpoint when it is initialized, before its task hub is started (Azure/azure-functions-
durable-extension, DurableTaskExtension.Initialize, StartLocalGrpcServer): what is asked meanwhile waits for the
storage, until whoever asks gives up.
"""

import asyncio
import contextlib
from urllib.parse import urlsplit

ADDRESS = "127.0.0.1"
_PIECE = 64 * 1024


class EngineDoor:
    """Connections wait until there is an engine; those to one that ended are broken."""

    def __init__(self) -> None:
        self._engine: asyncio.Future[tuple[str, int]] = asyncio.get_running_loop().create_future()
        self._open: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Begins to take connections."""
        self._server = await asyncio.start_server(self._connected, ADDRESS, 0)

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{ADDRESS}:{self._server.sockets[0].getsockname()[1]}"

    def lead_to(self, url: str) -> None:
        """From now on: to the engine at this address. Before it there was none."""
        found = urlsplit(url)
        if not self._engine.done():
            self._engine.set_result((found.hostname or ADDRESS, found.port or 0))

    def lead_nowhere(self) -> None:
        """The engine ended."""
        if self._engine.done():
            self._engine = asyncio.get_running_loop().create_future()

    async def close(self) -> None:
        """Breaks what is open."""
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a callback of the stream's runs as a task
        self._open.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await _join(reader, writer, *await asyncio.shield(self._engine))
        finally:
            self._open.discard(task)
            writer.close()


async def _join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int) -> None:
    """Until either end is closed."""
    answers, asks = await asyncio.open_connection(host, port)
    ways = [asyncio.create_task(_pass_on(reader, asks)), asyncio.create_task(_pass_on(answers, writer))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        asks.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while piece := await reader.read(_PIECE):
            writer.write(piece)
            await writer.drain()
