"""`python -m dev.gateway [--base 8400] [--home .local]`: runs the gateway until SIGTERM or SIGINT."""

import argparse
import asyncio
import logging
import os
import signal
import ssl
from pathlib import Path

from dev import tls
from dev.gateway.service import running
from dev.gateway.tokens import tokens_of
from dev.machines.inventory import roster
from dev.machines.machine_factory import Workshop, open_workshop
from dev.stack import Port, Stack


async def serve(stack: Stack, workshop: Workshop) -> None:
    """Returns after SIGTERM or SIGINT, with everything stopped."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    certificate = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.load_cert_chain(stack.certificate)
    ports = (stack.port(Port.GATEWAY), stack.port(Port.GATEWAY_CONTROL))
    folder = stack.home / "machines"
    async with running(roster(), workshop, folder, tokens_of(stack).check, certificate, ports=ports):
        _say(f"listening on {stack.https(Port.GATEWAY)}, control on {stack.http(Port.GATEWAY_CONTROL)}")
        await stop.wait()


def _say(text: str) -> None:
    print(f"gateway: {text}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m dev.gateway", description=__doc__)
    parser.add_argument("--base", type=int, default=Stack().base, help="the stack's base port")
    parser.add_argument("--home", type=Path, default=Stack().home, help="the stack's folder (default: .local)")
    arguments = parser.parse_args()
    stack = Stack(arguments.base, arguments.home.resolve())
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    tls.ensure(stack)
    asyncio.run(serve(stack, open_workshop(stack.home, _say, os.environ)))


if __name__ == "__main__":
    main()
