"""A worker is replaced at any time, for everybody on its instance: nothing is lost but caches."""

import os
import signal
from pathlib import Path
from typing import Any

import jwt
import pytest

from dev.demo import ADA, GRACE
from tests.dev.functions_host.host_process import until
from tests.functions.control_plane import ControlPlane
from tests.functions.policies import demanding
from tests.functions.test_over_http import opened, vm

NAME = "web-01"
CHANGES_BY_ITSELF = {"milliseconds", "correlationId"}


def workers(plane: ControlPlane) -> set[int]:
    """Child processes of the host that run a worker."""
    host = plane.host.process.pid
    children = Path(f"/proc/{host}/task/{host}/children").read_text().split()
    return {int(pid) for pid in children if b"worker_process" in Path(f"/proc/{pid}/cmdline").read_bytes()}


def replace_worker(plane: ControlPlane) -> None:
    """Kills it, as a function that outlives the limit does to everybody, and returns when another one answers."""
    (old,) = workers(plane)
    os.kill(old, signal.SIGKILL)
    until(lambda: bool(workers(plane) - {old}), plane.host)
    until(lambda: plane.host.client.get("/api/config").status_code == 200, plane.host)


def without(said: Any) -> Any:
    if isinstance(said, dict):
        return {name: without(value) for name, value in said.items() if name not in CHANGES_BY_ITSELF}
    return [without(each) for each in said] if isinstance(said, list) else said


@pytest.fixture
def session(plane: ControlPlane) -> dict[str, Any]:
    return opened(plane, NAME, ADA, mode="write")


def test_a_new_worker_answers_what_the_old_one_did(plane: ControlPlane, session: dict[str, Any]) -> None:
    console = f"{vm(NAME)}/serialConsole"
    addresses = [
        console, f"{console}/sessions", f"{console}/sessions/{session['id']}", f"{console}/policy",
        f"{console}/recordings", f"{console}/transcript/reads", f"{console}/checkpoints",
        f"{console}/transcript/verification", "/api/consoles", "/api/approvals", "/api/policy", "/api/config",
        "/api/keys", "/api/health", "/api/openapi.json",
    ]  # fmt: skip
    asked = [(address, ADA) for address in addresses] + [(console, GRACE), ("/api/consoles", GRACE)]

    def answers() -> list[Any]:
        found = [plane.call("GET", address, who) for address, who in asked]
        return [(answer.status_code, without(answer.json())) for answer in found]

    with demanding(plane, vm(NAME)[4:], reason=True):
        before = answers()
        replace_worker(plane)
        after = answers()
    assert dict(zip(asked, after, strict=True)) == dict(zip(asked, before, strict=True))


def test_what_is_used_up_stays_used_up_and_who_holds_the_console_keeps_it(
    plane: ControlPlane, session: dict[str, Any]
) -> None:
    grant = _claims(session["token"])
    first = plane.as_relay("attach", {"relay": "r0", "grant": grant})
    assert first.status_code == 200
    replace_worker(plane)
    again = plane.as_relay("attach", {"relay": "r0", "grant": grant})
    assert (again.status_code, again.json()["error"]["code"]) == (401, "TokenReplayed")
    beat = {"vm": vm(NAME)[4:], "session": session["id"], "generation": session["generation"], "mode": "write"}
    answer = plane.as_relay("heartbeat", {"relay": "r0", "sessions": [beat]})
    assert (answer.status_code, answer.json()["end"]) == (200, [])
    shown = plane.call("GET", f"{vm(NAME)}/serialConsole", ADA).json()["console"]
    assert (shown["generation"], shown["writer"]["name"]) == (session["generation"], ADA.name)
    assert opened(plane, NAME, GRACE, mode="write")["generation"] == session["generation"] + 1


def _claims(token: str) -> dict[str, Any]:
    said: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return said
