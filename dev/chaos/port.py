"""The gateway with generators for machines: `python -m dev.chaos.port --base --home --seed --machine ...`.

The same console, client and wire as the gateway of `make up`. What is added: which bytes were handed to which
connection's socket, for the check at the end, and calls to the control address:

    GET  /generators                {machine: {"printed": bytes, "handed": [[first, end] of each connection]}}
    POST /generators {"rate": n}    bytes a second from now on, each
    POST /generators/{machine}/cut  breaks the connection; {"connection": its number, or null}
"""

import argparse
import asyncio
import logging
import signal
import ssl
from pathlib import Path
from typing import Any

from aiohttp import web

from dev import tls
from dev.chaos.generator import Generator
from dev.gateway.behaviour import Behaviour
from dev.gateway.console import Attached, Console, Fault
from dev.gateway.control import Control
from dev.gateway.tokens import tokens_of
from dev.gateway.wire import Wire
from dev.gateway.witness import Witness
from dev.machines.inventory import Boot, Spec
from dev.stack import Port, Stack

KEEPS = Behaviour(replay_bytes=0)
"""Each byte is handed to one connection, so that each can be accounted for. The real gateway replays; what the relay
makes of that is tried in tests/relay and tests/e2e.
"""


class WitnessedConsole(Console):
    """A console that knows which part of the stream each connection was given."""

    machine: Generator

    def __init__(self, name: str, folder: Path, seed: str) -> None:
        witness = Witness(folder / f"{name}.printed")
        self.handed: list[list[int]] = []
        self._taken = 0
        super().__init__(
            Spec(name, Boot.ON_CONNECT, behaviour=KEEPS), lambda spec, _: Generator(spec, self, seed), witness
        )

    @property
    def backlog(self) -> int:
        return self.witness.size - self._taken

    def attach(self, client: Attached) -> None:
        self.handed.append([self._taken, self._taken])
        super().attach(client)

    def take(self, client: Attached, most: int) -> bytes:
        data = super().take(client, most)
        self._taken += len(data)
        self.handed[-1][1] = self._taken
        return data


class Generators:
    """The control address's own calls."""

    def __init__(self, consoles: dict[str, WitnessedConsole]) -> None:
        self._consoles = consoles

    def add_to(self, application: web.Application) -> web.Application:
        application.router.add_get("/generators", self._show)
        application.router.add_post("/generators", self._pace)
        application.router.add_post("/generators/{machine}/cut", self._cut)
        return application

    async def _show(self, _: web.Request) -> web.Response:
        return web.json_response({name: _told(console) for name, console in self._consoles.items()})

    async def _pace(self, request: web.Request) -> web.Response:
        rate = float((await request.json())["rate"])
        for console in self._consoles.values():
            console.machine.rate = rate
        return await self._show(request)

    async def _cut(self, request: web.Request) -> web.Response:
        console = self._consoles[request.match_info["machine"]]
        number = None if console.client is None else len(console.handed) - 1
        console.inject(Fault.CLOSE)
        return web.json_response({"connection": number})


def _told(console: WitnessedConsole) -> dict[str, Any]:
    return {"printed": console.witness.size, "handed": console.handed}


async def serve(stack: Stack, seed: str, machines: list[str]) -> None:
    """Returns after SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    certificate = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.load_cert_chain(stack.certificate)
    consoles = {name: WitnessedConsole(name, stack.home / "machines", seed) for name in machines}
    wire = Wire(consoles, tokens_of(stack).check)
    control = Generators(consoles).add_to(Control(consoles).application())
    runners = [
        await _listen(wire.application(), stack.port(Port.GATEWAY), certificate),
        await _listen(control, stack.port(Port.GATEWAY_CONTROL)),
    ]
    await stop.wait()
    await wire.close_clients("The gateway is going down")
    for console in consoles.values():
        await console.stop(grace=0)
    for runner in runners:
        await runner.cleanup()


async def _listen(application: web.Application, port: int, certificate: ssl.SSLContext | None = None) -> web.AppRunner:
    runner = web.AppRunner(application, handle_signals=False, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=certificate).start()
    return runner


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m dev.chaos.port", description=__doc__)
    parser.add_argument("--base", type=int, required=True)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--seed", required=True)
    parser.add_argument("--machine", action="append", required=True, dest="machines")
    given = parser.parse_args()
    stack = Stack(given.base, given.home.resolve())
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    tls.ensure(stack)
    asyncio.run(serve(stack, given.seed, given.machines))


if __name__ == "__main__":
    main()
