"""Part of `make bench`: the lock on Microsoft's durable engine with Azurite, and a heartbeat for 1,000 consoles.

    opening     POST .../sessions, each taking the console from the one before: checks, lock, signature, index
    lock        of that, what the lock takes: a release, which is one signal and its outcome
    heartbeat   of one relay with 1,000 writers (looks at Azure apart: bench.arm_calls)
    together    openings while that relay beats every second
    at once     20 openings of one console

Needs the program that HOST_PARTS names (docs/fidelity.md); says so and measures nothing without it.
"""

import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from dev.arm.throttle import Throttle
from dev.demo import ADA, GRACE
from tests.functions.control_plane import ControlPlane, control_plane
from tests.functions.test_over_http import vm

OPENINGS, WRITERS, BEATS, CROWD = 200, 1000, 40, 20


def main() -> int:
    if not os.environ.get("HOST_PARTS"):
        print("the lock on Microsoft's engine: not measured, HOST_PARTS names no program")
        return 0
    with tempfile.TemporaryDirectory() as home, control_plane(Path(home)) as plane:
        plane.world.throttle = Throttle(None)  # it opens consoles faster than ARM answers anybody
        measure(plane)
    return 0


def measure(plane: ControlPlane) -> None:
    live = {"relay": "r0", "sessions": [_session(number) for number in range(WRITERS)]}
    _open(plane, 0)
    _say("opening, alone", [_timed(partial(_open, plane, n)) for n in range(OPENINGS)])
    _say("a release", [_released(plane, n) for n in range(OPENINGS // 4)])
    _say(f"heartbeat of {WRITERS} writers", [_timed(lambda: _beat(plane, live)) for _ in range(BEATS)])
    stop = threading.Event()
    with ThreadPoolExecutor(1) as relay:
        beats = relay.submit(_beats, plane, live, stop)
        _say("opening, while they are renewed", [_timed(partial(_open, plane, n)) for n in range(OPENINGS)])
        stop.set()
        _say("heartbeat, while consoles open", beats.result())
    with ThreadPoolExecutor(CROWD) as crowd:
        _say(f"{CROWD} at once", list(crowd.map(lambda n: _timed(lambda: _open(plane, n)), range(CROWD))))


def _session(number: int) -> dict[str, Any]:
    """Of a VM of its own; `again`: no look at Azure is due."""
    of = f"{vm('bench')[4:]}-{number:04}"
    return {"vm": of, "session": f"{number:022}", "generation": 1, "mode": "write", "again": int(time.time()) + 30}


def _open(plane: ControlPlane, number: int) -> dict[str, Any]:
    answer = plane.call("POST", f"{vm('web-01')}/serialConsole/sessions", (ADA, GRACE)[number % 2], json={})
    if answer.status_code != 201:
        raise RuntimeError(answer.text)
    session: dict[str, Any] = answer.json()
    return session


def _released(plane: ControlPlane, number: int) -> float:
    session = _open(plane, number)
    about = {name: session[name] for name in ("generation", "mode")} | {"session": session["id"]}
    said = {"relay": "r0", "vm": vm("web-01")[4:], **about, "why": "Goodbye", "typed": 0, "printed": 0}
    return _timed(lambda: plane.as_relay("detach", said).raise_for_status())


def _beat(plane: ControlPlane, live: dict[str, Any]) -> None:
    live["sessions"] = [each | {"again": int(time.time()) + 30} for each in live["sessions"]]
    plane.as_relay("heartbeat", live).raise_for_status()


def _beats(plane: ControlPlane, live: dict[str, Any], stop: threading.Event) -> list[float]:
    took = []
    while not stop.wait(1):
        took.append(_timed(lambda: _beat(plane, live)))
    return took


def _timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def _say(what: str, took: list[float]) -> None:
    """Milliseconds."""
    ordered = sorted(took) or [0.0]
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    print(f"{what:36} p50 {statistics.median(ordered):6.0f} ms   p99 {p99:6.0f} ms   of {len(took)}")


if __name__ == "__main__":
    sys.exit(main())
