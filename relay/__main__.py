"""`python -m relay`: one relay shard, configured by its environment (docs/settings.md), until SIGTERM."""

import argparse
import asyncio
import gc
import logging
import signal
import sys

import uvloop
from aiohttp import web

from relay.control.commands import ControlServer
from relay.dependencies import RelayDependencies
from relay.handshake.control_proxy import ControlProxy
from relay.recording.spool import SpoolInUse
from relay.server import RelayServer
from relay.standby import Standby
from relay.wiring import composed
from shared.base.settings import InvalidSetting
from shared.settings import RelaySettings


async def serve(settings: RelaySettings) -> None:
    """Returns after SIGTERM or SIGINT, when everybody was told and the spool is drained as far as time allows."""
    stop = asyncio.Event()
    for how in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(how, stop.set)
    until = asyncio.get_running_loop().time() + settings.spool_wait
    async with Standby(settings.name, settings.host, settings.control_port) as waiting:
        while not stop.is_set():
            try:
                async with composed(settings) as dependencies:
                    await waiting.end()
                    await _serve(dependencies, settings, stop)
            except SpoolInUse:
                if asyncio.get_running_loop().time() >= until:
                    raise
                await waiting.a_moment(stop)


async def _serve(dependencies: RelayDependencies, settings: RelaySettings, stop: asyncio.Event) -> None:
    relay = RelayServer(dependencies)
    control = web.AppRunner(ControlServer(relay).application(), access_log=None, handle_signals=False)
    commands = web.AppRunner(ControlServer(relay).application(observed=False), access_log=None, handle_signals=False)
    try:
        relay.reception.passage = await _passage(commands)
        await relay.open(settings.host, settings.port)
        await control.setup()
        await web.TCPSite(control, settings.host, settings.control_port).start()
        gc.freeze()
        dependencies.log("open", host=settings.host, port=settings.port, control_port=settings.control_port)
        await stop.wait()
        dependencies.log("draining", sessions=len(relay.grants))
    finally:
        await relay.drain()
        await control.cleanup()
        await commands.cleanup()
    dependencies.log("closed")


async def _passage(commands: web.AppRunner) -> ControlProxy:
    """To an address of its own on loopback, where commands alone are answered."""
    await commands.setup()
    await web.TCPSite(commands, "127.0.0.1", 0).start()
    return ControlProxy(commands.addresses[0][1])


def main() -> int:
    argparse.ArgumentParser(prog="python -m relay", description=__doc__).parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    try:
        uvloop.run(serve(RelaySettings.read()))
    except (InvalidSetting, SpoolInUse) as error:
        print(f"relay: {error}", file=sys.stderr)  # noqa: T201 - for whoever starts it
        return 2
    except OSError as error:
        print(f"relay: cannot start: {error.strerror or error}", file=sys.stderr)  # noqa: T201 - as above
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
