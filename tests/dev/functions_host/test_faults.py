"""Limits, time-outs and lost workers: what a client sees of them."""

import concurrent.futures
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from dev.functions_host.worker import AFTER_THE_LIMIT
from tests.dev.functions_host.host_process import HostProcess, running, until

APP = Path(__file__).parent / "faults_app"
LIMIT = 3.0
"""`functionTimeout` of the app."""


@pytest.fixture
def host() -> Iterator[HostProcess]:
    with running(APP) as host:
        yield host


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with concurrent.futures.ThreadPoolExecutor() as threads:
        yield threads


class Calls:
    """Calls of `hold`, which end when they are let go."""

    def __init__(self, host: HostProcess, threads: ThreadPoolExecutor, home: Path) -> None:
        self._host, self._threads = host, threads
        self._began, self._go = home / "began", home / "go"

    def call(self) -> Future[httpx.Response]:
        return self._threads.submit(self._host.get, "hold", params={"began": str(self._began), "go": str(self._go)})

    def at_work(self) -> list[int]:
        """For each call that began, how many were at work then."""
        return [int(line) for line in self._began.read_text().split()] if self._began.exists() else []

    def let_go(self) -> None:
        self._go.touch()


@pytest.fixture
def calls(host: HostProcess, threads: ThreadPoolExecutor, tmp_path: Path) -> Iterator[Calls]:
    calls = Calls(host, threads, tmp_path)
    yield calls
    calls.let_go()


def pid(host: HostProcess) -> int:
    return int(host.get("pid").text)


def test_as_many_as_allowed_are_at_work_some_wait_and_the_rest_is_429(host: HostProcess, calls: Calls) -> None:
    taken = [calls.call() for _ in range(5)]
    until(lambda: any(call.done() for call in taken), host)  # four are in hand, whichever they are
    fifth = next(call for call in taken if call.done())
    taken.remove(fifth)
    refused = fifth.result()
    until(lambda: len(calls.at_work()) == 2, host)
    assert (refused.status_code, refused.content) == (429, b"")
    assert refused.headers["x-function-scaleout"] == "1"
    assert "retry-after" not in refused.headers
    assert host.get("nowhere").status_code == 404  # what no function takes is not counted
    calls.let_go()
    assert [call.result().status_code for call in taken] == [200] * 4
    assert max(calls.at_work()) == 2
    assert len(calls.at_work()) == 4


def test_a_function_that_outlives_its_limit_costs_everybody_the_worker(
    host: HostProcess, threads: ThreadPoolExecutor, tmp_path: Path
) -> None:
    before, began = pid(host), time.monotonic()
    stuck, other = Calls(host, threads, tmp_path / "stuck"), Calls(host, threads, tmp_path / "other")
    for name in ("stuck", "other"):
        (tmp_path / name).mkdir()
    outlived = stuck.call()
    until(lambda: time.monotonic() > began + (LIMIT + AFTER_THE_LIMIT) / 2, host)
    in_flight = other.call()
    assert (outlived.result().status_code, outlived.result().content) == (500, b"")
    assert time.monotonic() - began > LIMIT + AFTER_THE_LIMIT - 1
    assert pid(host) != before  # new requests go to the new worker
    other.let_go()
    assert in_flight.result().text == str(before)  # and what was in flight was finished by the old one
    until(lambda: not _lives(before), host)
    assert "hold outlived functionTimeout" in host.log


def test_a_killed_worker_costs_what_is_in_flight_and_the_next_request_waits_for_a_new_one(
    host: HostProcess, calls: Calls
) -> None:
    before = pid(host)
    in_flight = calls.call()
    until(lambda: calls.at_work() == [1], host)
    os.kill(before, signal.SIGKILL)
    assert (in_flight.result().status_code, in_flight.result().content) == (500, b"")
    assert pid(host) != before


def test_a_worker_that_is_lost_three_times_ends_the_host(host: HostProcess) -> None:
    for _ in range(2):
        os.kill(pid(host), signal.SIGKILL)
        until(lambda: "a new worker is started" in host.log, host)
        host.lines.clear()
    os.kill(pid(host), signal.SIGKILL)
    until(lambda: host.process.poll() is not None, host)
    assert host.process.returncode == 1
    assert "3 workers were lost" in host.log


def test_a_worker_goes_with_its_host_however_that_goes(host: HostProcess) -> None:
    worker = pid(host)
    host.process.kill()
    until(lambda: not _lives(worker), host)


def _lives(process: int) -> bool:
    status = Path(f"/proc/{process}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
