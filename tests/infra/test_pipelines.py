"""Workflows, their Azure DevOps twin and the scripts that both call."""

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dev.stack import ROOT
from infra.scripts import package_functions

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TWIN = ROOT / "azure-pipelines.yml"
PINNED = re.compile(r"[\w./-]+@[0-9a-f]{40}")


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def steps_of(workflow: Any) -> Iterator[Any]:
    for job in workflow["jobs"].values():
        yield from job.get("steps", ())


def pin_problems(text: str) -> list[str]:
    """Actions that are not named by a commit, or do not say which version that is."""
    found = []
    for line in text.splitlines():
        if (used := re.search(r"uses: (\S+)", line)) and not used.group(1).startswith("./"):
            if not PINNED.fullmatch(used.group(1)):
                found.append(f"{used.group(1)} is not pinned by its commit")
            elif not re.search(r"# v\d", line):
                found.append(f"{used.group(1)} does not say its version")
    return found


def permission_problems(workflow: Any) -> list[str]:
    """Nothing but reading, unless a job says what else it needs."""
    found = [] if workflow.get("permissions") == {"contents": "read"} else ["the workflow may do more than read"]
    for name, job in workflow["jobs"].items():
        rights = job.get("permissions", {})
        found += [
            f"{name} may {right}: {how}" for right, how in rights.items() if how == "write" and right not in ALLOWED
        ]
        if "timeout-minutes" not in job and "uses" not in job:
            found.append(f"{name} may run for ever")
    return found


ALLOWED = {"id-token", "pull-requests", "security-events"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_and_every_right_is_asked_for(path: Path) -> None:
    assert not pin_problems(path.read_text())
    assert not permission_problems(read(path))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_secrets_reach_a_step_by_its_environment_alone(path: Path) -> None:
    for step in steps_of(read(path)):
        assert "${{" not in step.get("run", ""), "what is put into a script is run"
    assert all(
        re.match(r"\s+\w+: \$\{\{ secrets\.", line) for line in path.read_text().splitlines() if "secrets." in line
    )


def scripts_in(text: str) -> set[str]:
    return set(re.findall(r"infra/scripts/\w+\.sh", text))


def test_scripts_that_are_called_are_there_and_can_be_run() -> None:
    called = {script for path in (*WORKFLOWS, TWIN, ROOT / "azure.yaml") for script in scripts_in(path.read_text())}
    called |= {script for path in (ROOT / "infra" / "scripts").glob("*.sh") for script in scripts_in(path.read_text())}
    there = {str(path.relative_to(ROOT)) for path in (ROOT / "infra" / "scripts").glob("*.sh")}
    assert called == there
    assert all((ROOT / script).stat().st_mode & 0o111 for script in there)


def test_the_twin_calls_the_same_scripts() -> None:
    ours = {script for path in WORKFLOWS if path.name != "what-if.yml" for script in scripts_in(path.read_text())}
    assert scripts_in(TWIN.read_text()) == ours


def test_the_gate_has_microsofts_compiler_before_it_runs_the_tests() -> None:
    """Else what asks it is skipped there, and nobody sees that."""
    runs = [str(step.get("run", "")) for step in read(ROOT / ".github/workflows/check.yml")["jobs"]["check"]["steps"]]
    (named,) = (at for at, run in enumerate(runs) if run.startswith('echo "BICEP=$(infra/scripts/install_bicep.sh)"'))
    assert runs[named].endswith('>> "$GITHUB_ENV"')
    assert named < runs.index("make check")
    twin = read(TWIN)["stages"][0]["jobs"][0]["steps"]
    scripts = [str(step.get("script", "")) for step in twin]
    assert scripts.index("make check") > next(
        at for at, script in enumerate(scripts) if "variable=BICEP]$(infra/scripts/install_bicep.sh)" in script
    )


ORDER = ("cosign verify", "deploy.sh", "smoke.sh")


def test_production_gets_what_staging_got_after_the_smoke_test() -> None:
    jobs = read(ROOT / ".github/workflows/release.yml")["jobs"]
    assert (jobs["build"]["needs"], jobs["staging"]["needs"], jobs["production"]["needs"]) == (
        "check",
        "build",
        "staging",
    )
    assert jobs["staging"]["with"]["run"] == jobs["production"]["with"]["run"]
    deploy = [step.get("run", "") for step in steps_of(read(ROOT / ".github/workflows/deploy.yml"))]
    verified, deployed, tried = (
        next(at for at, run in enumerate(deploy) if words in run)
        for words in ("cosign verify", "deploy.sh", "smoke.sh")
    )
    assert verified < deployed < tried


def test_dependabot_watches_every_lock_file_and_every_workflow() -> None:
    kinds = {"uv.lock": "uv", "package-lock.json": "npm", "Dockerfile": "docker"}
    watched = {
        (update["package-ecosystem"], folder)
        for update in read(ROOT / ".github/dependabot.yml")["updates"]
        for folder in update.get("directories", [update.get("directory")])
    }
    listed = [name for name in package_functions.tracked(ROOT) if Path(name).name in kinds]
    wanted = {(kinds[Path(name).name], f"/{Path(name).parent}".removesuffix("/.") or "/") for name in listed}
    assert watched == wanted | {("github-actions", "/")}


def test_python_is_of_one_version_everywhere() -> None:
    version = (ROOT / ".python-version").read_text().strip()
    assert f"python:{version}-slim" in (ROOT / "relay/Dockerfile").read_text()
    assert f'versionSpec: "{version}"' in TWIN.read_text()
    assert f"version: '{version}'" in (ROOT / "infra/modules/function_app.bicep").read_text()


def test_the_package_holds_the_function_app_and_nothing_else(tmp_path: Path) -> None:
    package_functions.pack(tmp_path / "one.zip")
    package_functions.pack(tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    names = zipfile.ZipFile(tmp_path / "one.zip").namelist()
    folders = {name.partition("/")[0] for name in names if "/" in name}
    assert folders == {"__pycache__", "functions", "shared"}
    assert {"function_app.py", "host.json", "requirements.txt"} <= set(names)
    assert not any("settings.json" in name or name.endswith(".bicep") for name in names)


def test_each_module_of_the_package_runs_from_its_bytecode_whatever_its_time(tmp_path: Path) -> None:
    package_functions.pack(tmp_path / "app.zip")
    with zipfile.ZipFile(tmp_path / "app.zip") as package:
        package.extractall(tmp_path / "app")
    modules = [path for path in (tmp_path / "app").rglob("*.py") if path.stat().st_size]
    assert modules
    for path in modules:
        path.write_text("raise AssertionError('this was compiled')\n")
    words = "import sys, shared.session.lock; sys.exit(shared.session.lock.Lock().generation)"
    environment = {
        name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONPYCACHEPREFIX")
    }
    subprocess.run([sys.executable, "-c", words], cwd=tmp_path / "app", env=environment, check=True)
    for path in modules:
        assert (path.parent / "__pycache__" / f"{path.stem}.{sys.implementation.cache_tag}.pyc").exists(), path


def test_bytecode_of_another_python_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package_functions, "PYTHON", "3.12")
    with pytest.raises(package_functions.WrongPython, match=r"runs on 3\.12"):
        package_functions.pack(tmp_path / "app.zip")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("uses: actions/checkout@v4", "not pinned"),
        ("uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683", "does not say its version"),
        ("uses: ./.github/workflows/deploy.yml", None),
        ("uses: a/b@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2", None),
    ],
)
def test_an_action_that_is_not_pinned_is_told(text: str, problem: str | None) -> None:
    found = pin_problems(text)
    assert (problem is None and not found) or (problem and problem in found[0])


def test_a_job_with_too_many_rights_is_told() -> None:
    job = {"permissions": {"packages": "write"}}
    assert permission_problems({"permissions": {"contents": "write"}, "jobs": {"a": job}}) == [
        "the workflow may do more than read",
        "a may packages: write",
        "a may run for ever",
    ]
