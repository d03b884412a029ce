"""Before anything is started: what is missing is said in words, with the way to mend it."""

import shutil
import socket
from pathlib import Path
from typing import NamedTuple

import pytest

from dev import prepare, supervisor
from dev.parts import parts
from dev.stack import Port, Stack
from dev.steps import StepFailed, Steps


class Usage(NamedTuple):
    free: int


def test_a_full_disk_is_named_with_what_it_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(12 << 20))
    with pytest.raises(StepFailed, match=r"12 MiB free; the local stack wants 1500"):
        prepare.prepare(Stack(home=tmp_path), Steps())


def test_a_missing_node_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StepFailed, match=r"Install Node\.js 20 or later"):
        prepare.prepare(Stack(home=tmp_path), Steps())


def test_an_old_node_is_named_with_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, said in (("node", "v18.19.0"), ("npm", "9")):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho {said}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StepFailed, match=r"node is v18\.19\.0"):
        prepare.prepare(Stack(home=tmp_path), Steps())


def test_a_taken_port_is_found() -> None:
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", 0))
        somebody.listen()
        number = somebody.getsockname()[1]
        assert (Port.ARM, number) in supervisor.taken_ports(Stack(base=number - Port.ARM))


def test_every_port_belongs_to_one_part(tmp_path: Path) -> None:
    claimed = [port for part in parts(Stack(home=tmp_path)) for port in part.ports]
    assert sorted(claimed) == sorted(Port)
