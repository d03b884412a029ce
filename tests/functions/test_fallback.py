"""The fallback: the packaged app on azure-functions-durable 1.x, behind the Durable Task extension itself.

That line of the library is served over HTTP and JSON, not by gRPC. The extension goes that way for a worker that is
"python" (Azure/azure-functions-durable-extension, DurableTaskExtension.cs, `OutOfProcProtocol`), where its program here
says "custom": a copy of it is made to say "python". It is newer than the released bundle's (docs/versions.md).
"""

import asyncio
import json
import os
import re
import subprocess
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from dev.demo import ADA, GRACE, SUBSCRIPTION, TENANT
from dev.older_durable import PYTHON
from dev.parts import engine
from dev.stack import ROOT
from infra.scripts.package_functions import pack
from shared.access.approval import Approval
from shared.access.approval_codec import approval_to_json
from shared.access.durable.approvals import ORCHESTRATION
from shared.access.rights import Right
from shared.access.tables.approvals import TableApprovals
from shared.base.tables import table_service
from shared.base.vm import VmId
from tests.dev.functions_host.engines import kill_engine
from tests.dev.functions_host.host_process import ENGINE_READY, running, until
from tests.fakes import FakeClock
from tests.functions.control_plane import ControlPlane, control_plane
from tests.functions.test_lock_on_the_engine import AT, until_opened
from tests.functions.test_over_http import attach, opened, vm
from tests.host_parts import PROGRAM, needs_host_parts
from tests.patience import PATIENCE

UNPACKS = "DOTNET_BUNDLE_EXTRACT_BASE_DIR"
CUSTOM, OURS = "custom".encode("utf-16-le"), "python".encode("utf-16-le")
NOBODY: Any = None
"""No credential: the connection string has its own."""
pytestmark = [
    needs_host_parts,
    pytest.mark.skipif(not PYTHON.exists(), reason="`python -m dev.prepare --tests` was not run: no packages of 1.x"),
]


def for_python(folder: Path) -> None:
    """Unpacks the extension's program into a folder, in which it says from then on that its functions are Python's."""
    environment = {**os.environ, UNPACKS: str(folder)}
    subprocess.run([PROGRAM, "routes", os.devnull], env=environment, input=b"", capture_output=True, check=False)
    (assembly,) = folder.glob("host-parts/*/host-parts.dll")
    said = assembly.read_bytes()
    assert said.count(CUSTOM) == 1, "it says elsewhere what its functions are"
    assembly.write_bytes(said.replace(CUSTOM, OURS))


@dataclass
class Fallback:
    """What the local host needs to run it."""

    app: Path
    words: tuple[str, ...]
    settings: dict[str, str]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Fallback:
    home = tmp_path_factory.mktemp("made")
    pack(home / "app.zip", "storage", "1")
    with zipfile.ZipFile(home / "app.zip") as package:
        package.extractall(home / "app")
    for_python(home / "unpacked")
    return Fallback(home / "app", ("--python", str(PYTHON)), {UNPACKS: str(home / "unpacked")})


@pytest.fixture(scope="module")
def fallback(made: Fallback, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with control_plane(tmp_path_factory.mktemp("fallback"), made.app, made.words, **made.settings) as plane:
        yield plane


def test_a_console_is_opened_kept_taken_over_and_given_back(fallback: ControlPlane) -> None:
    first = opened(fallback, "web-01", GRACE)
    assert attach(fallback, first["token"]).status_code == 200
    kept = fallback.call("POST", f"{vm('web-01')}/serialConsole/sessions", ADA, json={"takeover": "never"})
    assert (kept.status_code, kept.headers["x-ms-error-code"]) == (409, "ConsoleInUse")
    assert GRACE.name in kept.json()["error"]["message"]
    second = opened(fallback, "web-01", ADA)
    assert second["generation"] == first["generation"] + 1
    assert attach(fallback, second["token"]).status_code == 200


def test_an_approval_is_settled_by_its_orchestration(fallback: ControlPlane) -> None:
    demands = {"approval": ["write"], "approvalSeconds": 600}
    assert fallback.call("PUT", f"{AT}/policy", ADA, json=demands).status_code == 200

    def is_settled_by_it() -> bool:
        """A hub that takes longer than HUB_SECONDS is not waited for: then another request is tried."""
        before = fallback.host.log.count("without the task hub")
        asked = fallback.call("POST", f"{AT}/approvals", GRACE, json={"for": "write", "reason": "disk full"}).json()
        decided = fallback.call("POST", f"{AT}/approvals/{asked['id']}/decision", ADA, json={"allow": True})
        assert (decided.status_code, decided.json()["state"]) == (200, "approved"), fallback.host.log
        return fallback.host.log.count("without the task hub") == before

    until(is_settled_by_it, fallback.host)
    assert opened(fallback, "web-04", GRACE)["mode"] == "write"
    fallback.call("DELETE", f"{AT}/policy", ADA)


def test_of_all_who_take_a_console_while_its_engine_is_killed_one_may_write(fallback: ControlPlane) -> None:
    def take(number: int) -> dict[str, Any]:
        return until_opened(fallback, "web-01", (ADA, GRACE)[number % 2])[0]

    with ThreadPoolExecutor(4) as crowd:
        sessions = [crowd.submit(take, number) for number in range(4)]
        kill_engine(fallback.host)
        taken = [each.result() for each in sessions]
    generations = [each["generation"] for each in taken]
    assert len(set(generations)) == len(generations), "each generation belongs to one"
    last = opened(fallback, "web-01", ADA)
    assert last["generation"] > max(generations)
    admitted = [each["id"] for each in (*taken, last) if attach(fallback, each["token"]).status_code == 200]
    assert admitted == [last["id"]]


def test_a_request_that_nobody_decides_expires_by_its_timer(fallback: ControlPlane) -> None:
    now = time.time()
    vm = VmId(SUBSCRIPTION, "rg-web", "web-04")
    asked = Approval("nobody", vm, Right.WRITE, f"{TENANT}.{ADA.oid}", "Ada", "why", now, now + 1, good_seconds=60)

    async def remember() -> None:
        async with table_service(fallback.storage, NOBODY) as service:
            await TableApprovals(service, FakeClock(now)).add(asked)

    asyncio.run(remember())
    instance = f"instances/{asked.id}"
    address = re.findall(rf"{ENGINE_READY}, at (\S+)", fallback.host.log)[-1]
    with httpx.Client(base_url=address, timeout=PATIENCE) as hub:
        told = hub.post(f"orchestrators/{ORCHESTRATION}/{asked.id}", json=json.dumps(approval_to_json(asked)))
        assert told.status_code == 202
        until(lambda: hub.get(instance).json()["runtimeStatus"] not in ("Pending", "Running"), fallback.host)
        ended = hub.get(instance).json()
    assert (ended["runtimeStatus"], ended["output"]["state"]) == ("Completed", "expired")
    assert time.time() > asked.waits_until


def test_a_lock_goes_on_where_the_other_line_left_it(made: Fallback, tmp_path: Path) -> None:
    """There and back: a generation that is given twice would let two write."""
    with control_plane(tmp_path) as plane:
        generations = [opened(plane, "web-01", GRACE)["generation"]]
        plane.host.end()
        with running(made.app, plane.settings | made.settings, (*engine(), *made.words)) as host:
            there = replace(plane, host=host)
            generations += [until_opened(there, "web-01", who)[0]["generation"] for who in (ADA, GRACE)]
        with running(ROOT, plane.settings, engine()) as host:
            generations += [until_opened(replace(plane, host=host), "web-01", ADA)[0]["generation"]]
    assert generations == [1, 2, 3, 4]
