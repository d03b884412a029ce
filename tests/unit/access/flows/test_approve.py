from dataclasses import replace

import pytest

from shared.access.approval import Approval, State
from shared.access.flows.approve import ask_approval, decide_approval, list_approvals, show_approval
from shared.access.policy import Switch
from shared.access.rights import Right
from shared.base.ports import Dependency, Unavailable
from shared.base.refusals import Code, Refusal
from shared.session.flows.open_session import Opened, OpenSessionRequest, open_session
from shared.session.grant import Mode
from tests.fakes import NOW, VM, FakeDependencies, everything, person, without_read


@pytest.fixture
def fakes() -> FakeDependencies:
    """A console that nobody opens without somebody else's yes."""
    made = FakeDependencies()
    made.policies.put(VM.console, approval=frozenset({Right.WRITE, Right.WATCH}), approval_seconds=600)
    return made


async def asked(fakes: FakeDependencies, oid: str = "ada", right: Right = Right.WRITE) -> Approval:
    answer = await ask_approval(fakes.dependencies, person(oid, oid.title()), VM, right, "disk full")
    assert isinstance(answer, Approval)
    return answer


async def decided(
    fakes: FakeDependencies, approval: str, oid: str = "grace", *, allow: bool = True
) -> Approval | Refusal:
    return await decide_approval(
        fakes.dependencies, person(oid, oid.title()), VM, approval, allow=allow, comment="go ahead"
    )  # fmt: skip


async def code_of(answer: object) -> Code:
    assert isinstance(answer, Refusal)
    return answer.code


async def test_a_request_waits_as_long_as_the_policy_says(fakes: FakeDependencies) -> None:
    approval = await asked(fakes)
    assert approval == Approval(
        approval.id, VM, Right.WRITE, "t1.ada", "Ada", "disk full", NOW, NOW + 600, good_seconds=600
    )
    assert fakes.approvals.rows == {approval.id: approval}


async def test_asking_twice_is_one_request(fakes: FakeDependencies) -> None:
    assert await asked(fakes) == await asked(fakes)
    await asked(fakes, "grace")
    assert len(fakes.approvals.rows) == 2


async def test_until_somebody_says_yes_the_console_stays_closed(fakes: FakeDependencies) -> None:
    assert (
        await code_of(await open_session(fakes.dependencies, person(), VM, OpenSessionRequest()))
        is Code.APPROVAL_REQUIRED
    )
    approval = await asked(fakes)
    assert (
        await code_of(await open_session(fakes.dependencies, person(), VM, OpenSessionRequest()))
        is Code.APPROVAL_PENDING
    )
    await decided(fakes, approval.id, allow=False)
    assert (
        await code_of(await open_session(fakes.dependencies, person(), VM, OpenSessionRequest()))
        is Code.APPROVAL_REQUIRED
    )


async def test_a_yes_opens_it_for_whoever_asked_and_for_a_while(fakes: FakeDependencies) -> None:
    settled = await decided(fakes, (await asked(fakes)).id)
    assert isinstance(settled, Approval)
    assert (settled.state, settled.decider, settled.comment) == (State.APPROVED, "Grace", "go ahead")
    for mode in Mode:
        assert isinstance(await open_session(fakes.dependencies, person(), VM, OpenSessionRequest(mode=mode)), Opened)
    assert (
        await code_of(await open_session(fakes.dependencies, person("grace"), VM, OpenSessionRequest()))
        is Code.APPROVAL_REQUIRED
    )
    fakes.clock.time += 600
    assert (
        await code_of(await open_session(fakes.dependencies, person(), VM, OpenSessionRequest()))
        is Code.APPROVAL_REQUIRED
    )


async def test_nobody_approves_their_own_request(fakes: FakeDependencies) -> None:
    assert await code_of(await decided(fakes, (await asked(fakes)).id, "ada")) is Code.APPROVER_IS_REQUESTER


async def test_who_may_not_use_the_vm_may_not_approve(fakes: FakeDependencies) -> None:
    approval = await asked(fakes)
    fakes.rights.lacking["grace"] = without_read()
    assert await code_of(await decided(fakes, approval.id)) is Code.APPROVER_PERMISSION_DENIED
    fakes.rights.lacking["grace"] = everything()
    assert await code_of(await decided(fakes, approval.id)) is Code.VM_NOT_FOUND


async def test_a_request_is_decided_once(fakes: FakeDependencies) -> None:
    approval = await asked(fakes)
    await decided(fakes, approval.id)
    assert await code_of(await decided(fakes, approval.id, "alan")) is Code.APPROVAL_CLOSED


async def test_of_two_decisions_the_first_holds(fakes: FakeDependencies) -> None:
    approval = await asked(fakes)
    fakes.approvals.rival = replace(approval, state=State.DENIED, decided_by="t1.alan")
    assert await code_of(await decided(fakes, approval.id)) is Code.APPROVAL_CLOSED


async def test_a_request_expires(fakes: FakeDependencies) -> None:
    approval = await asked(fakes)
    fakes.clock.time += 600
    assert await code_of(await decided(fakes, approval.id)) is Code.APPROVAL_CLOSED
    shown = await show_approval(fakes.dependencies, person(), VM, approval.id)
    assert isinstance(shown, Approval)
    assert shown.state is State.EXPIRED
    assert (await asked(fakes)).id != approval.id


async def test_a_request_that_is_not_there_cannot_be_decided(fakes: FakeDependencies) -> None:
    assert await code_of(await decided(fakes, "unknown")) is Code.APPROVAL_NOT_FOUND


async def test_a_request_is_shown_to_its_maker_and_to_those_who_may_decide(fakes: FakeDependencies) -> None:
    approval = await asked(fakes)
    fakes.rights.lacking["alan"] = without_read()
    for oid in ("ada", "grace"):
        assert await show_approval(fakes.dependencies, person(oid), VM, approval.id) == approval
    for answer in (
        await show_approval(fakes.dependencies, person("alan"), VM, approval.id),
        await show_approval(fakes.dependencies, person(), VM, "unknown"),
    ):
        assert await code_of(answer) is Code.APPROVAL_NOT_FOUND


async def test_the_list_holds_ones_own_and_those_to_decide(fakes: FakeDependencies) -> None:
    mine, late = await asked(fakes), await asked(fakes, "grace")
    fakes.approvals.rows[late.id] = replace(late, waits_until=NOW)
    assert await list_approvals(fakes.dependencies, person()) == [mine]
    assert await list_approvals(fakes.dependencies, person("grace")) == [mine]
    fakes.rights.lacking["alan"] = without_read()
    assert await list_approvals(fakes.dependencies, person("alan")) == []
    fakes.rights.fail = Unavailable(Dependency.ARM, "away")
    assert await list_approvals(fakes.dependencies, person("grace")) == []
    assert await list_approvals(fakes.dependencies, person()) == [mine]


async def test_only_those_ask_who_could_open_the_console_with_a_yes(fakes: FakeDependencies) -> None:
    fakes.rights.lacking["ada"] = without_read()
    fakes.policies.put("/", console=Switch.OFF)
    answer = await ask_approval(fakes.dependencies, person(), VM, Right.WRITE, "why")
    assert isinstance(answer, Refusal)
    assert [answer.code, *(each.code for each in answer.details)] == [
        Code.VM_PERMISSION_DENIED,
        Code.CONSOLE_DISABLED_BY_POLICY,
    ]
    fakes.rights.lacking["ada"] = everything()
    assert await code_of(await ask_approval(fakes.dependencies, person(), VM, Right.WRITE, "why")) is Code.VM_NOT_FOUND


async def test_where_nothing_needs_approval_asking_is_a_mistake(fakes: FakeDependencies) -> None:
    assert (
        await code_of(await ask_approval(fakes.dependencies, person(), VM, Right.POWER, "why")) is Code.INVALID_REQUEST
    )
