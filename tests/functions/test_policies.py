"""Policies over HTTP: who may set them, what they answer, and that they hold."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dev.demo import ADA, ALAN, AUTOMATION, GRACE, SUBSCRIPTION, Person, group
from dev.entra.tokens import app_token, user_token
from tests.functions.control_plane import ControlPlane
from tests.functions.policies import address_of, administrator, demanding, put
from tests.functions.test_over_http import opened, refusal

WHOLE = f"/subscriptions/{SUBSCRIPTION}"
GROUP = group("rg-web")
VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/web-04"
SET = f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/workers"
NO_VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/web-99"
DB = f"{group('rg-data')}/providers/Microsoft.Compute/virtualMachines/db-01"
STRANGER = Person("0a0c0000-0000-4000-8000-0000000000ee", "A Stranger", "stranger@contoso.example", "has no role")
INSTANCE = f"{SET}/virtualMachines/0"
SCOPES = ["/", WHOLE, GROUP, SET, VM, INSTANCE]
FULL = {
    "console": "inherited",
    "reason": True,
    "tickets": ["INC-*"],
    "networks": ["127.0.0.0/8", "::1/128"],
    "tags": {"role": ["frontend"]},
    "regions": ["westeurope"],
    "signIn": {"power": "c1"},
    "approval": ["nmi", "write"],
    "approvalSeconds": 600,
    "typed": "masked",
    "mask": ["AKIA[0-9A-Z]{16}"],
    "capture": False,
}


@pytest.fixture(autouse=True)
def cleared(plane: ControlPlane) -> Iterator[None]:
    yield
    for scope in SCOPES:
        assert plane.call("DELETE", address_of(scope), administrator(plane)).status_code == 204


def shown(plane: ControlPlane, scope: str, who: Any = None) -> dict[str, Any]:
    answer = plane.call("GET", address_of(scope), who or administrator(plane))
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


@pytest.mark.parametrize("scope", SCOPES)
def test_a_policy_is_answered_as_it_was_set(plane: ControlPlane, scope: str) -> None:
    answer = put(plane, scope, FULL)
    said = answer.json()
    assert (answer.status_code, said["policy"], said["scope"]) == (200, FULL, scope.lower())
    assert answer.headers["etag"] == f'"{said["version"]}"'
    assert shown(plane, scope) == said


@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_without_a_policy_says_so_and_clearing_twice_is_no_error(plane: ControlPlane, scope: str) -> None:
    put(plane, scope, FULL)
    for _ in range(2):
        assert plane.call("DELETE", address_of(scope), administrator(plane)).status_code == 204
    answer = plane.call("GET", address_of(scope), administrator(plane))
    assert {answer.json()[field] for field in ("policy", "setBy", "setAt", "version")} == {None}
    assert "etag" not in answer.headers


def test_capture_is_set_for_a_vm_and_for_nothing_larger(plane: ControlPlane) -> None:
    assert put(plane, VM, {"capture": True}).json()["policy"]["capture"] is True
    assert refusal(put(plane, GROUP, {"capture": True})) == (400, "InvalidRequest")


def test_what_holds_above_is_shown_in_its_order(plane: ControlPlane) -> None:
    with demanding(plane, GROUP, reason=True), demanding(plane, "/", regions=["westeurope"]):
        inherited = shown(plane, VM)["inherited"]
    assert [each["scope"] for each in inherited] == ["/", GROUP.lower()]
    assert [each["policy"]["reason"] for each in inherited] == [False, True]


@pytest.mark.parametrize(
    ("who", "scope", "code"),
    [
        (ADA, "/", "AdministrationDenied"),
        (GRACE, WHOLE, "AdministrationDenied"),
        (GRACE, GROUP, "AdministrationDenied"),
        (ALAN, VM, "AdministrationDenied"),
        (ALAN, GROUP, "AdministrationDenied"),
        (GRACE, f"{WHOLE}/resourceGroups/rg-none", "AdministrationDenied"),
        (GRACE, VM, "AdministrationDenied"),
        (GRACE, DB, "AdministrationDenied"),
        (STRANGER, VM, "VmNotFound"),
        (STRANGER, NO_VM, "VmNotFound"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_who_may_not_administer_sees_and_sets_nothing(
    plane: ControlPlane, who: Any, scope: str, code: str, method: str
) -> None:
    answer = plane.call(method, address_of(scope), who, json={"console": "off"} if method == "PUT" else None)
    assert refusal(answer)[1] == code
    if "rg-none" not in scope and scope != NO_VM:
        assert shown(plane, scope)["policy"] is None


def test_contributors_administer_their_own_scopes(plane: ControlPlane) -> None:
    for scope in (WHOLE, GROUP, VM, INSTANCE):
        assert put(plane, scope, {"reason": True}, ADA).status_code == 200
        assert plane.call("DELETE", address_of(scope), ADA).status_code == 204


@pytest.mark.parametrize(
    "policy",
    [
        {"console": "closed"}, {"konsole": "off"}, {"reason": "yes"}, {"networks": ["300.0.0.0/8"]}, {"networks": "::"},
        {"networks": ["10.0.0.1/8"]}, {"tags": ["a"]}, {"signIn": {"write": "c100"}}, {"signIn": {"fly": "c1"}},
        {"approval": ["approve"]}, {"approvalSeconds": 59}, {"approvalSeconds": 1e3}, {"approvalSeconds": True},
        {"tickets": [""]}, {"regions": ["x"] * 65}, [], "off", None,
    ],
)  # fmt: skip
def test_a_policy_that_cannot_be_read_is_refused_and_changes_nothing(plane: ControlPlane, policy: Any) -> None:
    put(plane, VM, {"reason": True})
    answer = plane.call("PUT", address_of(VM), ADA, json=policy) if policy is not None else None
    if answer is None:  # an empty body would be a policy without demands: JSON's null is not
        headers = {"Content-Type": "application/json"}
        answer = plane.call("PUT", address_of(VM), ADA, content=b"null", headers=headers)
    assert refusal(answer) == (400, "InvalidRequest")
    assert shown(plane, VM)["policy"]["reason"] is True


def test_a_change_is_made_only_to_what_was_read(plane: ControlPlane) -> None:
    first = put(plane, VM, {"reason": True}, **{"If-None-Match": "*"})
    assert first.status_code == 200
    again = put(plane, VM, {}, **{"If-None-Match": "*"})
    assert refusal(again) == (412, "PolicyChanged")
    second = put(plane, VM, {"tickets": ["INC-*"]}, **{"If-Match": first.headers["etag"]})
    assert second.status_code == 200
    late = put(plane, VM, {"console": "off"}, **{"If-Match": first.headers["etag"]})
    assert refusal(late) == (412, "PolicyChanged")
    assert shown(plane, VM)["policy"]["tickets"] == ["INC-*"]


@pytest.mark.parametrize(
    "headers", [{"If-Match": "*", "If-None-Match": "*"}, {"If-None-Match": '"x"'}, {"If-Match": '""'}, {"If-Match": ""}]
)
def test_conditions_that_mean_nothing_are_refused(plane: ControlPlane, headers: dict[str, str]) -> None:
    assert refusal(put(plane, VM, {"console": "off"}, **headers)) == (400, "InvalidRequest")


@pytest.mark.parametrize(
    "version", ['"x"', "W/\"datetime'2020'\"", '"*"', "*", '"%00"', '"%ff"', '"' + "x" * 2000 + '"']
)
def test_a_version_that_never_was_changes_nothing(plane: ControlPlane, version: str) -> None:
    put(plane, VM, {"reason": True})
    answer = put(plane, VM, {"console": "off"}, **{"If-Match": version})
    assert refusal(answer) in ((412, "PolicyChanged"), (400, "InvalidRequest"))
    assert shown(plane, VM)["policy"]["console"] == "inherited"


def test_of_many_who_change_the_same_version_one_does(plane: ControlPlane) -> None:
    version, token = put(plane, VM, {}).headers["etag"], administrator(plane)

    def change(number: int) -> int:
        return put(plane, VM, {"tickets": [f"T-{number}"]}, token, **{"If-Match": version}).status_code

    with ThreadPoolExecutor(8) as crowd:
        assert sorted(crowd.map(change, range(8))) == [200, *[412] * 7]


@pytest.mark.parametrize("scope", [WHOLE, GROUP, VM])
def test_switching_off_ends_who_is_there_and_lets_nobody_in(plane: ControlPlane, scope: str) -> None:
    session = opened(plane, "web-04", GRACE)
    plane.relay.told.clear()
    code = "ConsoleDisabledForSubscription" if scope == WHOLE else "ConsoleDisabledByPolicy"
    with demanding(plane, scope, console="off"):
        (end,) = [told for what, told, _ in plane.relay.told if what == "end" and told["session"] == session["id"]]
        assert end["code"] == code
        assert refusal(plane.call("POST", f"/api{VM}/serialConsole/sessions", ADA, json={})) == (403, code)
    assert plane.call("POST", f"/api{VM}/serialConsole/sessions", ADA, json={}).status_code == 201


def test_a_lower_switch_opens_nothing_that_is_closed_above(plane: ControlPlane) -> None:
    with demanding(plane, GROUP, console="off"), demanding(plane, VM, console="on"):
        answer = plane.call("POST", f"/api{VM}/serialConsole/sessions", ADA, json={})
        assert refusal(answer) == (403, "ConsoleDisabledByPolicy")


@pytest.mark.parametrize(
    ("reason", "status"), [(None, 400), ("because", 400), ("XINC-5", 400), ("for INC-5", 201), ("INC-5", 201)]
)
def test_a_ticket_is_demanded_as_a_word_of_the_reason(plane: ControlPlane, reason: str | None, status: int) -> None:
    with demanding(plane, VM, reason=True, tickets=["INC-*"]):
        answer = plane.call("POST", f"/api{VM}/serialConsole/sessions", ADA, json={"reason": reason})
    assert (answer.status_code, answer.headers.get("x-ms-error-code")) == (
        status,
        "ReasonRequired" if status == 400 else None,
    )


@pytest.mark.parametrize("who", [ADA, AUTOMATION])
def test_a_stronger_sign_in_is_asked_of_who_can_give_one(plane: ControlPlane, who: Any) -> None:
    person = who is ADA
    token = user_token(plane.stack, ADA) if person else app_token(plane.stack, AUTOMATION)
    with demanding(plane, VM, signIn={"write": "c7"}):
        answer = plane.call("POST", f"/api{VM}/serialConsole/sessions", token, json={})
        satisfied = plane.call(
            "POST", f"/api{VM}/serialConsole/sessions", user_token(plane.stack, ADA, acrs=["c7"]), json={}
        )
    assert refusal(answer)[1] in (("MfaRequired", "StepUpUnsupported") if person else ("StepUpUnsupported",))
    assert satisfied.status_code == 201


@pytest.mark.parametrize(
    ("claimed", "status"),
    [
        ("10.1.1.1", 201), ("10.1.1.1:4711", 201), ("203.0.113.9, 10.1.1.1", 201),
        (None, 403),
        ("203.0.113.9", 403), ("10.1.1.1, 203.0.113.9", 403), ("10.1.1.1, 10.1.1.1, nonsense", 403), ("10.1.1.1,", 403),
        ("10.1.1.1, [2001:db8::1]:443", 403), ("10.1.1.1;203.0.113.9", 403),
    ],
)  # fmt: skip
def test_a_network_is_that_of_the_last_address_that_no_proxy_of_ours_added(
    plane: ControlPlane, claimed: str | None, status: int
) -> None:
    """The host adds 127.0.0.1, which is one of TRUSTED_PROXIES here, as App Service's front end adds what it sees."""
    headers = {"X-Forwarded-For": claimed} if claimed else {}
    with demanding(plane, VM, networks=["10.0.0.0/8"]):
        answer = plane.call("POST", f"/api{VM}/serialConsole/sessions", ADA, json={}, headers=headers)
    assert (answer.status_code, answer.headers.get("x-ms-error-code")) == (
        status,
        None if status == 201 else "NetworkNotAllowed",
    )
