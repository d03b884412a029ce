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
    """Runs the relay until SIGTERM or SIGINT.

    Returns when every viewer got a close and the spool is drained as far as time allows. Raises SpoolInUse when
    another relay still has the spool after `settings.spool_wait` seconds.
    """
    stop = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_number, stop.set)
    until = asyncio.get_running_loop().time() + settings.spool_wait
    async with Standby(settings.name, settings.host, settings.control_port) as standby:
        while not stop.is_set():
            try:
                async with composed(settings) as dependencies:
                    await standby.end()
                    await _serve(dependencies, settings, stop)
            except SpoolInUse:
                if asyncio.get_running_loop().time() >= until:
                    raise
                await standby.wait_a_moment(stop)


async def _serve(dependencies: RelayDependencies, settings: RelaySettings, stop: asyncio.Event) -> None:
    relay = RelayServer(dependencies)
    control = web.AppRunner(ControlServer(relay).application(), access_log=None, handle_signals=False)
    commands = web.AppRunner(ControlServer(relay).application(observed=False), access_log=None, handle_signals=False)
    try:
        relay.listener.control_proxy = await _start_control_proxy(commands)
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


async def _start_control_proxy(commands: web.AppRunner) -> ControlProxy:
    """Starts a server on loopback that answers commands alone, and returns the proxy to it."""
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
