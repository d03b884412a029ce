"""uvicorn on loopback, and a stop that lets things end: no new connections, running requests, triggers, checkpoints."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Iterator

import uvicorn

from dev.functions_host.host import GRACE, Host, Options

ADDRESS = "127.0.0.1"
log = logging.getLogger("host")


class Server(uvicorn.Server):
    """uvicorn, which would else end the process by the signal that stopped it; the host exits with 0."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listening in sockets or [] if self.started else []:
            log.info("ready on http://%s:%d", *listening.getsockname())


async def serve(options: Options, port: int) -> bool:
    """Serves until SIGTERM or SIGINT; answers whether it got as far as serving. Port 0 takes a free one.

    Raises:
        OSError: the port is taken.

    """
    host = Host(options)
    config = uvicorn.Config(
        host.asgi(),
        loop="uvloop",
        http="httptools",
        lifespan="on",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # who is at the other end is what the socket says, not what the request does
        timeout_graceful_shutdown=int(GRACE),
    )
    server = Server(config)

    def stop() -> None:
        host.begin_stop()
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    # Named, so that asyncio lets small answers leave at once (TCP_NODELAY): by default it does not know it for TCP.
    with socket.socket(proto=socket.IPPROTO_TCP) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((ADDRESS, port))
        await server.serve([listening])
    return server.started
