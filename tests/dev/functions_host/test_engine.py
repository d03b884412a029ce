"""The host with Microsoft's own durable engine in it: what it does with our worker, and when either of them ends."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.azurite import azurite
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


def test_what_keeps_it_from_starting_is_said(tmp_path: Path) -> None:
    program = tmp_path / "no-engine"
    program.write_text("#!/bin/sh\necho there is no engine here >&2\nexit 1\n")
    program.chmod(0o755)
    with running(APP, {}, ("--engine", str(program)), ready=False) as host:
        until(lambda: host.process.poll() is not None, host)
        assert "there is no engine here" in host.log
        assert host.end() != 0
