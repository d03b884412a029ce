"""Microsoft's compiler takes the deployment without a word, where the variable BICEP names it."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.infra.bicep import INFRA
from tests.patience import PATIENCE

BICEP = os.environ.get("BICEP", "")
GRAPH = Path(BICEP).parent / "microsoftgraph-v1.0-1.0.0.tgz"
"""The types of the Graph extension, which the compiler would else fetch from its registry."""
pytestmark = pytest.mark.skipif(not BICEP, reason="BICEP is not set: the compiler was not asked")
CLIENTS = {"API_CLIENT_ID": "00000000-0000-0000-0000-000000000000", "PAGE_CLIENT_ID": "c1"}


def compiled(*words: str, folder: Path = INFRA) -> str:
    """What it prints; AssertionError when it says anything beside."""
    environment = os.environ | CLIENTS | {"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
    done = subprocess.run(
        [BICEP, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def resources(template: Any, kind: str) -> list[Any]:
    """Resources of a type, however deep in modules they lie."""
    match template:
        case {"type": found} if found == kind:
            return [template]
        case dict():
            return [each for value in template.values() for each in resources(value, kind)]
        case list():
            return [each for value in template for each in resources(value, kind)]
        case _:
            return []


def variables(template: Any) -> list[Any]:
    """Those of every module, however deep."""
    match template:
        case dict():
            own = [template["variables"]] if isinstance(template.get("variables"), dict) else []
            return own + [each for value in template.values() for each in variables(value)]
        case list():
            return [each for value in template for each in variables(value)]
        case _:
            return []


def test_the_service_is_linted_and_built() -> None:
    compiled("lint", "main.bicep")
    template = json.loads(compiled("build", "main.bicep", "--stdout"))
    assert resources(template, "Microsoft.Web/sites")


@pytest.mark.parametrize("path", sorted(INFRA.glob("*.bicepparam")), ids=lambda path: path.name)
def test_parameters_fit_the_template(path: Path) -> None:
    compiled("build-params", path.name, "--stdout")


def test_every_group_that_scales_apart_has_instances_that_are_always_ready() -> None:
    template = json.loads(compiled("build", "main.bicep", "--stdout"))
    (app,) = resources(template, "Microsoft.Web/sites")
    scale = app["properties"]["functionAppConfig"]["scaleAndConcurrency"]
    groups = re.findall(r"'name', '([\w:]+)', 'instanceCount', parameters\('(\w+)'\)", scale["alwaysReady"])
    assert groups == [
        ("http", "readyForHttp"),
        ("durable", "readyForLock"),
        ("function:archive", "readyForArchive"),
    ]
    defaults = {name: template["parameters"][name]["defaultValue"] for _, name in groups}
    assert all(defaults.values())
    assert scale["triggers"]["http"]["perInstanceConcurrency"] == "[parameters('httpConcurrency')]"


def test_what_the_plan_hands_out_is_what_the_host_works_on() -> None:
    template = json.loads(compiled("build", "main.bicep", "--stdout"))
    (settings,) = (each["hostSettings"] for each in variables(template) if "hostSettings" in each)
    limits = {name.rpartition("__")[2]: value for name, value in settings.items() if "__http__" in name}
    assert limits == {
        "maxConcurrentRequests": "[string(parameters('httpConcurrency'))]",
        "maxOutstandingRequests": "[string(max(200, mul(4, parameters('httpConcurrency'))))]",
    }


@pytest.mark.skipif(not GRAPH.exists(), reason="the types of the Graph extension are not beside the compiler")
def test_the_registrations_are_built(tmp_path: Path) -> None:
    folder = tmp_path / "identity"
    shutil.copytree(INFRA / "identity", folder)
    settings = json.loads((folder / "bicepconfig.json").read_text())
    settings["extensions"]["microsoftGraphV1"] = os.path.relpath(GRAPH, folder)
    (folder / "bicepconfig.json").write_text(json.dumps(settings))
    compiled("lint", "main.bicep", folder=folder)
    assert "Microsoft.Graph/applications" in compiled("build", "main.bicep", "--stdout", folder=folder)
