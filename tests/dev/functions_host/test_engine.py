"""The host with Microsoft's own durable engine in it: what it does with our worker, and when either of them ends."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from tests.contract.azurite import azurite, azurite_process
from tests.dev.functions_host.engines import engine_of, gone, kill_engine, until_ready_again
from tests.dev.functions_host.host_process import APP, HostProcess, running, until
from tests.host_parts import PROGRAM, needs_host_parts

pytestmark = needs_host_parts


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with azurite(tmp_path_factory.mktemp("azurite")) as connection:
        yield connection


@pytest.fixture
def host(storage: str) -> Iterator[HostProcess]:
    with running(APP, {"AzureWebJobsStorage": storage}, ("--engine", PROGRAM)) as started:
        yield started


def test_signals_activities_and_failures_go_through_it(host: HostProcess) -> None:
    assert host.post("locks/told/acquire", "bob").status_code == 202
    until(lambda: host.get("locks/told").json() == {"owner": "bob", "generation": 1}, host)
    assert host.run("fan_out", 10)["output"] == 90
    assert host.run("parent", 3)["output"] == 6
    assert host.run("failing", "x")["output"] == {"caught": "activity exploded: x", "type": "RuntimeError"}


def test_another_is_started_where_it_was_killed_and_knows_what_it_knew(host: HostProcess) -> None:
    host.post("locks/kept/acquire", "bob")
    until(lambda: host.get("locks/kept").json() is not None, host)
    kill_engine(host)
    until_ready_again(host, 2)
    assert host.get("locks/kept").json() == {"owner": "bob", "generation": 1}
    host.post("locks/kept/release", 1)
    until(lambda: host.get("locks/kept").json()["owner"] is None, host)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_with_its_host_however_that_ends(storage: str, how: signal.Signals) -> None:
    with running(APP, {"AzureWebJobsStorage": storage}, ("--engine", PROGRAM)) as host:
        engine = engine_of(host)
        host.end(how)
        until(lambda: gone(engine))


def test_what_keeps_it_from_starting_is_said_and_it_is_tried_again_while_the_host_answers(tmp_path: Path) -> None:
    """As the real host does with a listener that cannot start: 2 s, then longer."""
    program = tmp_path / "no-engine"
    program.write_text("#!/bin/sh\necho there is no engine here >&2\nexit 1\n")
    program.chmod(0o755)
    with running(APP, {}, ("--engine", str(program)), ready=False) as host:
        until(lambda: host.log.count("there is no engine here") == 3, host)
        assert next(line.split()[-2] for line in host.lines if "another is started" in line) == "2.0"
        host.until_listening()
        assert host.get("noop").status_code == 200
        assert host.end() == 0


def test_a_host_whose_storage_is_away_answers_and_its_task_hub_starts_when_that_is_back(tmp_path: Path) -> None:
    with azurite_process(tmp_path) as (storage, process):
        os.kill(process, signal.SIGSTOP)
        with (
            running(APP, {"AzureWebJobsStorage": storage}, ("--engine", PROGRAM), ready=False) as host,
            ThreadPoolExecutor(1) as somebody,
        ):
            host.until_listening()
            assert host.get("noop").status_code == 200
            signalled = somebody.submit(host.post, "locks/early/acquire", "bob")
            assert not wait([signalled], timeout=1).done, "who asks the task hub waits for its storage"
            os.kill(process, signal.SIGCONT)
            assert signalled.result().status_code == 202
            until(lambda: host.get("locks/early").json() == {"owner": "bob", "generation": 1}, host)
