"""Loopback sockets, the servers on them, and one line per request. ARM's stand-in listens the same way.

Never logged: query strings, headers, bodies. Codes, tokens and secrets travel there.
"""

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Listener:
    """One socket and what answers on it; `certificate` is a PEM with chain and key, None is plain http."""

    app: ASGIApp
    socket: socket.socket
    certificate: Path | None = None


class Server(uvicorn.Server):
    """A server that leaves signals to whoever runs several of them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class RequestLog:
    """One line per request on stderr: method, path without query, status."""

    def __init__(self, app: ASGIApp, part: str) -> None:
        self._app = app
        self._part = part

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told = False

        async def telling(message: Message) -> None:
            nonlocal told
            if message["type"] == "http.response.start":
                told = True
                self._tell(scope, message["status"])  # before the answer leaves: whoever has it finds the line
            await send(message)

        try:
            await self._app(scope, receive, telling)
        finally:
            if not told:
                self._tell(scope, 500)

    def _tell(self, scope: Scope, status: int) -> None:
        # Still percent-encoded: a path cannot break the line or colour the terminal.
        path = scope["raw_path"].decode("ascii", "backslashreplace")
        print(f"{self._part}: {scope['method']} {path} {status}", file=sys.stderr, flush=True)


def server(listener: Listener) -> Server:
    """Make a server; the caller runs it with `serve(sockets=[listener.socket])`."""
    return Server(
        uvicorn.Config(
            listener.app,
            ssl_certfile=listener.certificate,
            access_log=False,
            log_level="warning",
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=2,
        )
    )


def bind(port: int) -> socket.socket:
    """Bind a loopback port (0: any free one). Raises SystemExit naming the port if it is taken."""
    listening = socket.socket(proto=socket.IPPROTO_TCP)  # named, so that asyncio sets TCP_NODELAY
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((LOOPBACK, port))
        listening.listen()
    except OSError as taken:
        listening.close()
        raise SystemExit(f"port {port} on {LOOPBACK} cannot be used: {taken.strerror}") from taken
    return listening


async def serve(*listeners: Listener) -> None:
    """Serve until SIGINT or SIGTERM."""
    servers = [server(listener) for listener in listeners]

    def stop() -> None:
        for one in servers:
            one.should_exit = True

    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, stop)
    pairs = zip(servers, listeners, strict=True)
    await asyncio.gather(*(one.serve(sockets=[listener.socket]) for one, listener in pairs))


def announce(part: str, *addresses: str) -> None:
    """Say at start, and loudly, that this is not the real thing."""
    rule = "=" * 78
    print(
        f"{rule}\nLOCAL STAND-IN for {part}. Not Microsoft's, not secure, for development only.\n"
        f"Listening on loopback: {', '.join(addresses)}\n{rule}",
        file=sys.stderr,
        flush=True,
    )
