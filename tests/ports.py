"""Ports for programs that bind them themselves: nobody else on this machine takes them first.

They lie below those that the system hands out, so no socket that asked for any port has one of them. Who takes a run of
ports locks a file of its name until the process ends: test processes that run beside each other share none.
"""

import fcntl
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

_LOWEST, _RUNS, _RUN = 20000, 700, 16
"""Linux hands out ports from 32768 on (Documentation/networking/ip-sysctl.rst, ip_local_port_range)."""
_LOCKS = Path(tempfile.gettempdir()) / f"serial-console-ports-{os.getuid()}"


def reserve_run() -> int:
    """The first of 16 ports that are this process's until it ends."""
    _LOCKS.mkdir(exist_ok=True)
    for run in range(_RUNS):
        base = _LOWEST + (run + os.getpid()) % _RUNS * _RUN
        if _lock(base) and all(_is_free(base + each) for each in range(_RUN)):
            return base
    raise AssertionError("no run of free ports")


def _hand_out() -> Iterator[int]:
    while True:
        base = reserve_run()
        yield from range(base, base + _RUN)


_ports = _hand_out()


def reserve_port() -> int:
    """A port that is this process's until it ends."""
    return next(_ports)


def _lock(base: int) -> bool:
    """The descriptor stays open: the lock goes with the process, not with those that it starts."""
    file = os.open(_LOCKS / str(base), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return False
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
