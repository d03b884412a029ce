"""The repository's own promises: files that must agree with each other."""

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from dev.prepare import NPM_PARTS
from dev.stack import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()


def test_requirements_txt_is_what_the_lock_says() -> None:
    uv = ROOT / ".local/tools/bin/uv"
    program = str(uv) if uv.exists() else shutil.which("uv")
    if program is None:
        pytest.skip("uv is not here: the packages were installed by other means")
    exported = subprocess.run(
        [program, "export", "--quiet", "--frozen", "--offline", "--no-default-groups", "--no-emit-project",
         "--no-hashes", "--no-header", "--no-annotate"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert (ROOT / "requirements.txt").read_text() == exported, "run make lock"


def test_requirements_txt_holds_nothing_of_the_relay_the_tests_or_the_local_azure() -> None:
    named = {line.partition("==")[0] for line in (ROOT / "requirements.txt").read_text().splitlines()}
    assert named & {"picows", "uvloop", "pytest", "starlette", "ruff"} == set()
    assert {"azure-functions", "azure-functions-durable", "azure-functions-runtime"} <= named


def test_every_dependency_is_pinned_and_says_why() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    wanted = tomllib.loads(project)["project"]["dependencies"]
    for dependency in wanted:
        line = next(line for line in project.splitlines() if f'"{dependency}"' in line)
        assert "#" in line, f"{dependency} has no reason beside it"


@pytest.mark.parametrize("lock", [ROOT / part / "package-lock.json" for part in NPM_PARTS], ids=str)
def test_npm_locks_hold_no_addresses(lock: Path) -> None:
    assert "resolved" not in lock.read_text()
    packages = json.loads(lock.read_text())["packages"]
    assert all("integrity" in about for name, about in packages.items() if name), "every package has its digest"


def test_make_help_explains_every_verb() -> None:
    said = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    verbs = re.findall(r"^([a-z0-9-]+):.*## ", MAKEFILE, re.MULTILINE)
    assert verbs
    assert all(re.search(rf"^  make {verb} +\S", said, re.MULTILINE) for verb in verbs)


@pytest.mark.parametrize(
    "page", [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))], ids=lambda p: p.name
)
def test_pages_name_only_make_verbs_and_files_that_exist(page: Path) -> None:
    text = page.read_text()
    verbs = set(re.findall(r"^([a-z0-9-]+):", MAKEFILE, re.MULTILINE))
    assert set(re.findall(r"`make ([a-z0-9-]+)", text)) <= verbs
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_workflow_and_ci_run_the_gate() -> None:
    assert "make check" in (ROOT / ".github/workflows/check.yml").read_text()
    ci = (ROOT / ".ci/run").read_text()
    assert "make test" in ci
    assert "make lint" in ci


def test_the_python_version_is_the_one_of_the_project() -> None:
    version = (ROOT / ".python-version").read_text().strip()
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"].startswith(f">={version}")


def test_nothing_that_is_not_final_floats_and_the_page_names_what_is_pinned() -> None:
    page = (ROOT / "docs/versions.md").read_text()
    bundle = json.loads((ROOT / "host.json").read_text())["extensionBundle"]
    least, below = re.fullmatch(r"\[(\d+\.\d+\.\d+), (\d+\.\d+\.\d+)\)", bundle["version"]).groups()  # type: ignore[union-attr]
    assert least.rpartition(".")[0].split(".")[0] == below.split(".")[0]
    assert int(below.split(".")[1]) == int(least.split(".")[1]) + 1, "one minor version, which was tried"
    assert f"`{bundle['id']}`, `{bundle['version']}`" in page
    pinned = (ROOT / "requirements.txt").read_text()
    for name in ("azure-functions-durable", "durabletask", "azure-functions-runtime"):
        (version,) = re.findall(rf"(?m)^{name}==(\S+)", pinned)
        assert f"| `{name}` | {version}" in page
