"""Start the Entra ID stand-in: `python -m dev.entra --base 8400 --home .local`."""

import argparse
import asyncio
from pathlib import Path

from dev import tls
from dev.entra import app
from dev.entra.issuer import HOUR, Issuer
from dev.entra.keys import kept_key
from dev.entra.listen import Listener, announce, bind, serve
from dev.stack import Port, Stack


def main() -> None:
    asked = _arguments()
    stack = Stack(asked.base, asked.home.resolve())
    tls.ensure(stack)
    entra = app.build(Issuer(stack, kept_key(stack.home), asked.token_seconds))
    page = Listener(entra, bind(stack.port(Port.ENTRA_PAGE)))
    sdks = Listener(entra, bind(stack.port(Port.ENTRA)), stack.certificate)
    announce("Microsoft Entra ID", stack.http(Port.ENTRA_PAGE), stack.authority)
    asyncio.run(serve(page, sdks))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m dev.entra", description=__doc__)
    parser.add_argument("--base", type=int, default=Stack.base, help="the stack's base port (%(default)s)")
    parser.add_argument("--home", type=Path, default=Stack.home, help="the stack's folder for state and logs")
    parser.add_argument("--token-seconds", type=int, default=HOUR, help="lifetime of a token (%(default)s)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
