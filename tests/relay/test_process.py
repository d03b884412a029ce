"""`python -m relay` as its container runs it."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.patience import PATIENCE
from tests.ports import reserve_port

ROOT = Path(__file__).resolve().parents[2]


class Process:
    def __init__(self, spool: Path) -> None:
        self.control = reserve_port()
        self.settings = {
            "PATH": os.environ["PATH"], "RELAY_NAME": "r0",
            "RELAY_HOST": "127.0.0.1", "RELAY_PORT": str(reserve_port()),
            "RELAY_CONTROL_PORT": str(self.control), "CONTROL_PLANE": "http://127.0.0.1:1/api",
            "API_AUDIENCE": "api://x", "SESSION_ISSUER": "http://issuer", "PAGE_ORIGINS": "http://page",
            "SPOOL_DIR": str(spool), "RECORDS": "nowhere.servicebus.invalid",
        }  # fmt: skip

    def start(self, **changes: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "relay"], cwd=ROOT, env=self.settings | changes, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )  # fmt: skip

    def health(self, running: subprocess.Popen[str]) -> dict[str, object]:
        """The first answer of /healthz."""
        deadline = time.monotonic() + PATIENCE
        while running.poll() is None and time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.control}/healthz", timeout=PATIENCE) as answer:
                    found: dict[str, object] = json.load(answer)
                    return found
            except OSError:  # not there yet, or about to let another one take its place
                time.sleep(0.05)
        raise AssertionError(running.communicate(timeout=PATIENCE))


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def process(tmp_path: Path) -> Process:
    return Process(tmp_path / "spool")


def test_it_starts_without_the_cloud_is_healthy_and_goes_on_sigterm(process: Process) -> None:
    with process.start() as running:
        health = process.health(running)
        assert (health["status"], health["sessions"], health["spoolWritable"]) == ("healthy", 0, True)
        running.send_signal(signal.SIGTERM)
        output, errors = running.communicate(timeout=PATIENCE)
    assert running.returncode == 0, errors
    assert [json.loads(line)["event"] for line in output.splitlines()] == ["open", "draining", "closed"]
    assert not errors


@pytest.mark.parametrize(("switch", "status"), [("off", 404), ("current", 400), ("older", 400)])
def test_the_switch_of_the_second_dialect_reaches_the_door(process: Process, switch: str, status: int) -> None:
    with process.start(COMPATIBILITY=switch) as running:
        process.health(running)
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(
                f"http://127.0.0.1:{process.settings['RELAY_PORT']}/n/connector/r0/sessions/s/client", timeout=PATIENCE
            )
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=PATIENCE)
    assert caught.value.code == status
    caught.value.close()


def test_two_relays_cannot_share_a_spool(process: Process) -> None:
    with process.start() as first:
        process.health(first)
        with process.start(SPOOL_WAIT_SECONDS="0") as second:
            _, errors = second.communicate(timeout=PATIENCE)
        first.send_signal(signal.SIGTERM)
        first.communicate(timeout=PATIENCE)
    assert second.returncode == 2
    assert "give each relay its own SPOOL_DIR" in errors


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_relay_that_replaces_another_waits_until_it_has_let_go_of_the_spool(process: Process, how: int) -> None:
    next_one = Process(Path(process.settings["SPOOL_DIR"]))
    with process.start() as old:
        process.health(old)
        with next_one.start() as new:
            assert next_one.health(new)["status"] == "waiting"
            old.send_signal(how)
            old.communicate(timeout=PATIENCE)
            until(lambda: next_one.health(new)["status"] == "healthy")
            new.send_signal(signal.SIGTERM)
            output, errors = new.communicate(timeout=PATIENCE)
    assert new.returncode == 0, errors
    assert [json.loads(line)["event"] for line in output.splitlines()] == ["open", "draining", "closed"]


def test_a_relay_that_waits_goes_when_it_is_told(process: Process) -> None:
    next_one = Process(Path(process.settings["SPOOL_DIR"]))
    with process.start() as old, next_one.start() as new:
        process.health(old)
        until(lambda: next_one.health(new)["status"] in ("waiting", "healthy"))
        for each in (new, old):
            each.send_signal(signal.SIGTERM)
            each.communicate(timeout=PATIENCE)
            assert each.returncode == 0


def test_a_missing_setting_is_named(process: Process) -> None:
    with process.start(RELAY_NAME="") as running:
        _, errors = running.communicate(timeout=PATIENCE)
    assert running.returncode == 2
    assert errors.startswith("relay: RELAY_NAME is not set")
