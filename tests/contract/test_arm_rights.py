"""Rights by the rules of Azure RBAC, through Microsoft's SDKs: a user asks ARM, the service asks for an application."""

import asyncio
from collections.abc import Sequence

import pytest

from dev.arm.rights import MANAGEMENT_GROUP
from dev.arm.roles import OWNER, STORAGE_ACCOUNT_CONTRIBUTOR, Role
from dev.arm.world import Denial
from dev.demo import (
    ADA,
    AUTOMATION,
    CONTRIBUTOR,
    GRACE,
    READER,
    SERVICE,
    SUBSCRIPTION,
    VM_CONTRIBUTOR,
    Assignment,
    group,
)
from shared.access.rights import DEFAULT, SCOPE_ACTIONS, Right, on_storage, on_vm
from shared.base import correlation
from shared.base.caller import Caller
from shared.base.refusals import Refusal
from shared.base.vm import VmId
from tests.contract.arm import PERIOD, Arm, application, vm
from tests.dev.local_azure import LocalAzure

WEB = vm("web-01")
INSTANCE = VmId(SUBSCRIPTION, "rg-web", "0", "workers")
WRITE = on_vm(DEFAULT, Right.WRITE, WEB)
WHOLE = f"/subscriptions/{SUBSCRIPTION}"
TEAM = "0a0c0000-0000-4000-8000-0000000000aa"
ACCOUNT = f"{group('rg-data')}/providers/Microsoft.Storage/storageAccounts/stcontosodiag"
SERVICE_READS = Assignment(SERVICE.oid, READER, WHOLE)


@pytest.fixture(params=["user", "application", "live session"])
def caller(request: pytest.FixtureRequest, arm: Arm) -> Caller:
    """Everything holds for all: how ARM is asked is another, what counts is the same."""
    if request.param == "live session":
        arm.judge = arm.shared.rights
    return arm.user(ADA) if request.param == "user" else application(AUTOMATION)


def grant(arm: Arm, caller: Caller, role: str, scope: str, *, condition: str | None = None, to: str = "") -> None:
    arm.world.assignments = (SERVICE_READS, Assignment(to or caller.oid, role, scope, condition))


async def lacking(arm: Arm, caller: Caller, actions: Sequence[str] = WRITE, of: str = WEB.resource_id) -> Sequence[str]:
    answer = await arm.judge.missing(caller, of, actions)
    arm.clock.time += PERIOD if arm.judge is arm.shared.rights else 0
    assert not isinstance(answer, Refusal)
    return answer


@pytest.mark.parametrize("scope", ["/", MANAGEMENT_GROUP, WHOLE, group("rg-web"), WEB.resource_id])
@pytest.mark.parametrize("role", [OWNER, CONTRIBUTOR, VM_CONTRIBUTOR])
async def test_a_role_is_inherited_downwards(arm: Arm, caller: Caller, scope: str, role: str) -> None:
    grant(arm, caller, role, scope)
    assert await lacking(arm, caller) == ()


@pytest.mark.parametrize("scope", [group("rg-data"), vm("web-02").resource_id, group("rg-web2")])
async def test_a_role_elsewhere_is_no_role_here(arm: Arm, caller: Caller, scope: str) -> None:
    grant(arm, caller, CONTRIBUTOR, scope)
    assert await lacking(arm, caller) == WRITE


async def test_a_role_of_a_group_is_its_members(arm: Arm, caller: Caller) -> None:
    grant(arm, caller, VM_CONTRIBUTOR, group("rg-web"), to=TEAM)
    assert await lacking(arm, caller) == WRITE
    arm.world.members = {TEAM: (caller.oid,)}
    assert await lacking(arm, caller) == ()


async def test_an_instance_of_a_scale_set_has_actions_of_its_own(arm: Arm, caller: Caller) -> None:
    grant(arm, caller, VM_CONTRIBUTOR, group("rg-web"))
    assert await lacking(arm, caller, on_vm(DEFAULT, Right.WRITE, INSTANCE), INSTANCE.resource_id) == ()


async def test_not_actions_subtract_inside_their_own_role_only(arm: Arm, caller: Caller) -> None:
    careful = Role("c0", "careful", "", ("Microsoft.Compute/*", "Microsoft.SerialConsole/*"), ("*/restart/action",))
    other = Role("c1", "other", "", ("Microsoft.Compute/virtualMachines/RESTART/action",))
    arm.world.roles = {careful.id: careful, other.id: other}
    grant(arm, caller, careful.id, group("rg-web"))
    assert await lacking(arm, caller) == ("Microsoft.Compute/virtualMachines/restart/action",)
    arm.world.assignments += (Assignment(caller.oid, other.id, WEB.resource_id),)
    assert await lacking(arm, caller) == ()


async def test_a_denial_wins_over_every_role(arm: Arm, caller: Caller) -> None:
    grant(arm, caller, OWNER, WHOLE)
    arm.world.denials = (Denial((caller.oid,), group("rg-web"), ("Microsoft.SerialConsole/*",)),)
    assert await lacking(arm, caller) == ("Microsoft.SerialConsole/serialPorts/connect/action",)


@pytest.mark.parametrize("scope", ["/", MANAGEMENT_GROUP, WHOLE, group("rg-web"), WEB.resource_id])
async def test_a_denial_is_inherited_downwards(arm: Arm, caller: Caller, scope: str) -> None:
    grant(arm, caller, OWNER, WHOLE)
    arm.world.denials = (Denial((caller.oid,), scope, ("*/restart/action",)),)
    assert await lacking(arm, caller) == ("Microsoft.Compute/virtualMachines/restart/action",)


async def test_a_denial_spares_whom_it_excludes_and_what_lies_below_it(arm: Arm, caller: Caller) -> None:
    grant(arm, caller, OWNER, WHOLE)
    arm.world.members = {TEAM: (caller.oid,)}
    everything = ("Microsoft.Compute/*/action",)
    arm.world.denials = (
        Denial((TEAM,), group("rg-web"), everything, excluded=(caller.oid,)),
        Denial((TEAM,), group("rg-web"), everything, only_this_scope=True),
        Denial((TEAM,), group("rg-data"), everything),
    )
    assert await lacking(arm, caller) == ()
    arm.world.denials += (Denial((TEAM,), WHOLE, everything, ("*/restart/action",)),)
    assert await lacking(arm, caller) == ("Microsoft.Compute/virtualMachines/retrieveBootDiagnosticsData/action",)


async def test_a_condition_that_cannot_be_evaluated_here_is_not_met(arm: Arm, caller: Caller) -> None:
    grant(arm, caller, OWNER, WHOLE, condition="@Resource[tag] StringEquals 'x'")
    assert await lacking(arm, caller) == WRITE


async def test_rights_are_asked_on_a_storage_account(arm: Arm, caller: Caller) -> None:
    actions = on_storage(DEFAULT, Right.WRITE)
    grant(arm, caller, VM_CONTRIBUTOR, WHOLE)
    assert await lacking(arm, caller, actions, ACCOUNT) == actions
    grant(arm, caller, STORAGE_ACCOUNT_CONTRIBUTOR, ACCOUNT)
    assert await lacking(arm, caller, actions, ACCOUNT) == ()


@pytest.mark.parametrize("scope", [WHOLE, group("rg-web")])
async def test_rights_are_asked_on_groups_and_subscriptions(arm: Arm, caller: Caller, scope: str) -> None:
    grant(arm, caller, VM_CONTRIBUTOR, scope)
    assert await lacking(arm, caller, SCOPE_ACTIONS, scope) == SCOPE_ACTIONS
    grant(arm, caller, CONTRIBUTOR, scope)
    assert await lacking(arm, caller, SCOPE_ACTIONS, scope) == ()


async def test_an_answer_is_kept_for_its_caller_alone_and_for_seconds(azure: LocalAzure) -> None:
    arm = Arm(azure, cache_seconds=15)
    try:
        for who in (arm.user(GRACE), application(AUTOMATION)):
            assert await lacking(arm, who) == ()
        ada = arm.user(ADA)
        arm.world.assignments = (SERVICE_READS,)
        assert await lacking(arm, arm.user(GRACE)) == WRITE, "another token, another question"
        assert await lacking(arm, application(AUTOMATION)) == ()
        assert await lacking(arm, ada) == WRITE
        assert await arm.rights.missing(application(AUTOMATION), WEB.resource_id, WRITE, fresh=True) == WRITE
        assert await lacking(arm, application(AUTOMATION)) == WRITE, "a fresh answer is kept as well"
        arm.world.assignments = (SERVICE_READS, Assignment(ADA.oid, VM_CONTRIBUTOR, WHOLE))
        assert await lacking(arm, ada) == WRITE
        arm.clock.time += 15
        assert await lacking(arm, ada) == ()
    finally:
        await arm.close()


async def test_equal_questions_at_the_same_moment_are_one(azure: LocalAzure) -> None:
    arm = Arm(azure, cache_seconds=15)
    try:
        await asyncio.gather(*(lacking(arm, application(AUTOMATION)) for _ in range(5)))
    finally:
        await arm.close()
    assert len([asked for asked in azure.world.asked if asked.endswith("/roleAssignments")]) == 1


async def test_arm_is_told_the_id_of_the_request(azure: LocalAzure) -> None:
    arm = Arm(azure)
    correlation.current.set("6f1c0000-0000-4000-8000-000000000001")
    try:
        await lacking(arm, application(AUTOMATION))
        await arm.around.of(WEB)
    finally:
        await arm.close()
    assert azure.world.correlations == {"6f1c0000-0000-4000-8000-000000000001"}
