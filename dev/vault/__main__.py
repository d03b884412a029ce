"""Start the Key Vault stand-in: `python -m dev.vault --base 8400 --home .local`."""

import argparse
import asyncio
from pathlib import Path

from dev import tls
from dev.entra.keys import kept_key
from dev.entra.listen import Listener, announce, bind, serve
from dev.stack import Port, Stack
from dev.vault import app
from dev.vault.keys import Keys


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m dev.vault", description=__doc__)
    parser.add_argument("--base", type=int, default=Stack.base, help="the stack's base port (%(default)s)")
    parser.add_argument("--home", type=Path, default=Stack.home, help="the stack's folder for state and logs")
    asked = parser.parse_args()
    stack = Stack(asked.base, asked.home.resolve())
    tls.ensure(stack)
    vault = app.build(stack, kept_key(stack.home), Keys.kept(stack.home))
    announce("Azure Key Vault", stack.https(Port.VAULT))
    asyncio.run(serve(Listener(vault, bind(stack.port(Port.VAULT)), stack.certificate)))


if __name__ == "__main__":
    main()
