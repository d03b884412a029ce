"""The durable engine of a running host: its process, and an end without warning."""

import os
import signal
from pathlib import Path

from tests.dev.functions_host.host_process import ENGINE_READY, HostProcess, until


def engine_of(host: HostProcess) -> int:
    """The process id of the program that holds the Durable Task extension."""
    return next(child for child in _children(host.process.pid) if "durable" in _command(child))


def kill_engine(host: HostProcess) -> None:
    """SIGKILL, as an instance goes that is taken away. Another is started by itself."""
    os.kill(engine_of(host), signal.SIGKILL)


def until_ready_again(host: HostProcess, times: int) -> None:
    until(lambda: host.log.count(ENGINE_READY) >= times, host)


def gone(process: int) -> bool:
    try:
        return "State:\tZ" in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return True


def _children(process: int) -> list[int]:
    tasks = Path(f"/proc/{process}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def _command(process: int) -> list[str]:
    return Path(f"/proc/{process}/cmdline").read_text().split("\0")
