"""Entra ID, ARM and a Key Vault over real https on random ports, for the contract tests."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.types import ASGIApp

from dev import tls
from dev.arm import app as arm
from dev.arm.machines import Machines
from dev.arm.world import World
from dev.entra import app as entra
from dev.entra.issuer import Issuer
from dev.entra.keys import kept_key
from dev.entra.listen import Listener, bind, server
from dev.stack import Port, Stack
from dev.vault import app as vault
from dev.vault.keys import Keys


class NoMachines:
    """A gateway that knows no machine: ARM goes by its own table."""

    async def states(self) -> dict[str, str]:
        return {}

    async def act(self, machine: str, verb: str) -> None:
        pass

    async def printed(self, machine: str) -> bytes | None:
        return f"{machine} booted\r\n".encode() if machine != "db-01" else None


@dataclass(frozen=True)
class LocalAzure:
    stack: Stack
    world: World
    keys: Keys


@asynccontextmanager
async def local_azure(home: Path, machines: Machines) -> AsyncIterator[LocalAzure]:
    """Serve Entra ID, ARM and a Key Vault until the block ends."""
    world = World(retry_seconds=0)
    async with AsyncExitStack() as running:
        stack, at_entra, at_arm, at_vault = free_stack(home)
        tls.ensure(stack)
        key = kept_key(home)
        await running.enter_async_context(served(entra.build(Issuer(stack, key)), at_entra, stack.certificate))
        await running.enter_async_context(served(arm.build(stack, key, machines, world), at_arm, stack.certificate))
        keys = Keys.kept(home)
        vault_app = vault.build(stack, key, keys, page_size=2)
        await running.enter_async_context(served(vault_app, at_vault, stack.certificate))
        yield LocalAzure(stack, world, keys)


@asynccontextmanager
async def served(app: ASGIApp, at: socket.socket, certificate: Path | None = None) -> AsyncIterator[None]:
    """Serve one application in this loop until the block ends."""
    one = server(Listener(app, at, certificate))
    # The socket listens since it was bound: a client that is early waits in its queue.
    task = asyncio.create_task(one.serve(sockets=[at]))
    try:
        yield
    finally:
        one.should_exit = True
        await task
        at.close()


def free_stack(home: Path) -> tuple[Stack, socket.socket, socket.socket, socket.socket]:
    """Find a base port whose Entra, ARM and vault ports are free, and bind these three."""
    while True:
        with ExitStack() as bound:
            at_entra = bound.enter_context(bind(0))
            base = at_entra.getsockname()[1] - Port.ENTRA
            try:
                at_arm = bound.enter_context(bind(base + Port.ARM))
                at_vault = bound.enter_context(bind(base + Port.VAULT))
            except SystemExit:
                continue
            bound.pop_all()
            return Stack(base, home), at_entra, at_arm, at_vault
