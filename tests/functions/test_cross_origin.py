"""Pages of other origins: those that are named may call, all others are refused before they do anything."""

import json
import uuid
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from dev.demo import ADA, SUBSCRIPTION, group
from tests.dev.functions_host.host_process import until
from tests.functions.control_plane import ControlPlane
from tests.functions.test_the_app import HTTP

PREFLIGHT = "Access-Control-Request-Method"
FOREIGN = ("https://evil.example", "null", "http://localhost:1", "*", "http://localhost")
MEANT = {
    "subscription": SUBSCRIPTION, "group": "rg-web", "name": "web-01", "scale_set": "workers", "session": "x" * 8,
    "approval": "x" * 8, "kind": "virtualMachines", "port": "0",
}  # fmt: skip
ADDRESSES = sorted({f"/api/{route.format_map(MEANT)}" for _, route in HTTP.values() if not route.startswith("relay/")})
VM = f"/api{group('rg-web')}/providers/Microsoft.Compute/virtualMachines/web-01/serialConsole"


def of_cors(answer: httpx.Response) -> Mapping[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


def own(plane: ControlPlane) -> str:
    return f"http://localhost:{plane.stack.base}"


def ask(plane: ControlPlane, address: str, origin: str | None, **headers: str) -> httpx.Response:
    asked = {PREFLIGHT: "PUT", "Access-Control-Request-Headers": "authorization"} | headers
    return plane.call("OPTIONS", address, None, headers=asked | ({"Origin": origin} if origin else {}))


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_that_is_named_may_call_every_address(plane: ControlPlane, address: str) -> None:
    answer = ask(plane, address, own(plane))
    assert (answer.status_code, answer.content, answer.headers["vary"]) == (204, b"", "Origin")
    assert of_cors(answer) == {
        "access-control-allow-origin": own(plane),
        "access-control-allow-methods": "GET, POST, PUT, DELETE",
        "access-control-allow-headers": (
            "Authorization, Content-Type, If-Match, If-None-Match, x-ms-correlation-request-id"
        ),
        "access-control-max-age": "600",
        "access-control-expose-headers": of_cors(answer)["access-control-expose-headers"],
    }


@pytest.mark.parametrize("origin", [*FOREIGN, None])
def test_a_page_that_is_not_named_is_refused(plane: ControlPlane, origin: str | None) -> None:
    answer = ask(plane, VM, origin)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "CallerNotPermitted")
    assert "PAGE_ORIGINS" in answer.json()["error"]["innererror"]["fix"], "no consent would mend it"
    assert (of_cors(answer), answer.headers["vary"]) == ({}, "Origin")


def test_a_name_that_only_looks_like_ours_is_refused(plane: ControlPlane) -> None:
    for origin in (
        f"{own(plane)}.evil.example",
        own(plane).upper(),
        f"{own(plane)}/",
        own(plane)[:-1],
        f"{own(plane)},x",
    ):
        assert ask(plane, VM, origin).status_code == 403


def test_a_named_page_reads_every_answer_and_its_headers(plane: ControlPlane) -> None:
    for address, who, status in (
        (VM, ADA, 200), (VM, None, 401), (f"{VM}/sessions/xxxxxxxx", ADA, 404), ("/api/config", None, 200),
    ):  # fmt: skip
        answer = plane.call("GET", address, who, headers={"Origin": own(plane)})
        assert (answer.status_code, answer.headers["vary"]) == (status, "Origin")
        assert set(of_cors(answer)) == {"access-control-allow-origin", "access-control-expose-headers"}
        assert of_cors(answer)["access-control-allow-origin"] == own(plane)
        exposed = answer.headers["access-control-expose-headers"].lower().split(", ")
        assert {"x-ms-error-code", "www-authenticate", "retry-after", "etag", "location"} < {*exposed}


def test_what_a_transcript_says_in_headers_can_be_read(plane: ControlPlane) -> None:
    answer = plane.call("GET", f"{VM}/transcript", ADA, headers={"Origin": own(plane)})
    said = {name for name in answer.headers if name.startswith("x-console-")}
    assert said
    assert said < {*answer.headers["access-control-expose-headers"].lower().split(", ")}


@pytest.mark.parametrize("origin", FOREIGN)
def test_other_pages_read_nothing(plane: ControlPlane, origin: str) -> None:
    answer = plane.call("GET", VM, ADA, headers={"Origin": origin})
    assert (of_cors(answer), answer.headers["vary"]) == ({}, "Origin")
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def test_a_refused_preflight_is_in_the_audit_log(plane: ControlPlane) -> None:
    mine = str(uuid.uuid4())
    ask(plane, VM, "https://evil.example", **{"x-ms-correlation-request-id": mine})
    said = audited(plane, mine)
    assert (said["outcome"], said["status"], said["caller"], said["address"]) == (
        "CallerNotPermitted", 403, None, "127.0.0.1",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("method", "outcome"), [("OPTIONS", "NotFound"), ("GET", "CallerNotAuthenticated")]
)  # an OPTIONS that asks for no method is no preflight
def test_what_nobody_asked_is_in_the_audit_log_with_where_from(plane: ControlPlane, method: str, outcome: str) -> None:
    mine = str(uuid.uuid4())
    plane.call(method, VM, None, headers={"x-ms-correlation-request-id": mine, "X-Forwarded-For": "203.0.113.7"})
    said = audited(plane, mine)
    assert (said["outcome"], said["caller"], said["address"]) == (outcome, None, "203.0.113.7")


def test_where_there_is_nothing_no_page_is_let_in(plane: ControlPlane) -> None:
    """The host answers, not we: its 404 has no header of ours, so a browser keeps it from the page."""
    for method in ("OPTIONS", "GET"):
        headers = {"Origin": own(plane), PREFLIGHT: "GET"}
        answer = plane.call(method, "/api/nowhere", ADA, headers=headers)
        assert (answer.status_code, answer.content, of_cors(answer)) == (404, b"", {})


def audited(plane: ControlPlane, correlation: str) -> dict[str, Any]:
    until(lambda: correlation in plane.host.log, plane.host)
    (line,) = (line for line in plane.host.lines if correlation in line)
    said: dict[str, Any] = json.loads(line.partition("serial_console.audit ")[2])
    return said
