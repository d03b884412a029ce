"""What live sessions cost Azure Resource Manager, and that what is withdrawn is still noticed within a minute.

Its limit: 250 reads at once in a subscription for an identity, then 25 a second (learn.microsoft.com,
azure-resource-manager/management/request-limits-and-throttling).
"""

from collections.abc import Callable

import pytest

from dev.arm.rights import MANAGEMENT_GROUP
from dev.arm.roles import Role
from dev.arm.world import Denial
from dev.demo import SUBSCRIPTION, VM_CONTRIBUTOR, Assignment
from shared.base.refusals import Code
from tests.contract.arm import PERIOD, Arm
from tests.contract.live_sessions import TEAM, WHOLE, LiveSessions

MINUTE = 60
BUCKET_A_MINUTE = 25 * 60


async def test_one_by_one_a_console_costs_ten_calls_a_minute(arm: Arm) -> None:
    assert await LiveSessions(arm, 4, 4, shared=False).calls_a_minute() == pytest.approx(4 * 10.5, rel=0.2)


@pytest.mark.parametrize(
    ("consoles", "people", "most"),
    [(1, 1, 11), (100, 5, 70), (100, 100, 200)],
)
async def test_live_consoles_cost_few_calls(arm: Arm, consoles: int, people: int, most: float) -> None:
    sessions = LiveSessions(arm, consoles, people)
    assert await sessions.calls_a_minute() < most, sessions.kinds()
    assert len(sessions.live) == consoles


async def test_a_thousand_consoles_of_a_thousand_people_take_less_than_half_of_the_limit(arm: Arm) -> None:
    arm.world.page_size = 1000
    sessions = LiveSessions(arm, 1000, 1000)
    assert await sessions.calls_a_minute(periods=2) < BUCKET_A_MINUTE / 2 + 60, sessions.kinds()
    assert len(sessions.live) == 1000, "nobody lost a console by it"


type Change = Callable[[Arm], None]


def no_role(arm: Arm) -> None:
    arm.world.assignments = tuple(each for each in arm.world.assignments if each.principal != TEAM)


def no_member(arm: Arm) -> None:
    arm.world.members = {TEAM: ()}


def a_denial(arm: Arm) -> None:
    arm.world.denials = (Denial((TEAM,), WHOLE, ("Microsoft.SerialConsole/*",)),)


def a_denial_above(arm: Arm) -> None:
    arm.world.denials = (Denial((TEAM,), MANAGEMENT_GROUP, ("*",)),)


def a_condition(arm: Arm) -> None:
    no_role(arm)
    arm.world.assignments += (Assignment(TEAM, VM_CONTRIBUTOR, WHOLE, "@Resource[tag] StringEquals 'x'"),)


def a_lesser_role(arm: Arm) -> None:
    role = Role(VM_CONTRIBUTOR, "Virtual Machine Contributor", "", ("Microsoft.Compute/virtualMachines/read",))
    arm.world.roles = {role.id: role}


@pytest.mark.parametrize("change", [no_role, no_member, a_denial, a_denial_above, a_condition, a_lesser_role])
async def test_a_right_that_is_gone_ends_every_session_within_a_minute(arm: Arm, change: Change) -> None:
    sessions = LiveSessions(arm, 30, 30)
    assert await sessions.go_on(2 * PERIOD) == []
    change(arm)
    ended = await sessions.go_on(2 * MINUTE)
    assert len(ended) == 30
    assert {ending.code for _, ending in ended} == {Code.ACCESS_REVOKED}
    assert max(at for at, _ in ended) <= MINUTE


async def test_a_role_at_a_management_group_carries_a_live_session(arm: Arm) -> None:
    sessions = LiveSessions(arm, 10, 2)
    no_role(arm)
    arm.world.assignments += (Assignment(TEAM, VM_CONTRIBUTOR, MANAGEMENT_GROUP),)
    assert await sessions.go_on(3 * PERIOD) == []


async def test_a_vm_that_is_gone_ends_its_session_and_no_other(arm: Arm) -> None:
    sessions = LiveSessions(arm, 30, 1)
    await sessions.go_on(2 * PERIOD)
    del arm.world.units["many-0007"]
    ended = await sessions.go_on(MINUTE)
    assert [(ending.session, ending.code) for _, ending in ended] == [("session-000007", Code.VM_NOT_FOUND)]


async def test_azures_switches_end_sessions_within_a_minute(arm: Arm) -> None:
    sessions = LiveSessions(arm, 10, 1)
    await sessions.go_on(2 * PERIOD)
    arm.world.units["many-0003"].port_enabled = False
    ended = await sessions.go_on(MINUTE)
    assert [ending.code for _, ending in ended] == [Code.SERIAL_PORT_DISABLED]
    arm.world.switch_console(SUBSCRIPTION, disabled=True)
    assert len(await sessions.go_on(MINUTE)) == 9


async def test_more_people_than_can_be_asked_lose_a_deleted_assignment_within_a_minute(arm: Arm) -> None:
    arm.world.page_size = 1000
    sessions = LiveSessions(arm, 600, 600)
    own = tuple(Assignment(oid, VM_CONTRIBUTOR, WHOLE) for oid in sessions.people[:50])
    arm.world.members = {TEAM: tuple(sessions.people[50:])}
    arm.world.assignments += own
    assert await sessions.go_on(3 * PERIOD) == []
    arm.world.assignments = tuple(each for each in arm.world.assignments if each not in own)
    ended = await sessions.go_on(MINUTE)
    assert len(ended) == 50
    no_role(arm)
    assert len(await sessions.go_on(2 * MINUTE)) == 550, "all at once take as long as Azure's limit lets them"


async def test_when_azure_throttles_live_sessions_wait_and_nobody_ends(arm: Arm) -> None:
    sessions = LiveSessions(arm, 5, 5)
    await sessions.go_on(2 * PERIOD)
    questions = arm.questions
    questions.allowance.pause(SUBSCRIPTION, 600)
    arm.world.asked.clear()
    no_role(arm)
    assert await sessions.go_on(20) == []
    assert not arm.world.asked
    assert len(await sessions.go_on(MINUTE)) == 5, "no pause is longer than half a minute"
