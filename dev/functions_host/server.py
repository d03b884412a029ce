"""The host on loopback, and a stop that lets things end: the door first, then running requests, then triggers."""

import asyncio
import logging
import signal
import socket

from dev.functions_host.availability import Availability
from dev.functions_host.host import GRACE, Host, Options
from dev.functions_host.http_server import HttpServer

ADDRESS = "127.0.0.1"
log = logging.getLogger("host")


async def serve(options: Options, port: int) -> bool:
    """Serves until SIGTERM or SIGINT; answers False where no worker could be had any more. Port 0 takes a free one.

    Raises:
        OSError: the port is taken.
        NotLoaded, ValueError, LookupError: the app, or a binding of it, cannot work.

    """
    host, stop = Host(options), asyncio.Event()

    def begin_stop() -> None:
        host.begin_stop()
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, begin_stop)
    # Named, so that asyncio lets small answers leave at once (TCP_NODELAY): by default it does not know it for TCP.
    with socket.socket(proto=socket.IPPROTO_TCP) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((ADDRESS, port))
        try:
            availability = Availability()
            server = HttpServer(availability.answer)
            await server.start(listening)
            availability.begin(await host.start())
            log.info("ready on http://%s:%d", *listening.getsockname())
            await _first(stop, host.broken)
            await server.stop(GRACE)
        finally:
            await host.stop()
    return not host.broken.is_set()


async def _first(*events: asyncio.Event) -> None:
    """Waits for one of the events."""
    waits = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
