"""A request that waits, through the real API and the real orchestration."""

import asyncio
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from durabletask.client import TaskHubGrpcClient
from durabletask.worker import TaskHubGrpcWorker

from dev.demo import ADA, ALAN, GRACE, SUBSCRIPTION, TENANT, Person, group
from dev.entra.tokens import user_token
from dev.functions_host.task_hub import TaskHub
from functions.approval_orchestration import wait_for_decision
from shared.access.approval import DECISION, Approval, State
from shared.access.approval_codec import approval_from_json, approval_to_json
from shared.access.rights import Right
from shared.access.tables.approvals import TableApprovals
from shared.base.tables import table_service
from shared.base.vm import VmId
from tests.fakes import VM, FakeClock
from tests.functions.control_plane import ControlPlane
from tests.patience import PATIENCE

NOBODY: Any = None
"""No credential: the connection string has its own."""
AT = f"/api{group('rg-web')}/providers/Microsoft.Compute/virtualMachines/web-04/serialConsole"


@pytest.fixture
def guarded(plane: ControlPlane) -> Iterator[ControlPlane]:
    """A console that nobody opens without somebody else's yes."""
    answer = plane.call("PUT", f"{AT}/policy", ADA, json={"approval": ["write", "power"], "approvalSeconds": 600})
    assert answer.status_code == 200, answer.text
    yield plane
    plane.call("DELETE", f"{AT}/policy", ADA)


def ask(plane: ControlPlane, who: Person = GRACE) -> dict[str, Any]:
    answer = plane.call("POST", f"{AT}/approvals", who, json={"for": "write", "reason": "disk full"})
    assert answer.status_code == 201, answer.text
    said: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"{AT}/approvals/{said['id']}"
    return said


def decide(plane: ControlPlane, approval: str, who: Person | str = ADA, *, allow: bool = True) -> tuple[int, Any]:
    body = {"allow": allow, "comment": "go ahead"}
    answer = plane.call("POST", f"{AT}/approvals/{approval}/decision", who, json=body)
    said = answer.json()
    return answer.status_code, said["error"]["code"] if "error" in said else said


def opening(plane: ControlPlane, who: Person = GRACE) -> str:
    answer = plane.call("POST", f"{AT}/sessions", who, json={})
    return "opened" if answer.status_code == 201 else str(answer.json()["error"]["code"])


def test_a_yes_opens_the_console_to_whoever_asked(guarded: ControlPlane) -> None:
    assert opening(guarded) == "ApprovalRequired"
    asked = ask(guarded)
    assert (asked["state"], asked["mine"], asked["goodUntil"], asked["askedBy"]) == (
        "pending", True, None, {"name": GRACE.name},
    )  # fmt: skip
    assert ask(guarded)["id"] == asked["id"]
    assert opening(guarded) == "ApprovalPending"
    assert decide(guarded, asked["id"], GRACE) == (403, "ApproverIsRequester")
    assert decide(guarded, asked["id"], ALAN) == (403, "ApproverPermissionDenied")
    status, settled = decide(guarded, asked["id"])
    assert status == 200
    assert (settled["state"], settled["decidedBy"], settled["comment"], settled["mine"]) == (
        "approved", {"name": ADA.name}, "go ahead", False,
    )  # fmt: skip
    assert opening(guarded) == "opened"
    assert opening(guarded, ADA) == "ApprovalRequired"
    assert decide(guarded, asked["id"]) == (409, "ApprovalClosed")
    shown = guarded.call("GET", f"{AT}/approvals/{asked['id']}", GRACE).json()
    assert (shown["state"], shown["goodUntil"] is not None) == ("approved", True)


def test_a_no_leaves_it_closed_and_another_request_may_be_made(guarded: ControlPlane) -> None:
    asked = ask(guarded, ADA)
    assert decide(guarded, asked["id"], GRACE, allow=False)[1]["state"] == "denied"
    assert opening(guarded, ADA) == "ApprovalRequired"
    again = ask(guarded, ADA)
    assert again["id"] != asked["id"]
    assert decide(guarded, again["id"], GRACE, allow=False)[0] == 200


def test_requests_are_listed_for_those_whom_they_concern(guarded: ControlPlane) -> None:
    asked = ask(guarded, ADA)
    listed = {
        who: [each["id"] for each in guarded.call("GET", "/api/approvals", who).json()["value"]]
        for who in (ADA, GRACE, ALAN)
    }
    assert asked["id"] in listed[ADA]
    assert asked["id"] in listed[GRACE]
    assert listed[ALAN] == []
    assert guarded.call("GET", f"{AT}/approvals/{asked['id']}", ALAN).json()["error"]["code"] == "ApprovalNotFound"
    assert decide(guarded, asked["id"], GRACE)[0] == 200
    assert asked["id"] not in [each["id"] for each in guarded.call("GET", "/api/approvals", ADA).json()["value"]]


def test_of_many_decisions_at_once_exactly_one_takes_effect(guarded: ControlPlane) -> None:
    asked = ask(guarded, ADA)
    token = user_token(guarded.stack, GRACE)
    with ThreadPoolExecutor(6) as crowd:
        answers = list(crowd.map(lambda at: decide(guarded, asked["id"], token, allow=at % 2 == 0), range(6)))
    settled = [said["state"] for status, said in answers if status == 200]
    shown = guarded.call("GET", f"{AT}/approvals/{asked['id']}", ADA).json()["state"]
    assert settled
    assert set(settled) == {shown}
    assert {said for status, said in answers if status != 200} <= {"ApprovalClosed"}


def test_a_request_that_nobody_may_decide_is_not_there(guarded: ControlPlane) -> None:
    assert decide(guarded, "unknown-request") == (404, "ApprovalNotFound")


def test_what_needs_no_approval_is_not_asked_for(guarded: ControlPlane) -> None:
    answer = guarded.call("POST", f"{AT}/approvals", GRACE, json={"for": "nmi", "reason": "x"})
    assert answer.json()["error"]["code"] == "InvalidRequest"


def test_a_request_outlives_a_task_hub_that_forgot_it(guarded: ControlPlane) -> None:
    """The local hub keeps no orchestration over a restart; in Azure one may have been purged."""
    now = time.time()
    vm = VmId(SUBSCRIPTION, "rg-web", "web-04")
    lost = Approval(uuid.uuid4().hex, vm, Right.WRITE, f"{TENANT}.{ADA.oid}", "Ada", "why", now, now + 600, 600)

    async def remember() -> None:
        async with table_service(guarded.storage, NOBODY) as service:
            await TableApprovals(service, FakeClock(now)).add(lost)

    asyncio.run(remember())
    assert decide(guarded, lost.id, GRACE)[1]["state"] == "approved"
    assert opening(guarded, ADA) == "opened"


def settle_approval(_: Any, wish: Any) -> Any:
    """Nothing was settled before."""
    return wish


@pytest.fixture
def engine() -> Iterator[TaskHubGrpcClient]:
    """The durable engine itself, whose activity answers what it was given."""
    hub = TaskHub()
    address = hub.start()
    with TaskHubGrpcWorker(host_address=address) as worker, TaskHubGrpcClient(host_address=address) as client:
        worker.add_orchestrator(wait_for_decision)
        worker.add_activity(settle_approval)
        worker.start()  # type: ignore[no-untyped-call]  # the library leaves it untyped
        yield client
    hub.stop()


@pytest.mark.parametrize(("seconds", "decided"), [(0.2, False), (60, True), (-60, False)])
def test_it_waits_for_a_decision_or_for_the_end_of_its_time(
    engine: TaskHubGrpcClient,
    seconds: float,
    decided: bool,  # noqa: FBT001 - a column of the table
) -> None:
    now = time.time()
    asked = Approval("a", VM, Right.WRITE, "t.ada", "Ada", "why", now, now + seconds, good_seconds=60)
    instance = engine.schedule_new_orchestration(wait_for_decision, input=approval_to_json(asked))
    if decided:
        yes = replace(asked, state=State.APPROVED, decided_by="t.grace")
        engine.raise_orchestration_event(instance, DECISION, data=approval_to_json(yes))
    state = engine.wait_for_orchestration_completion(instance, timeout=PATIENCE)
    assert state is not None
    settled = approval_from_json(state.get_output())
    assert settled.state is (State.APPROVED if decided else State.EXPIRED)
    assert settled.decided_by == ("t.grace" if decided else None)
