"""Start the Azure Resource Manager stand-in: `python -m dev.arm --base 8400 --home .local`."""

import argparse
import asyncio
from pathlib import Path

from dev import tls
from dev.arm import app
from dev.arm.machines import GatewayMachines
from dev.arm.world import World
from dev.entra.keys import kept_key
from dev.entra.listen import Listener, announce, bind, serve
from dev.stack import Port, Stack


def main() -> None:
    asked = _arguments()
    stack = Stack(asked.base, asked.home.resolve())
    tls.ensure(stack)
    asyncio.run(_run(stack, World(page_size=asked.page_size)))


async def _run(stack: Stack, world: World) -> None:
    machines = GatewayMachines(stack)
    arm = app.build(stack, kept_key(stack.home), machines, world)
    listener = Listener(arm, bind(stack.port(Port.ARM)), stack.certificate)
    announce("Azure Resource Manager", stack.https(Port.ARM))
    try:
        await serve(listener)
    finally:
        await machines.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m dev.arm", description=__doc__)
    parser.add_argument("--base", type=int, default=Stack.base, help="the stack's base port (%(default)s)")
    parser.add_argument("--home", type=Path, default=Stack.home, help="the stack's folder for state and logs")
    parser.add_argument("--page-size", type=int, default=World.page_size, help="items in a page (%(default)s)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
