"""The API as its clients meet it: the function app in the host, real tokens, ARM's stand-in, Microsoft's storage."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import jwt
import pytest

from dev.demo import ADA, ALAN, API_SCOPE, GRACE, PAGE_CLIENT, RELAY, TENANT, group
from dev.entra.tokens import (
    app_token,
    expired_token,
    foreign_key_token,
    unsigned_token,
    user_token,
    wrong_audience_token,
    wrong_tenant_token,
)
from functions.http.responses import SECURITY_HEADERS
from shared.access.checks import CheckName
from tests.dev.functions_host.host_process import until
from tests.functions.control_plane import ISSUER, ControlPlane


def vm(name: str, of: str = "rg-web") -> str:
    return f"/api{group(of)}/providers/Microsoft.Compute/virtualMachines/{name}"


def claims(token: str) -> dict[str, Any]:
    read: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return read


def refusal(answer: httpx.Response) -> tuple[int, str]:
    error = answer.json()["error"]
    assert answer.headers["x-ms-error-code"] == error["code"]
    assert answer.headers["x-ms-correlation-request-id"] == error["innererror"]["correlationId"]
    return answer.status_code, error["code"]


def opened(plane: ControlPlane, name: str, who: Any, **wish: Any) -> dict[str, Any]:
    answer = plane.call("POST", f"{vm(name)}/serialConsole/sessions", who, json=wish)
    assert answer.status_code == 201, answer.text
    result: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"{vm(name)}/serialConsole/sessions/{result['id']}"
    return result


def attach(plane: ControlPlane, token: str) -> httpx.Response:
    return plane.as_relay("attach", {"relay": "r0", "grant": claims(token)})


def test_every_session_takes_the_console_from_the_one_before_and_the_relay_hears_of_it(plane: ControlPlane) -> None:
    first = opened(plane, "web-01", ADA, reason="boot loop")
    plane.relay.told.clear()
    second = opened(plane, "web-01", GRACE)
    assert second["generation"] == first["generation"] + 1
    assert second["displaced"]["name"] == ADA.name
    (fence,) = plane.relay.told
    assert (fence[0], fence[1]["generation"], fence[1]["by"]) == ("fence", second["generation"], GRACE.name)


def test_a_token_is_verified_by_the_public_keys_and_says_what_was_granted(plane: ControlPlane) -> None:
    session = opened(plane, "web-01", ADA)
    (key,) = plane.call("GET", "/api/keys", None).json()["keys"]
    read = jwt.decode(session["token"], jwt.PyJWK(key), ["ES256"], audience="relay:r0", issuer=ISSUER)
    assert jwt.get_unverified_header(session["token"])["typ"] == "console+jwt"
    assert (read["sid"], read["gen"], read["mode"]) == (session["id"], session["generation"], "write")
    assert read["sub"] == f"{TENANT}.{ADA.oid}"
    assert read["exp"] - read["iat"] <= 30


def test_a_token_admits_once(plane: ControlPlane) -> None:
    session = opened(plane, "web-01", ADA)
    first = attach(plane, session["token"])
    assert (first.status_code, first.json()["session"]) == (200, session["id"])
    assert refusal(attach(plane, session["token"])) == (401, "TokenReplayed")


def test_a_superseded_token_admits_nobody(plane: ControlPlane) -> None:
    session = opened(plane, "web-01", ADA)
    opened(plane, "web-01", GRACE)
    assert refusal(attach(plane, session["token"])) == (409, "SessionSuperseded")


def test_a_heartbeat_ends_whoever_was_superseded_and_says_by_whom(plane: ControlPlane) -> None:
    old, new = opened(plane, "web-01", ADA), opened(plane, "web-01", GRACE)
    live = [
        {"vm": vm("web-01")[4:], "session": each["id"], "generation": each["generation"], "mode": "write"}
        for each in (old, new)
    ]
    answer = plane.as_relay("heartbeat", {"relay": "r0", "sessions": live})
    ended = {"session": old["id"], "code": "SessionSuperseded", "by": GRACE.name}
    said = answer.json()
    assert said.pop("again").keys() == {new["id"]}
    assert said == {"end": [ended], "keep": [], "keepTo": None, "capture": []}


def test_a_console_in_use_is_kept_under_never_and_says_by_whom(plane: ControlPlane) -> None:
    opened(plane, "web-01", ADA)
    answer = plane.call("POST", f"{vm('web-01')}/serialConsole/sessions", GRACE, json={"takeover": "never"})
    assert refusal(answer) == (409, "ConsoleInUse")
    assert ADA.name in answer.json()["error"]["message"]


@pytest.mark.parametrize(("status", "code"), [(201, None), (409, "TakeoverRefused")])
def test_a_writer_who_is_asked_decides(plane: ControlPlane, status: int, code: str | None) -> None:
    opened(plane, "web-01", ADA)
    plane.relay.allows = code is None
    answer = plane.call("POST", f"{vm('web-01')}/serialConsole/sessions", GRACE, json={"takeover": "ask"})
    assert (answer.status_code, answer.headers.get("x-ms-error-code")) == (status, code)


def test_a_detached_console_is_free_again(plane: ControlPlane) -> None:
    session = opened(plane, "web-01", ADA)
    left = {"vm": vm("web-01")[4:], "session": session["id"], "generation": session["generation"], "mode": "write"}
    told = {"relay": "r0", **left, "why": "Goodbye", "typed": 3, "printed": 40}
    assert plane.as_relay("detach", told).status_code == 204
    shown = plane.call("GET", f"{vm('web-01')}/serialConsole/sessions/{session['id']}", ADA).json()
    assert (shown["state"], shown["endedBy"]) == ("ended", "Goodbye")
    assert opened(plane, "web-01", GRACE, takeover="never")["displaced"] is None


def test_one_ends_only_ones_own_session(plane: ControlPlane) -> None:
    session = opened(plane, "web-01", ADA)
    address = f"{vm('web-01')}/serialConsole/sessions/{session['id']}"
    assert refusal(plane.call("DELETE", address, GRACE)) == (404, "SessionNotFound")
    plane.relay.told.clear()
    assert plane.call("DELETE", address, ADA).status_code == 204
    assert plane.relay.told[0][0] == "end"
    assert plane.call("DELETE", address, ADA).status_code == 204
    assert refusal(attach(plane, session["token"])) == (409, "SessionEnded")


def test_a_watcher_takes_nothing(plane: ControlPlane) -> None:
    writer = opened(plane, "web-01", ADA)
    watcher = opened(plane, "web-01", GRACE, mode="watch")
    assert (watcher["generation"], watcher["displaced"]) == (writer["generation"], None)
    assert attach(plane, watcher["token"]).status_code == 200


@pytest.mark.parametrize(
    ("name", "code", "status"),
    [
        ("web-02", "VmNotRunning", 409),
        ("web-03", "BootDiagnosticsDisabled", 409),
        ("web-05", "VmProvisioning", 409),
        ("web-99", "VmNotFound", 404),
    ],
)
def test_what_stands_in_the_way_is_said(plane: ControlPlane, name: str, code: str, status: int) -> None:
    assert refusal(plane.call("POST", f"{vm(name)}/serialConsole/sessions", ADA, json={})) == (status, code)


def test_a_reader_sees_every_vm_and_opens_none(plane: ControlPlane) -> None:
    assert refusal(plane.call("POST", f"{vm('web-01')}/serialConsole/sessions", ALAN, json={})) == (
        403,
        "VmPermissionDenied",
    )
    listed = plane.call("GET", "/api/consoles", ALAN).json()["value"]
    assert {each["name"] for each in listed} >= {"web-01", "web-05", "db-01"}
    assert not any(each["available"] for each in listed)


def test_the_list_says_which_consoles_can_be_opened(plane: ControlPlane) -> None:
    listed = {each["name"]: each for each in plane.call("GET", "/api/consoles", GRACE).json()["value"]}
    assert listed["web-01"]["available"]
    assert listed["web-01"]["power"] == "running"
    assert listed["web-02"]["refusals"][0]["code"] == "VmNotRunning"
    assert listed["db-01"]["refusals"][0]["code"] == "VmPermissionDenied"
    assert listed["web-04"]["warnings"][0]["code"] == "PasswordLoginUnavailable"


def test_the_preflight_makes_every_check(plane: ControlPlane) -> None:
    shown = plane.call("GET", f"{vm('web-02')}/serialConsole", ALAN).json()
    assert [each["check"] for each in shown["checks"]] == [
        check for check in CheckName if check is not CheckName.REASON
    ]
    assert [each["check"] for each in shown["checks"] if not each["passed"]] == ["permission", "power"]
    assert (shown["for"], shown["rights"]) == ("write", [])
    (power,) = (each for each in shown["checks"] if each["check"] == "power")
    assert "az vm start" in power["fixCommand"]


def test_tokens_that_are_not_ours_open_nothing(plane: ControlPlane) -> None:
    bad = [
        expired_token(plane.stack, ADA), wrong_audience_token(plane.stack, ADA), wrong_tenant_token(plane.stack, ADA),
        foreign_key_token(plane.stack, ADA), foreign_key_token(plane.stack, ADA, borrow_kid=True),
        unsigned_token(plane.stack, ADA), "x", "a.b.c", None,
    ]  # fmt: skip
    for token in bad:
        answer = plane.call("GET", "/api/consoles", token)
        assert refusal(answer) == (401, "CallerNotAuthenticated")
        assert answer.headers["www-authenticate"].startswith("Bearer ")


def test_a_relay_is_no_user_and_a_user_is_no_relay(plane: ControlPlane) -> None:
    assert refusal(plane.call("GET", "/api/consoles", app_token(plane.stack, RELAY))) == (403, "CallerNotPermitted")
    told = plane.call("POST", "/api/relay/heartbeat", ADA, json={"relay": "r0", "sessions": []})
    assert refusal(told) == (403, "CallerNotPermitted")


def test_a_user_token_without_our_scope_is_not_permitted(plane: ControlPlane) -> None:
    token = user_token(plane.stack, ADA, scp="User.Read")
    assert refusal(plane.call("GET", "/api/consoles", token)) == (403, "CallerNotPermitted")


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (b'{"mode":"wrote"}', "mode"),
        (b'{"mood":"write"}', "mood"),
        (b'{"mode":"write","mode":"watch"}', "twice"),
        (b'{"reason":5}', "reason"),
        (b'{"reason":"a\\u0000b"}', "reason"),
        (b'{"reason":"\\ud800"}', "reason"),
        (b"[]", "object"),
        (b"{", "JSON"),
        (b"\xff", "JSON"),
        (b"NaN", "JSON"),
        (b"[" * 9000, "JSON"),
    ],
)
def test_a_body_that_is_not_as_documented_is_refused_by_name(plane: ControlPlane, body: bytes, names: str) -> None:
    answer = plane.call(
        "POST",
        f"{vm('web-01')}/serialConsole/sessions",
        ADA,
        content=body,
        headers={"Content-Type": "application/json"},
    )
    assert refusal(answer) == (400, "InvalidRequest")
    assert names in answer.json()["error"]["message"]


def test_bodies_are_bounded_and_are_json_by_their_header(plane: ControlPlane) -> None:
    address = f"{vm('web-01')}/serialConsole/sessions"
    large = plane.call("POST", address, ADA, content=b" " * 16385, headers={"Content-Type": "application/json"})
    assert refusal(large) == (413, "RequestTooLarge")
    text = plane.call("POST", address, ADA, content=b"{}", headers={"Content-Type": "text/plain"})
    assert refusal(text) == (400, "InvalidRequest")


@pytest.mark.parametrize(
    "name", ["web%2F..%2Fx", "web-01%00", "%2e%2e", "web%25", "we b", "web-01.", "\u017f", "\u212a"]
)
def test_names_that_are_not_names_are_refused(plane: ControlPlane, name: str) -> None:
    answer = plane.call("GET", f"{vm(name)}/serialConsole", ADA)
    if answer.content:
        assert refusal(answer) == (400, "InvalidRequest")
    else:
        assert answer.status_code in (400, 404)  # the host's own


def test_a_scale_set_needs_an_instance(plane: ControlPlane) -> None:
    address = f"/api{group('rg-web')}/providers/Microsoft.Compute/virtualMachineScaleSets/workers/serialConsole"
    assert refusal(plane.call("POST", f"{address}/sessions", ADA, json={})) == (404, "ScaleSetNotSpecified")
    assert refusal(plane.call("GET", address, ADA)) == (404, "ScaleSetNotSpecified")


def test_an_instance_of_a_scale_set_has_a_console(plane: ControlPlane) -> None:
    base = f"/api{group('rg-web')}/providers/Microsoft.Compute/virtualMachineScaleSets/workers/virtualMachines/0"
    shown = plane.call("GET", f"{base}/serialConsole", ADA)
    assert (shown.status_code, shown.json()["name"]) == (200, "workers/0")


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("GET", "/api/nowhere/at/all"), ("PUT", "/api/health"), ("HEAD", "/api/config"), ("GET", "/api"),
        ("OPTIONS", "/api/relay/heartbeat"), ("POST", f"{vm('web-01')}/serialConsole/explode"),
    ],
)  # fmt: skip
def test_what_no_function_takes_is_the_hosts_own_404(plane: ControlPlane, method: str, address: str) -> None:
    answer = plane.call(method, address, None)
    assert (answer.status_code, answer.content) == (404, b"")
    assert {"content-type", "x-ms-error-code"} & {*answer.headers} == set()
    assert SECURITY_HEADERS.items() <= {name: answer.headers.get(name) for name in SECURITY_HEADERS}.items()


def test_the_hosts_bare_address_shows_no_page_about_it(plane: ControlPlane) -> None:
    answer = plane.call("GET", "/", None)
    assert (answer.status_code, answer.content) == (204, b"")


def test_a_probe_may_ask_for_health_without_the_report(plane: ControlPlane) -> None:
    answer = plane.call("HEAD", "/api/health", None)
    assert (answer.status_code, answer.content) == (503, b"")  # there is no event hub here


def test_answers_are_not_for_keeping_and_carry_the_clients_correlation(plane: ControlPlane) -> None:
    mine = str(uuid.uuid4())
    answer = plane.call("GET", "/api/consoles", None, headers={"x-ms-correlation-request-id": mine})
    assert answer.headers["x-ms-correlation-request-id"] == mine
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    forged = plane.call("GET", "/api/consoles", None, headers={"x-ms-correlation-request-id": "x y"})
    assert uuid.UUID(forged.headers["x-ms-correlation-request-id"])


def test_the_page_learns_how_to_sign_in(plane: ControlPlane) -> None:
    config = plane.call("GET", "/api/config", None).json()
    assert (config["clientId"], config["scopes"]) == (PAGE_CLIENT, [API_SCOPE])
    assert config["authority"].endswith(TENANT)


def test_health_names_every_dependency(plane: ControlPlane) -> None:
    answer = plane.call("GET", "/api/health", None)
    states = {each["name"]: each["status"] for each in answer.json()["dependencies"]}
    hub = states.pop("event hub")
    assert (answer.status_code, hub) == (503, "degraded")  # there is no event hub here
    assert states == dict.fromkeys(
        (
            *("entra keys", "arm", "storage blobs", "storage tables", "task hub"),
            *("signing keys", "statement keys", "relay r0"),
        ),
        "healthy",
    )


def test_every_request_leaves_one_line_and_no_secret(plane: ControlPlane) -> None:
    mine = str(uuid.uuid4())
    headers = {"x-ms-correlation-request-id": mine}
    session = plane.call("POST", f"{vm('web-01')}/serialConsole/sessions", ADA, json={}, headers=headers).json()
    until(lambda: mine in plane.host.log, plane.host)
    (line,) = (line for line in plane.host.lines if mine in line)
    said = json.loads(line.partition("serial_console.audit ")[2])
    assert (said["operation"], said["outcome"], said["caller"]) == ("open_session", "OK", f"{TENANT}.{ADA.oid}")
    assert said["vm"].endswith("/virtualMachines/web-01")
    log = plane.host.log
    assert session["token"] not in log
    assert "Bearer ey" not in log
    assert user_token(plane.stack, ADA).partition(".")[0] not in log


def test_another_spelling_of_the_vm_is_the_same_console(plane: ControlPlane) -> None:
    first = opened(plane, "web-01", ADA)
    assert opened(plane, "WEB-01", ADA)["generation"] == first["generation"] + 1


def test_many_who_want_a_console_at_once_get_generations_of_their_own(plane: ControlPlane) -> None:
    token = user_token(plane.stack, ADA)

    def take(_: int) -> int:
        answer = plane.call("POST", f"{vm('web-04')}/serialConsole/sessions", token, json={})
        generation: int = answer.json()["generation"]
        return generation

    with ThreadPoolExecutor(12) as crowd:
        generations = list(crowd.map(take, range(24)))
    assert sorted(generations) == list(range(min(generations), min(generations) + 24))
