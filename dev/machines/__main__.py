"""`python -m dev.machines build [--home .local]`: builds the guests' images, if they are not there yet."""

import argparse
import sys
from pathlib import Path

from dev.machines import images
from dev.machines.packages import UnavailableError
from dev.stack import Stack


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m dev.machines", description=__doc__)
    parser.add_argument("command", choices=["build"])
    parser.add_argument("--home", type=Path, default=Stack().home, help="the stack's folder (default: .local)")
    arguments = parser.parse_args()
    try:
        built = images.ensure(arguments.home.resolve(), lambda text: print(f"machines: {text}", flush=True))
    except UnavailableError as unavailable:
        print(f"machines: no real machines here: {unavailable}", file=sys.stderr)
        return 1
    print(f"machines: {built.kernel} and {built.initrd} are ready")
    return 0


if __name__ == "__main__":
    sys.exit(main())
