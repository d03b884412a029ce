"""What a stranger can learn of VMs, and what a VM's owner can make the service call: nothing."""

import re
import socket
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from dev.demo import ADA, Person, group
from functions import approvals, commands, policies, recordings, sessions, vms
from functions.http.pipeline import Work, answer
from shared import wiring
from shared.access.commands import Command
from shared.access.rights import DEFAULT, Right, on_vm
from shared.base.caller import Caller, CallerKind, Secret
from tests.fakes import VM, FakeDependencies, machine
from tests.functions.control_plane import ControlPlane
from tests.functions.test_answers import request

COMPUTE = f"/api{group('rg-web')}/providers/Microsoft.Compute"
STRANGER = Person("0a0c0000-0000-4000-8000-0000000000ee", "Nobody", "nobody@contoso.example", "no role anywhere")
QUESTIONS = (
    ("GET", ""), ("GET", "?for=watch"), ("GET", "/sessions"), ("POST", "/sessions"), ("GET", "/sessions/xxxxxxxx"),
    ("DELETE", "/sessions/xxxxxxxx"), ("POST", "/restart"), ("POST", "/reset"), ("POST", "/approvals"), ("GET",
    "/policy"),
    ("GET", "/approvals/xxxxxxxx"), ("POST", "/approvals/xxxxxxxx/decision"), ("PUT", "/policy"), ("DELETE", "/policy"),
    ("GET", "/transcript"), ("GET", "/../providers/Microsoft.SerialConsole/serialPorts/0"),
)  # fmt: skip
BODIES: dict[str, Any] = {
    "/approvals": {"reason": "x"},
    "/approvals/xxxxxxxx/decision": {"allow": True},
    "/policy": {},
}


@pytest.mark.parametrize(("method", "tail"), QUESTIONS)
def test_a_stranger_is_told_the_same_of_a_vm_that_is_there_and_of_one_that_is_not(
    plane: ControlPlane, method: str, tail: str
) -> None:
    told = []
    for name in ("web-01", "web-99"):
        address = f"{COMPUTE}/virtualMachines/{name}/serialConsole{tail}".replace("/serialConsole/..", "")
        body = BODIES.get(tail, {})
        answer = plane.call(method, address, STRANGER, **({"json": body} if method in ("POST", "PUT") else {}))
        assert answer.status_code in (403, 404), answer.text
        correlation = answer.headers.pop("x-ms-correlation-request-id")
        headers = {name: value for name, value in answer.headers.items() if name != "date"}
        told.append((answer.status_code, answer.text.replace(name, "NAME").replace(correlation, "ID"), headers))
    assert told[0] == told[1]


class Heard:
    """A port that writes down what it is asked."""

    def __init__(self, port: Any, asked: list[str]) -> None:
        self._port, self._asked = port, asked

    def __getattr__(self, method: str) -> Any:
        self._asked.append(f"{type(self._port).__name__}.{method}")
        return getattr(self._port, method)


WORKS: dict[str, tuple[Work, Any]] = {
    "show": (vms._show, None),
    "list sessions": (sessions._list, None),
    "open": (sessions._open, {}),
    "watch": (sessions._open, {"mode": "watch"}),
    "restart": (commands._doing(Command.RESTART), {}),
    "ask for approval": (approvals._ask, {"reason": "x"}),
    "show the policy": (policies._show, None),
    "read the transcript": (recordings._list, None),
    "set the policy": (policies._set, {"console": "off"}),
}


@pytest.mark.parametrize("work", WORKS)
async def test_a_vm_that_is_not_there_is_asked_about_like_one_that_is(work: str) -> None:
    """An application's VM is found with the service's own identity, so the two could differ."""
    doing, body = WORKS[work]
    heard: list[list[str]] = []
    for there in (True, False):
        fakes, asked = FakeDependencies(), list[str]()
        fakes.callers.answer = Caller(
            "t1", "app", "x", CallerKind.APPLICATION, frozenset({"Console.Automation"}), Secret("")
        )
        fakes.rights.lacking["app"] = [action for right in Right for action in on_vm(DEFAULT, right, VM)]
        fakes.vms.vms = {VM.console: machine(storage_uri="https://st.blob.core.windows.net/")} if there else {}
        ports = ("vms", "rights", "around", "policies", "approvals", "power", "consoles", "sessions", "relays")
        changes: dict[str, Any] = {name: Heard(getattr(fakes, name), asked) for name in ports}
        wiring.built["heard"] = replace(fakes.dependencies, **changes)
        response = await answer("test", request(body), "heard", doing)
        assert response.headers["x-ms-error-code"] == "VmNotFound"
        heard.append(sorted(asked))
    del wiring.built["heard"]
    assert heard[0] == heard[1] != []


@pytest.fixture
def trap(plane: ControlPlane) -> Iterator[int]:
    """A port on loopback that nobody must call; the VM's boot diagnostics are said to be there."""
    before = plane.world.units["web-04"].vm
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0)
        try:
            yield listening.getsockname()[1]
            with pytest.raises(BlockingIOError):
                listening.accept()[0].close()
        finally:
            plane.world.units["web-04"].vm = before


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:{port}/", "https://127.0.0.1:{port}/", "https://localhost:{port}/", "//127.0.0.1:{port}/",
        "https://st.blob.core.windows.net@127.0.0.1:{port}/", "https://127.0.0.1:{port}/st.blob.core.windows.net/",
        "https://127.0.0.1:{port}#.blob.core.windows.net/", "https://127.0.0.1:{port}\\.blob.core.windows.net/",
        "https://st.blob.core.windows.net:{port}/", "https://st.blob.core.windows.net\t@127.0.0.1:{port}/",
        "https://2130706433:{port}/", "file:///etc/passwd", "gopher://127.0.0.1:{port}/_", "https://[::1]:{port}/",
    ],
)  # fmt: skip
def test_where_boot_diagnostics_are_said_to_be_is_never_called(plane: ControlPlane, trap: int, uri: str) -> None:
    unit = plane.world.units["web-04"]
    unit.vm = replace(unit.vm, storage_uri=uri.format(port=trap))
    console = f"{COMPUTE}/virtualMachines/web-04/serialConsole"
    opened = plane.call("POST", f"{console}/sessions", ADA, json={})
    assert (opened.status_code, opened.json()["error"]["code"]) == (400, "BootDiagnosticsUriInvalid")
    for asked in (console, f"{console}/transcript", f"{console}/sessions", "/api/consoles"):
        assert plane.call("GET", asked, ADA).status_code < 500
    assert not re.search(rf"127\.0\.0\.1:{trap}", opened.text)
