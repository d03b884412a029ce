"""What the deployment's scripts do, in which order, before an `az` that writes down what it is asked."""

import json
import os
import re
import stat
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from dev.stack import ROOT
from infra.scripts import package_functions

SCRIPTS = ROOT / "infra" / "scripts"
DIGEST = "sha256:" + "a" * 64
OUTPUTS = {
    "resourceGroup": "rg", "functionAppName": "func", "apiBase": "https://func/api", "staticWebAppName": "stapp",
}  # fmt: skip
KNOWN = {"durableBackend": {"type": "string", "defaultValue": "storage"}}
TOOL = """#!/bin/sh
echo "$(basename "$0") $*" >> "$CALLS"
case "$*" in
  *"$FAILS"*) exit 3 ;;
  "deployment sub create"*) echo "$ANSWER" ;;
  *"secrets list"*) echo key-of-the-page ;;
  "bicep build-params"*) echo "$BUILT" ;;
  "provider operation show"*) printf '%s\n' "$REGISTERED" ;;
esac
"""


@dataclass
class Stage:
    folder: Path

    def run(self, script: str, *words: str, **more: str) -> "Ran":
        return self.run_command(str(SCRIPTS / script), *words, **more)

    def run_command(self, *command: str, fails: str = "nothing at all", **more: str) -> "Ran":
        calls = self.folder / "calls"
        calls.write_text("")
        environment = {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", "CALLS": str(calls), "FAILS": fails,
            "ANSWER": json.dumps({name: {"value": value} for name, value in OUTPUTS.items()}),
            "HOME": str(self.folder), "REGISTERED": "Microsoft.SerialConsole/serialPorts/connect/action",
            "BUILT": built({}),
        }  # fmt: skip
        done = subprocess.run(command, cwd=ROOT, env=environment | more, capture_output=True, text=True, check=False)
        return Ran(done.returncode, done.stdout, done.stderr, calls.read_text().splitlines())


@dataclass
class Ran:
    status: int
    output: str
    errors: str
    calls: list[str]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    (tmp_path / "bin").mkdir()
    for name in ("az", "azd", "npx"):
        tool = tmp_path / "bin" / name
        tool.write_text(TOOL)
        tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "page").mkdir()
    made_for(tmp_path, "storage")
    return Stage(tmp_path)


def built(given: dict[str, str]) -> str:
    """What the compiler makes of a parameter file, as far as it is read: `bicep build-params FILE --stdout`."""
    values = {"parameters": {name: {"value": value} for name, value in given.items()}}
    return json.dumps({"parametersJson": json.dumps(values), "templateJson": json.dumps({"parameters": KNOWN})})


def made_for(folder: Path, backend: str) -> None:
    """A package of the function app that is host.json alone."""
    with zipfile.ZipFile(folder / "functions.zip", "w") as package:
        package.writestr("host.json", package_functions.host_json((ROOT / "host.json").read_bytes(), backend))


@pytest.mark.parametrize(
    ("package", "given", "wanted"),
    [
        ("scheduler", {}, "storage"),
        ("scheduler", {"durableBackend": "storage"}, "storage"),
        ("storage", {"durableBackend": "scheduler"}, "scheduler"),
    ],
)
def test_a_package_that_is_made_for_another_engine_changes_nothing(
    stage: Stage, package: str, given: dict[str, str], wanted: str
) -> None:
    made_for(stage.folder, package)
    ran = deploy(stage, f"crbuild.azurecr.io/relay@{DIGEST}", BUILT=built(given))
    assert ran.status != 0
    assert f"package_functions.sh TARGET.zip {wanted}" in ran.errors
    assert ran.calls == ["az bicep build-params --file infra/prod.bicepparam --stdout"]


def test_a_package_that_is_made_for_the_engine_of_the_parameters_is_deployed(stage: Stage) -> None:
    made_for(stage.folder, "scheduler")
    ran = deploy(stage, f"crprod.azurecr.io/relay@{DIGEST}", BUILT=built({"durableBackend": "scheduler"}))
    assert ran.status == 0, ran.errors


def deploy(stage: Stage, image: str, **more: str) -> Ran:
    words = ("infra/prod.bicepparam", str(stage.folder / "functions.zip"), str(stage.folder / "page"))
    return stage.run("deploy.sh", *words, RELAY_IMAGE=image, **{"REGISTRY": "crprod.azurecr.io"} | more)


def test_a_release_is_deployed_part_by_part_and_its_answer_is_printed(stage: Stage) -> None:
    ran = deploy(stage, f"crprod.azurecr.io/relay@{DIGEST}")
    assert ran.status == 0, ran.errors
    assert [" ".join(call.split()[:4]) for call in ran.calls] == [
        "az bicep build-params --file",
        "az provider operation show",
        "az deployment sub create",
        "az functionapp deployment source",
        "az staticwebapp secrets list",
        "npx --yes @azure/static-web-apps-cli@2.0.10 deploy",
    ]
    assert (stage.folder / "page" / "address.js").read_text().endswith('export const API = "https://func/api";\n')
    assert "key-of-the-page" not in ran.output + ran.errors + "".join(ran.calls), "a key goes by the environment"
    assert json.loads(ran.output)["apiBase"]["value"] == "https://func/api"


def test_an_image_of_another_registry_is_copied_by_its_digest_first(stage: Stage) -> None:
    ran = deploy(stage, f"crbuild.azurecr.io/relay@{DIGEST}")
    assert ran.status == 0, ran.errors
    assert ran.calls[1].startswith(f"az acr import --name crprod --source crbuild.azurecr.io/relay@{DIGEST} ")


@pytest.mark.parametrize(
    "step", ["bicep build-params", "acr import", "provider operation", "deployment sub", "functionapp", "secrets list"]
)
def test_a_step_that_fails_ends_it(stage: Stage, step: str) -> None:
    ran = deploy(stage, f"crbuild.azurecr.io/relay@{DIGEST}", fails=step)
    assert ran.status != 0
    assert step in ran.calls[-1]


@pytest.mark.parametrize("lacks", ["RELAY_IMAGE", "REGISTRY"])
def test_what_is_not_said_is_asked_for_before_anything_is_done(stage: Stage, lacks: str) -> None:
    image = "" if lacks == "RELAY_IMAGE" else f"crprod.azurecr.io/relay@{DIGEST}"
    ran = deploy(stage, image, **({"REGISTRY": ""} if lacks == "REGISTRY" else {}))
    assert (ran.status != 0, ran.calls) == (True, [])
    assert lacks in ran.errors


@pytest.mark.parametrize("script", ["deploy.sh", "build_relay.sh", "package_page.sh", "what_if.sh", "smoke.sh"])
def test_how_a_script_is_used_is_said(stage: Stage, script: str) -> None:
    ran = stage.run(script)
    assert (ran.status != 0, ran.calls) == (True, [])
    assert f"usage: {script}" in ran.errors


def test_every_bicep_file_is_compiled(stage: Stage) -> None:
    ran = stage.run("compile.sh")
    assert ran.status == 0, ran.errors
    said = " ".join(ran.calls)
    templates = ("infra/main.bicep", "infra/identity/main.bicep")
    assert all(f"bicep lint --file {each}" in said and f"bicep build --file {each}" in said for each in templates)
    assert all(f"build-params --file infra/{each.name}" in said for each in (ROOT / "infra").glob("*.bicepparam"))


def test_what_would_change_is_told_as_a_comment(stage: Stage) -> None:
    ran = stage.run("what_if.sh", "infra/dev.bicepparam")
    assert ran.status == 0, ran.errors
    assert ran.output.startswith("What deploying `infra/dev.bicepparam` would change:")
    assert ran.calls[1].startswith("az deployment sub what-if ")


@pytest.mark.parametrize(
    ("registered", "reads"),
    [
        ("Microsoft.SerialConsole/serialPorts/connect/action\nMicrosoft.SerialConsole/serialPorts/write", []),
        (
            "Microsoft.SerialConsole/serialPorts/write\nMicrosoft.SerialConsole/consoleServices/read",
            ["Microsoft.SerialConsole/*/read"],
        ),
    ],
)
def test_switches_are_read_where_azure_has_an_action_for_it(stage: Stage, registered: str, reads: list[str]) -> None:
    ran = stage.run("switch_reads.sh", REGISTERED=registered)
    assert (ran.status, json.loads(ran.output)) == (0, reads)


def test_a_deployment_is_given_the_actions_that_azure_has(stage: Stage) -> None:
    seen = stage.folder / "bin" / "az"
    seen.write_text(TOOL.replace("case", 'echo "reads ${SWITCH_READS-}" >> "$CALLS"\ncase', 1))
    ran = deploy(stage, f"crprod.azurecr.io/relay@{DIGEST}", REGISTERED="Microsoft.SerialConsole/consoleServices/read")
    assert ran.calls[["sub create" in call for call in ran.calls].index(True) + 1] == (
        'reads ["Microsoft.SerialConsole/*/read"]'
    )


def before_azd_provisions(stage: Stage, **more: str) -> Ran:
    """The hook of azure.yaml, run as azd does: by sh, in the folder of the project."""
    (hook,) = re.findall(r"(?m)^  preprovision:\n    shell: sh\n    run: (.+)$", (ROOT / "azure.yaml").read_text())
    (stage.folder / "hook").write_text(hook)
    return stage.run_command("sh", str(stage.folder / "hook"), **more)


def test_azd_gives_the_actions_that_azure_has(stage: Stage) -> None:
    ran = before_azd_provisions(stage, REGISTERED="Microsoft.SerialConsole/consoleServices/read")
    assert ran.status == 0, ran.errors
    assert ran.calls[-1] == 'azd env set SWITCH_READS ["Microsoft.SerialConsole/*/read"]'


def test_azd_does_not_go_on_where_azure_could_not_be_asked(stage: Stage) -> None:
    ran = before_azd_provisions(stage, fails="provider operation")
    assert ran.status != 0
    assert not any(call.startswith("azd") for call in ran.calls)
