"""Starting it: what it says and how it ends."""

import signal
import socket
import subprocess
from pathlib import Path

import pytest

from dev.event_hubs import command
from tests.dev.event_hubs.stand_in import StandIn
from tests.patience import PATIENCE
from tests.ports import reserve_port


def run(*words: str) -> subprocess.CompletedProcess[str]:
    program = command(1, 2)[:2]
    return subprocess.run([*program, *words], capture_output=True, text=True, timeout=PATIENCE, check=False)


def test_help_tells_every_option() -> None:
    shown = run("--help")
    assert shown.returncode == 0
    for option in ("--port", "--admin", "--hub", "--data", "--retention-bytes"):
        assert option in shown.stdout


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("--port x --admin 2 --hub a:1", "--port x: a whole number"),
        ("--port 0 --admin 2 --hub a:1", "--port 0: a whole number"),
        ("--port 1 --admin 1 --hub a:1", "--port and --admin must differ"),
        ("--admin 2 --hub a:1", "--port is missing"),
        ("--port 1 --admin 2", "--hub is missing"),
        ("--port 1 --admin 2 --hub a", "--hub a: NAME:PARTITIONS"),
        ("--port 1 --admin 2 --hub a:1 --hub A:2", "--hub a is named twice"),
        ("--port 1 --admin 2 --hub a:1 --shout", "'--shout'"),
    ],
)
def test_a_bad_argument_is_named(words: str, problem: str) -> None:
    shown = run(*words.split())
    assert shown.returncode == 2
    assert problem in shown.stderr
    assert shown.stderr.count("\n") == 1


@pytest.mark.parametrize("taken", [0, 1])
def test_a_taken_port_is_named_and_the_data_is_left_alone(tmp_path: Path, taken: int) -> None:
    data = tmp_path / "data"
    ports = [reserve_port(), reserve_port()]
    with socket.create_server(("127.0.0.1", ports[taken])):
        shown = run(*command(ports[0], ports[1], data)[2:])
    assert shown.returncode == 1
    assert shown.stdout == ""
    assert shown.stderr.strip().splitlines()[-1] == (
        f"event hubs stand-in: port {ports[taken]} on 127.0.0.1 is taken: something else listens there"
    )
    assert not data.exists()


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    port, admin_port = reserve_port(), reserve_port()
    shown = run(*command(port, admin_port, file)[2:])
    assert shown.returncode == 1
    assert f"event hubs stand-in: --data {file} cannot be used" in shown.stderr


@pytest.mark.parametrize("asking", [signal.SIGTERM, signal.SIGINT])
def test_it_says_loudly_what_it_is_and_ends_when_asked_to(asking: signal.Signals) -> None:
    stand_in = StandIn()
    process = subprocess.Popen(stand_in.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    process.send_signal(asking)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert "LOCAL STAND-IN" in said


def test_its_modules_pass_their_own_tests() -> None:
    files = sorted(str(file) for file in Path(__file__).parent.glob("*.test.mjs"))
    shown = subprocess.run(["node", "--test", *files], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert shown.returncode == 0, shown.stdout
