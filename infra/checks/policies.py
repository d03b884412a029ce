"""checkov's policies over the Bicep files: passed, or excused with a reason. `python infra/checks/policies.py`.

checkov's reader of Bicep is older than some of what we write. So it gets copies in which that is written the old way;
what it still cannot read is named, and no more than is listed here may be unread.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

INFRA = Path(__file__).resolve().parents[1]
CHECKOV = Path(sys.executable).with_name("checkov")
_NO_BYPASS = "nobody passes the firewall, not even Azure's own services: the network has private endpoints"
_ZONES = "redundant over zones: a record of evidence does not leave its region by itself"
_UNSEEN = "it is so; checkov does not look into a resource that is made on a condition (tests/infra does)"
EXCUSED = {
    ("CKV_AZURE_139", "registry.registry"): "pipelines push from outside the network; only identities open it",
    ("CKV_AZURE_166", "registry.registry"): "the pipeline scans and signs before it deploys, by digest",
    ("CKV_AZURE_36", "transcripts.account"): _NO_BYPASS,
    ("CKV_AZURE_36", "host_storage.account"): _NO_BYPASS,
    ("CKV_AZURE_206", "transcripts.account"): _ZONES,
    ("CKV_AZURE_206", "host_storage.account"): _ZONES,
    ("CKV_AZURE_206", "relay_environment.disks"): _ZONES,
    ("CKV_AZURE_35", "relay_environment.disks"): _UNSEEN,
    ("CKV_AZURE_43", "relay_environment.disks"): _UNSEEN,
    ("CKV_AZURE_44", "relay_environment.disks"): _UNSEEN,
    (
        "CKV_AZURE_225",
        "function_app.plan",
    ): "it keeps nothing: a lost zone costs consoles the start of an instance",
    ("CKV_AZURE_222", "function_app.app"): "off unless publicEntrance is on, which checkov does not compute",
    ("CKV_AZURE_17", "function_app.app"): "callers are known by tokens of Entra ID; browsers have no certificates",
    ("CKV_AZURE_212", "function_app.app"): "alwaysReady keeps instances, of which this policy does not know",
    ("CKV_AZURE_213", "function_app.app"): "Flex Consumption has no health check of the platform",
}
"""By policy and file.resource, why it may stand."""
UNREAD = frozenset({"network.bicep", "spool_network.bicep"})
"""Too modern for its reader; tests/infra/test_secure.py holds them to the same."""
OLD_WAYS = (
    (re.compile(r"(?m)^(param \w+ \w+)\?"), r"\1"),  # nullable types
    (re.compile(r"(\w|\])!([.\[])"), r"\1\2"),  # non-null assertions
    (re.compile(r"(?m)= (map|toObject)\(.*\)$"), "= []"),  # lambdas
    (re.compile(r"\$\{\w+\[\?environment\(\)\.name\] \?\? '([\w.]+)'\}"), r"\1"),  # names by cloud: the public one's
    (re.compile(r"endpoints == null \? '\w+' : ('\w+')"), r"\1"),  # what holds by default: a private network
)


def rewritten(text: str) -> str:
    for new, old in OLD_WAYS:
        text = new.sub(old, text)
    return text


def copies(source: Path, target: Path) -> None:
    for path in source.rglob("*.bicep"):
        if path.parent.name == "identity":
            continue  # no policy is about Entra ID, and checkov knows no extensions
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(rewritten(path.read_text()))


def asked(folder: Path) -> tuple[dict[tuple[str, str], str], set[str], int]:
    """Policies that do not hold, by id and file.resource; files that could not be read; how many policies hold."""
    command = [str(CHECKOV), "-d", str(folder), "--framework", "bicep", "--compact", "--skip-download", "-o", "json"]
    quiet = os.environ | {"LOG_LEVEL": "CRITICAL"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=quiet)
    said = json.loads(done.stdout)
    results = said["results"]
    failed = {
        (each["check_id"], f"{Path(each['file_path']).stem}.{each['resource'].rpartition('.')[2]}"): each["check_name"]
        for each in results["failed_checks"]
    }
    return failed, {Path(each).name for each in results["parsing_errors"]}, said["summary"]["passed"]


def problems(source: Path) -> list[str]:
    """What is not excused, what could not be read, and excuses that nothing needs; none when all is well."""
    with tempfile.TemporaryDirectory() as folder:
        copies(source, Path(folder))
        failed, unread, passed = asked(Path(folder))
    print(
        f"{passed} policies hold, {len(failed)} do not and {len(EXCUSED)} are excused, {len(unread)} files are unread"
    )
    here = {
        (policy, place)
        for policy, place in EXCUSED
        if (source / "modules" / f"{place.partition('.')[0]}.bicep").exists()
    }
    return [
        *(f"{policy} {place}: {name}" for (policy, place), name in failed.items() if (policy, place) not in EXCUSED),
        *(f"{policy} {place} is excused, and holds" for policy, place in sorted(here - failed.keys())),
        *(f"{name} cannot be read" for name in sorted(unread - UNREAD)),
    ]


if __name__ == "__main__":
    wrong = problems(Path(sys.argv[1]) if len(sys.argv) > 1 else INFRA)
    print("\n".join(wrong) or "every policy holds, or is excused")
    sys.exit(bool(wrong))
