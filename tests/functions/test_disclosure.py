"""What a stranger can learn of VMs, and what a VM's owner can make the service call: nothing."""

import re
import socket
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from dev.fleet import ADA, Person, group
from tests.functions.control_plane import ControlPlane

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
        length = int(answer.headers.pop("content-length"))
        assert length == len(answer.content)
        headers = {name: value for name, value in answer.headers.items() if name != "date"}
        told.append((answer.status_code, answer.text.replace(name, "NAME").replace(correlation, "ID"), headers))
    assert told[0] == told[1]


@pytest.fixture
def trap(plane: ControlPlane) -> Iterator[int]:
    """A port on loopback that nobody must call; the VM's boot diagnostics are said to be there."""
    before = plane.world.units["web-04"].vm
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0)
        yield listening.getsockname()[1]
        with pytest.raises(BlockingIOError):
            listening.accept()
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
