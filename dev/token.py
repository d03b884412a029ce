"""`make token`: TOKEN and VM for a shell that tries the API of the running local stack, as Ada Lovelace."""

import argparse

from dev import demo
from dev.entra.tokens import user_token
from dev.stack import Stack


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m dev.token", description=__doc__)
    parser.add_argument("--base", type=int, default=Stack.base, help="first port of the stack (default %(default)s)")
    stack = Stack(parser.parse_args().base)
    print(f"export TOKEN={user_token(stack, demo.ADA)}")
    print(f"export VM={demo.VIRTUAL_MACHINES[0].id}")


if __name__ == "__main__":
    main()
