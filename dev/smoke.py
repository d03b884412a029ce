"""`make smoke`: the smoke test against the running local stack, signed in as the demo's automation."""

import argparse
import os
import sys

from dev import demo
from dev.parts import signed_in_as
from dev.stack import Port, Stack
from smoke.__main__ import main as try_it


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m dev.smoke", description=__doc__)
    parser.add_argument("--base", type=int, default=8400, help="first port of the stack (default %(default)s)")
    parser.add_argument("--vm", default="web-01", help="one of the demo's machines (default %(default)s)")
    asked, more = parser.parse_known_args()
    stack = Stack(asked.base)
    os.environ |= signed_in_as(stack, demo.AUTOMATION)
    vm = next((each.id for each in demo.VIRTUAL_MACHINES if each.name == asked.vm), asked.vm)
    return try_it(["--api", f"{stack.http(Port.FRONT_DOOR)}/api", "--vm", vm, "--ca", str(stack.ca), *more])


if __name__ == "__main__":
    sys.exit(main())
