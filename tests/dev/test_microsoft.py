"""Microsoft's host and emulators instead of the stand-ins: what is started, and what is said without them."""

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from dev import microsoft, parts
from dev.parts import Part
from dev.stack import Engine, EventHubs, Host, Port, Stack
from dev.steps import StepFailed


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(9000, tmp_path, Host.FUNC, EventHubs.EMULATOR)


def part(stack: Stack, name: str) -> Part:
    return next(part for part in parts.parts(stack) if part.name == name)


def program(folder: Path, name: str) -> None:
    """Prints its words and its environment."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text('#!/bin/sh\necho "$@"\nenv\n')
    (folder / name).chmod(0o755)


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"host": Host.FUNC}, r"`func` is not on PATH.*azure-functions-core-tools@4"),
        ({"event_hubs": EventHubs.EMULATOR}, r"`docker` is not on PATH.*Docker Engine"),
    ],
    ids=["func", "emulator"],
)
def test_what_is_missing_is_named_with_the_way_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chosen: dict[str, Host | EventHubs], words: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StepFailed, match=words):
        microsoft.check(Stack(9000, tmp_path, **chosen))  # type: ignore[arg-type]  # one of the two


def test_nothing_is_wanted_of_who_takes_the_stand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    microsoft.check(Stack(9000, tmp_path))


def test_the_real_host_gets_the_settings_that_the_stand_in_gets_and_our_python(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "bin", "func")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    microsoft.check(Stack(9000, tmp_path, Host.FUNC))
    started = part(stack, "functions")
    said = subprocess.run(started.command, env=parts.environment(started), capture_output=True, text=True, check=True)
    words, *settings = said.stdout.splitlines()
    assert words == "start --port 9001"
    given = dict(line.split("=", 1) for line in settings if "=" in line)
    wanted = dict(part(Stack(9000, tmp_path), "functions").environment)
    assert {name: given.get(name) for name in wanted} == wanted
    assert Path(given["PATH"].partition(":")[0], "python").exists()


def test_the_emulator_has_our_hub_at_the_port_that_everybody_is_told(stack: Stack) -> None:
    started = part(stack, "event-hubs")
    folder = Path(started.command[started.command.index("--project-directory") + 1])
    (namespace,) = json.loads((folder / "Config.json").read_text())["UserConfig"]["NamespaceConfig"]
    assert namespace["Entities"] == [{"Name": "records", "PartitionCount": "4", "ConsumerGroups": []}]
    compose = yaml.safe_load(microsoft.COMPOSE.read_text())
    emulator = compose["services"]["event-hubs"]
    assert emulator["ports"] == ["127.0.0.1:${AMQP_PORT}:5672"]
    assert started.environment["AMQP_PORT"] == str(stack.port(Port.EVENT_HUBS))
    assert f":{stack.port(Port.EVENT_HUBS)};" in parts.records(stack)
    assert all(":" in service["image"].rpartition("/")[2] for service in compose["services"].values()), "pinned"


def test_the_scheduler_is_what_the_real_host_is_told_and_serves_our_hub(tmp_path: Path) -> None:
    chosen = Stack(9000, tmp_path, Host.FUNC, engine=Engine.SCHEDULER)
    told = part(chosen, "functions").environment
    provider = "AzureFunctionsJobHost__extensions__durableTask__storageProvider"
    assert told[f"{provider}__type"] == "azureManaged"
    address = told[told[f"{provider}__connectionStringName"]]
    assert address == f"Endpoint=http://localhost:{chosen.port(Port.SCHEDULER)};Authentication=None"
    emulator = part(chosen, "scheduler").environment
    assert emulator == {"GRPC_PORT": str(chosen.port(Port.SCHEDULER)), "TASK_HUB": "serialconsole"}
    compose = yaml.safe_load(microsoft.SCHEDULER.read_text())["services"]["scheduler"]
    assert compose["ports"] == ["127.0.0.1:${GRPC_PORT}:8080"]


def test_the_scheduler_is_not_for_the_local_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "bin", "docker")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    with pytest.raises(StepFailed, match="wants HOST=func"):
        microsoft.check(Stack(9000, tmp_path, engine=Engine.SCHEDULER))
