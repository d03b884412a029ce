"""`python -m dev.functions_host APP_DIR --port 8401`."""

import argparse
import logging
import os
import sys
from pathlib import Path

import uvloop

from dev.functions_host.host import Options
from dev.functions_host.logs import to_stderr
from dev.functions_host.server import serve
from dev.functions_host.worker import NotLoaded

WARNING = "STAND-IN for the Azure Functions host: loopback only, one process"


def main() -> int:
    """Runs the host; answers the exit status: 0 after SIGTERM, 1 if the app could not be started."""
    arguments = _arguments()
    to_stderr(arguments.log_level)
    log = logging.getLogger("host")
    log.warning("*** %s ***", WARNING)
    options = Options(
        arguments.app_dir.resolve(),
        arguments.function_key,
        arguments.state,
        not arguments.no_front_end,
        arguments.engine,
        arguments.python,
        arguments.hub_pace,
    )
    try:
        has_served = uvloop.run(serve(options, arguments.port))
    except (OSError, ValueError, LookupError, NotLoaded) as error:
        log.error("cannot start: %s", error)  # noqa: TRY400 - what is wrong is in the message, not in our stack
        return 1
    log.info("stopped")
    return 0 if has_served else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m dev.functions_host", description=WARNING)
    parser.add_argument("app_dir", type=Path, help="the folder with host.json and function_app.py")
    parser.add_argument("--port", type=int, default=7071, help="0 takes a free one")
    parser.add_argument("--function-key", help="opens functions that are not anonymous, and /admin")
    parser.add_argument("--state", type=Path, help="file that keeps entity states over restarts")
    parser.add_argument("--engine", type=Path, help="the Durable Task extension's program; else the hub is in memory")
    parser.add_argument("--python", type=Path, help="the Python that runs the functions; else the host's own")
    parser.add_argument(
        "--hub-pace", type=float, default=1.0, help="factor on the real times of Event Hubs listeners, for tests"
    )
    parser.add_argument(
        "--no-front-end", action="store_true", help="without what App Service's front end adds to requests"
    )
    parser.add_argument("--log-level", default="info", choices=["debug", "info", "warning", "error"])
    return parser.parse_args()


if __name__ == "__main__":
    status = main()
    logging.shutdown()
    sys.stdout.flush()
    # Threads of functions that never end, and of the task hub, must not hold the process.
    os._exit(status)
