"""The relay's image, without building it: what it copies and installs is enough, and its command runs as it would.

A folder gets what `COPY` takes, an environment what `RUN uv sync` installs; the tree is made read-only, and the command
is run by the image's user where the test may become it.
"""

import json
import os
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dev.stack import ROOT
from tests.infra import bicep
from tests.patience import PATIENCE
from tests.relay.test_process import Process, until

DOCKERFILE = (ROOT / "relay" / "Dockerfile").read_text()
UV = ROOT / ".local" / "tools" / "bin" / "uv"


def instructions(name: str) -> list[str]:
    joined = DOCKERFILE.replace("\\\n", " ")
    return [line.partition(" ")[2].strip() for line in joined.splitlines() if line.startswith(f"{name} ")]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """As /relay is in the image."""
    home = tmp_path_factory.mktemp("image") / "relay"
    home.mkdir()
    for words in instructions("COPY"):
        if words.startswith("--from"):
            continue
        *sources, target = words.split()
        for source in sources:
            _copy(ROOT / source, home / target / source if target.endswith("/") else home / target)
    (sync,) = [words for words in instructions("RUN") if words.startswith("uv sync")]
    uv = str(UV) if UV.exists() else shutil.which("uv")
    assert uv, "run make packages"
    command = [uv, *shlex.split(sync)[1:], "--quiet", "--python", sys.executable]
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    subprocess.run(command, cwd=home, check=True, env=environment)
    for path in (*home.parents[:2], home):
        path.chmod(0o755)
    for path in home.rglob("*"):
        if not path.is_symlink():
            path.chmod(stat.S_IMODE(path.stat().st_mode) & ~0o222 | 0o444)
    home.chmod(0o555)
    yield home
    for path in (home, *home.rglob("*")):
        if not path.is_symlink() and path.is_dir():
            path.chmod(0o755)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def command(image: Path) -> list[str]:
    (entry,) = instructions("ENTRYPOINT")
    return [
        str(word).replace("/relay/", f"{image}/", 1) if word.startswith("/relay/") else word
        for word in json.loads(entry)
    ]


def as_nobody(uid: int, program: Path) -> tuple[list[str], dict[str, Any]]:
    """What goes before the command, and options of Popen, so that it may do no more than the image's user.

    Root becomes that user, where the user reaches the interpreter; else root without any of its powers.
    """
    if os.getuid() != 0:
        return [], {}
    if all(folder.stat().st_mode & stat.S_IXOTH for folder in program.resolve().parents):
        return [], {"user": uid, "group": uid, "extra_groups": []}
    return ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"], {}


def test_its_command_starts_a_relay_that_drains_and_leaves_nothing_behind(image: Path, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    process = Process(spool / "records")
    uid = int(instructions("USER")[0].partition(":")[0])
    before, options = as_nobody(uid, Path(command(image)[0]))
    if options:
        os.chown(spool, uid, uid)
        for folder in (tmp_path, tmp_path.parent):
            folder.chmod(0o755)
    environment = process.settings | dict(re.findall(r"(PYTHON\w+)=(\S+)", instructions("ENV")[-1]))
    running = subprocess.Popen(
        [*before, *command(image)], cwd=image, env=environment, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, **options,
    )  # fmt: skip
    with running:
        until(lambda: process.health(running)["status"] == "healthy")
        running.send_signal(getattr(signal, instructions("STOPSIGNAL")[0]))
        output, errors = running.communicate(timeout=PATIENCE)
    assert running.returncode == 0, errors
    assert [json.loads(line)["event"] for line in output.splitlines()] == ["open", "draining", "closed"]
    assert not list(image.glob("shared/**/__pycache__"))


def test_the_tree_that_it_was_tried_in_cannot_be_written_to(image: Path) -> None:
    before, options = as_nobody(10001, Path(command(image)[0]))
    write = [*before, command(image)[0], "-c", "open('shared/x', 'w')"]
    done = subprocess.run(write, cwd=image, capture_output=True, text=True, check=False, **options)
    assert "PermissionError" in done.stderr


def test_the_spool_is_on_the_disk_that_is_mounted() -> None:
    relay = bicep.read(bicep.INFRA / "modules/relay.bicep")
    assert bicep.variable_of(relay, "everySetting")["SPOOL_DIR"] == "'${spool}/records'"
    assert "mkdir /spool && chown 10001:10001 /spool" in instructions("RUN")[-1]
    assert "var spool = '/spool'" in relay.text


def test_it_holds_what_a_relay_needs_and_not_what_builds_or_tests_one(image: Path) -> None:
    there = {path.name.partition("-")[0] for path in image.glob(".venv/lib/python3*/site-packages/*.dist-info")}
    assert {"picows", "uvloop", "azure_eventhub"} <= there
    assert not there & {"pytest", "hypothesis", "starlette", "rich", "mypy"}
    assert {path.name for path in image.iterdir()} == {".venv", "pyproject.toml", "uv.lock", "shared", "relay"}


def test_it_is_nobodys_root_and_named_by_its_digest() -> None:
    assert instructions("USER") == ["10001:10001"]
    assert all(re.match(r"python:3\.13-slim-bookworm@sha256:[0-9a-f]{64}", words) for words in instructions("FROM"))
    listens = set(instructions("EXPOSE")[0].split())
    relay = (bicep.INFRA / "modules/relay.bicep").read_text()
    assert listens == set(re.findall(r"(?m)^var (?:port|controlPort) = (\d+)$", relay))
