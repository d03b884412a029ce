from dataclasses import replace

import pytest

from shared.access.approval import Approval, State, decided, may_decide
from shared.access.approval_codec import approval_from_json, approval_to_json
from shared.access.rights import Right
from shared.base.refusals import Code
from shared.base.vm import VmId

VM = VmId("5b5c0000-0000-4000-8000-000000000001", "rg", "web")
ASKED = Approval("a1", VM, Right.WRITE, "t.ada", "Ada", "disk full", 100.0, 200.0, good_seconds=50)
YES = decided(ASKED, allow=True, subject="t.grace", name="Grace", comment="go", now=150.0)
NO = decided(ASKED, allow=False, subject="t.grace", name="Grace", comment=None, now=150.0)


def test_a_decision_names_who_when_and_why() -> None:
    assert (YES.state, YES.decided_by, YES.decider, YES.decided_at, YES.comment) == (
        State.APPROVED, "t.grace", "Grace", 150.0, "go",
    )  # fmt: skip
    assert NO.state is State.DENIED


@pytest.mark.parametrize(
    ("approval", "subject", "right", "now", "covered"),
    [
        (YES, "t.ada", Right.WRITE, 199.9, True),
        (YES, "t.ada", Right.WATCH, 199.9, True),
        (YES, "t.ada", Right.WRITE, 200.0, False),
        (YES, "t.ada", Right.POWER, 160.0, False),
        (YES, "t.grace", Right.WRITE, 160.0, False),
        (NO, "t.ada", Right.WRITE, 160.0, False),
        (ASKED, "t.ada", Right.WRITE, 160.0, False),
        (replace(YES, right=Right.WATCH), "t.ada", Right.WRITE, 160.0, False),
        (replace(YES, decided_at=None), "t.ada", Right.WRITE, 160.0, False),
    ],
)
def test_a_yes_is_for_one_person_one_right_and_a_while(
    approval: Approval,
    subject: str,
    right: Right,
    now: float,
    covered: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert approval.covers(subject, right, now) is covered


def test_a_request_waits_until_it_expires() -> None:
    assert ASKED.awaits("t.ada", Right.WATCH, 199.9)
    assert not ASKED.awaits("t.ada", Right.WRITE, 200.0)
    assert not ASKED.awaits("t.ada", Right.NMI, 150.0)
    assert not ASKED.awaits("t.grace", Right.WRITE, 150.0)
    assert (ASKED.at(199.9).state, ASKED.at(200.0).state, YES.at(900.0).state) == (
        State.PENDING, State.EXPIRED, State.APPROVED,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("approval", "subject", "now", "code"),
    [
        (ASKED, "t.grace", 150.0, None),
        (ASKED, "t.ada", 150.0, Code.APPROVER_IS_REQUESTER),
        (ASKED, "t.grace", 200.0, Code.APPROVAL_CLOSED),
        (YES, "t.alan", 160.0, Code.APPROVAL_CLOSED),
    ],
)
def test_somebody_else_decides_once_and_in_time(
    approval: Approval, subject: str, now: float, code: Code | None
) -> None:
    refusal = may_decide(approval, subject, now)
    assert (refusal and refusal.code) == code


@pytest.mark.parametrize("approval", [ASKED, YES, NO])
def test_it_comes_back_from_the_task_hub_as_it_was(approval: Approval) -> None:
    assert approval_from_json(approval_to_json(approval)) == approval
