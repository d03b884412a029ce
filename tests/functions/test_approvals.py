"""Requests for approval over HTTP: who asks, who decides, what each of them is told."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dev.demo import ADA, ALAN, GRACE
from dev.entra.tokens import user_token
from tests.functions.control_plane import ControlPlane
from tests.functions.policies import demanding
from tests.functions.test_over_http import opened, refusal, vm

AT = f"{vm('web-01')}/serialConsole/approvals"
NOWHERE = "approval-that-is-not"


@pytest.fixture(autouse=True)
def guarded(plane: ControlPlane) -> Iterator[None]:
    with demanding(plane, vm("web-01")[4:], approval=["write", "power"], approvalSeconds=60):
        yield


def asked(plane: ControlPlane, who: Any = GRACE, **wish: Any) -> dict[str, Any]:
    answer = plane.call("POST", AT, who, json={"for": "write", "reason": "boot loop"} | wish)
    assert answer.status_code == 201, answer.text
    said: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"{AT}/{said['id']}"
    return said


@pytest.fixture
def waiting(plane: ControlPlane) -> Iterator[dict[str, Any]]:
    """Grace's request; whatever the test leaves open is denied after it, for the next one."""
    said = asked(plane)
    yield said
    decide(plane, said["id"], ADA, allow=False)


def decide(plane: ControlPlane, request: str, who: Any, **body: Any) -> Any:
    return plane.call("POST", f"{AT}/{request}/decision", who, json=body)


def test_grace_asks_ada_decides_and_both_see_it(plane: ControlPlane, waiting: dict[str, Any]) -> None:
    assert refusal(plane.call("POST", f"{vm('web-01')}/serialConsole/sessions", GRACE, json={})) == (
        403,
        "ApprovalPending",
    )
    seen = plane.call("GET", f"{AT}/{waiting['id']}", ADA).json()
    assert seen == waiting | {"mine": False}
    settled = decide(plane, waiting["id"], ADA, allow=True, comment="go on").json()
    assert (settled["state"], settled["decidedBy"], settled["comment"]) == ("approved", {"name": ADA.name}, "go on")
    assert plane.call("GET", f"{AT}/{waiting['id']}", GRACE).json() == settled | {"mine": True}
    assert settled["goodUntil"] > settled["decidedAt"]
    opened(plane, "web-01", GRACE)


def test_nobody_approves_their_own_request(plane: ControlPlane) -> None:
    mine = asked(plane, ADA)
    try:
        assert refusal(decide(plane, mine["id"], ADA, allow=True)) == (403, "ApproverIsRequester")
    finally:
        assert decide(plane, mine["id"], GRACE, allow=False).json()["state"] == "denied"


def test_a_reader_sees_none_decides_none_and_asks_for_none(plane: ControlPlane, waiting: dict[str, Any]) -> None:
    assert refusal(plane.call("GET", f"{AT}/{waiting['id']}", ALAN)) == (404, "ApprovalNotFound")
    assert refusal(decide(plane, waiting["id"], ALAN, allow=True)) == (403, "ApproverPermissionDenied")
    assert waiting["id"] not in plane.call("GET", "/api/approvals", ALAN).text
    assert refusal(plane.call("POST", AT, ALAN, json={"for": "write", "reason": "x"})) == (403, "VmPermissionDenied")


def test_of_two_who_decide_at_once_exactly_one_wins(plane: ControlPlane) -> None:
    mine = asked(plane, ADA, **{"for": "power"})
    another = user_token(plane.stack, GRACE)
    role = plane.world.assignments
    plane.world.assignments = (*role, *(_as(ALAN.oid, each) for each in role if each.principal == ADA.oid))
    try:
        wishes = [(another, True), (user_token(plane.stack, ALAN), False)]
        with ThreadPoolExecutor(2) as both:
            answers = list(both.map(lambda wish: decide(plane, mine["id"], wish[0], allow=wish[1]), wishes))
    finally:
        plane.world.assignments = role
    won = [answer.json() for answer in answers if answer.status_code == 200]
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert [refusal(answer)[1] for answer in answers if answer.status_code != 200] == ["ApprovalClosed"]
    assert plane.call("GET", f"{AT}/{mine['id']}", ADA).json()["state"] == won[0]["state"]


def _as(oid: str, assignment: Any) -> Any:
    return type(assignment)(oid, assignment.role, assignment.scope)


def test_a_request_belongs_to_its_vm(plane: ControlPlane, waiting: dict[str, Any]) -> None:
    elsewhere = f"{vm('web-04')}/serialConsole/approvals/{waiting['id']}"
    assert refusal(plane.call("GET", elsewhere, ADA)) == (404, "ApprovalNotFound")
    answer = plane.call("POST", f"{elsewhere}/decision", ADA, json={"allow": True})
    assert refusal(answer) == (404, "ApprovalNotFound")


def test_a_yes_is_for_whoever_asked_and_for_what_was_asked(plane: ControlPlane, waiting: dict[str, Any]) -> None:
    assert decide(plane, waiting["id"], ADA, allow=True).status_code == 200
    assert refusal(plane.call("POST", f"{vm('web-01')}/serialConsole/sessions", ADA, json={})) == (
        403,
        "ApprovalRequired",
    )
    assert refusal(plane.call("POST", f"{vm('web-01')}/serialConsole/restart", GRACE, json={})) == (
        403,
        "ApprovalRequired",
    )


@pytest.mark.parametrize(
    "body",
    [{}, {"for": "write"}, {"reason": 5}, {"for": "read", "reason": "x"}, {"for": "approve", "reason": "x"},
     {"reason": "x" * 513}, {"reason": "a\u0000"}, {"reason": "x", "seconds": 5}, {"reason": "x", "for": None}],
)  # fmt: skip
def test_a_request_that_is_not_as_documented_is_refused(plane: ControlPlane, body: dict[str, Any]) -> None:
    assert refusal(plane.call("POST", AT, GRACE, json=body)) == (400, "InvalidRequest")


@pytest.mark.parametrize("body", [{}, {"allow": "yes"}, {"allow": 1}, {"allow": True, "good": 5}, {"allow": None}])
def test_a_decision_is_yes_or_no(plane: ControlPlane, waiting: dict[str, Any], body: dict[str, Any]) -> None:
    assert refusal(decide(plane, waiting["id"], ADA, **body)) == (400, "InvalidRequest")
    assert plane.call("GET", f"{AT}/{waiting['id']}", GRACE).json()["state"] == "pending"


@pytest.mark.parametrize(("request_id", "code"), [(NOWHERE, "ApprovalNotFound"), ("x", "InvalidRequest")])
def test_what_was_never_asked_is_not_found(plane: ControlPlane, request_id: str, code: str) -> None:
    assert refusal(plane.call("GET", f"{AT}/{request_id}", ADA))[1] == code
    assert refusal(decide(plane, request_id, ADA, allow=True))[1] == code
