"""Start the proxy before the stack's Azurite: `python -m dev.storage --base 8400 --home .local`."""

import argparse
import asyncio
from pathlib import Path

from dev import parts
from dev.entra.listen import announce
from dev.stack import Port, Stack
from dev.storage.immutability import AS_DEPLOYED
from dev.storage.proxy import StorageProxy


async def serve(stack: Stack) -> None:
    """Until the process is ended."""
    proxy = StorageProxy(parts.azurite(stack))
    proxy.policies, proxy.pages = dict(AS_DEPLOYED), None
    async with proxy.open(stack.port(Port.BLOBS), stack.port(Port.TABLES)):
        announce("Azure Storage", stack.http(Port.BLOBS))
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m dev.storage", description=__doc__)
    parser.add_argument("--base", type=int, default=Stack.base, help="the stack's base port (%(default)s)")
    parser.add_argument("--home", type=Path, default=Stack.home, help="the stack's folder for state and logs")
    asked = parser.parse_args()
    asyncio.run(serve(Stack(asked.base, asked.home.resolve())))


if __name__ == "__main__":
    main()
