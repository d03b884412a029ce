"""The package of the fallback: the application's own files but for those that talk to the other line of the library."""

import json
import re
from pathlib import Path

import pytest

from dev.stack import ROOT
from infra.scripts.package_functions import FALLBACK, files, host_json, pack

REPLACED = {
    "functions/approval_orchestration.py",
    "functions/lock_entity.py",
    "shared/base/task_hub.py",
    "requirements.txt",
}
PAGE = (ROOT / "docs/versions.md").read_text()


def sources(line: str) -> dict[str, bytes]:
    return {name: data for name, data in files("storage", line) if not name.endswith(".pyc")}


def pins(file: Path) -> dict[str, str]:
    lines = (line.split(" ;")[0] for line in file.read_text().splitlines())
    return dict(line.split("==") for line in lines)


def test_what_differs_is_named_and_nothing_else_does() -> None:
    own, fallback = sources("2"), sources("1")
    assert own.keys() == fallback.keys()
    assert {name for name in own if own[name] != fallback[name]} == {*REPLACED, "host.json"}
    assert {name: fallback[name] for name in REPLACED} == {name: (FALLBACK / name).read_bytes() for name in REPLACED}


def test_the_other_line_is_nowhere_in_it() -> None:
    code = b"\n".join(data for name, data in sources("1").items() if name.endswith(".py"))
    assert not re.search(rb"(?m)^\s*(import|from) (grpc|durabletask)", code)
    assert not {"grpcio", "durabletask"} & pins(FALLBACK / "requirements.txt").keys()


def test_its_lock_moves_no_version_that_both_have() -> None:
    own, fallback = pins(ROOT / "requirements.txt"), pins(FALLBACK / "requirements.txt")
    moved = {name for name in own.keys() & fallback.keys() if own[name] != fallback[name]}
    assert moved == {"azure-functions-durable"}
    assert f"`azure-functions-durable` {fallback['azure-functions-durable']}" in PAGE


def test_its_bundle_is_the_released_one_in_one_minor_range() -> None:
    own, fallback = (json.loads(host_json((ROOT / "host.json").read_bytes(), "storage", line)) for line in "21")
    bundle = fallback["extensionBundle"]
    least, below = (number.split(".") for number in re.findall(r"\d+\.\d+\.\d+", bundle["version"]))
    assert (least[0], int(least[1]) + 1) == (below[0], int(below[1]))
    assert f"`{bundle['id']}`, `{bundle['version']}`" in PAGE
    assert fallback | {"extensionBundle": own["extensionBundle"]} == own


def test_a_line_that_is_none_is_not_packed(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        pack(tmp_path / "app.zip", "storage", "3")
