"""One gateway: a console for every machine of the roster, and the two listeners in front of them."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from dev.gateway.console import Console
from dev.gateway.control import Control
from dev.gateway.tokens import Check
from dev.gateway.wire import Wire
from dev.gateway.witness import Witness
from dev.machines.inventory import Boot, Spec
from dev.machines.machine import MachineError
from dev.machines.machine_factory import Workshop

log = logging.getLogger(__name__)

LOGIN_LIMIT = 60.0
"""Seconds that a booting machine keeps the next one waiting at most."""
GOODBYE = "The gateway is going down"


@dataclass(frozen=True)
class Gateway:
    """A running gateway. Ports are the real ones, also where 0 was asked for."""

    consoles: dict[str, Console]
    wire_port: int
    control_port: int


@asynccontextmanager
async def running(
    specs: Iterable[Spec],
    workshop: Workshop,
    folder: Path,
    check: Check,
    certificate: ssl.SSLContext,
    *,
    ports: tuple[int, int] = (0, 0),
) -> AsyncIterator[Gateway]:
    """Runs a gateway for the length of the block. `folder` gets the witnesses, `ports` are the wire's and control's.

    At the end clients are told goodbye and machines are stopped without grace: nothing is left behind.
    """
    consoles = {spec.name: Console(spec, workshop, Witness(folder / f"{spec.name}.printed")) for spec in specs}
    wire = Wire(consoles, check)
    listeners: list[web.AppRunner] = []
    boot: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    try:
        wire_port = await _listen(wire.application(), ports[0], listeners, certificate)
        control_port = await _listen(Control(consoles).application(), ports[1], listeners)
        boot = asyncio.create_task(_boot(consoles.values()))
        yield Gateway(consoles, wire_port, control_port)
    finally:
        boot.cancel()
        await asyncio.gather(boot, return_exceptions=True)
        await wire.close_clients(GOODBYE)
        await asyncio.gather(*(console.stop(grace=0) for console in consoles.values()))
        for listener in listeners:
            await listener.cleanup()
        for console in consoles.values():
            console.witness.close()


async def _boot(consoles: Iterable[Console]) -> None:
    """Boots the machines that come with the stack one after the other: two boots at once take longer than two."""
    for console in consoles:
        if console.spec.boot is not Boot.WITH_THE_STACK:
            continue
        try:
            await console.start()
            async with asyncio.timeout(LOGIN_LIMIT):
                await console.greeted.wait()
        except MachineError as broken:
            log.error("%s did not start: %s", console.spec.name, broken)  # noqa: TRY400 - the reason says it all
        except TimeoutError:
            log.warning("%s has not asked for a login in %d s", console.spec.name, LOGIN_LIMIT)


async def _listen(
    application: web.Application, port: int, listeners: list[web.AppRunner], certificate: ssl.SSLContext | None = None
) -> int:
    runner = web.AppRunner(application, handle_signals=False, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    listeners.append(runner)
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=certificate).start()
    return int(runner.addresses[0][1])
