import pytest

from shared.access.policy import Policy, Scope, Switch
from shared.base.refusals import Code, Refusal, refuse
from shared.session.flows.change_policy import ShownPolicy
from shared.session.flows.open_session import OpenSessionRequest, open_session
from shared.session.flows.switch_console import STATUS_ACTION, SwitchedPort, show_port, show_switch, turn_switch
from tests.fakes import VM, FakeDependencies, everything, person, without_read

SUBSCRIPTION = Scope.parse(f"/subscriptions/{VM.subscription}")
ONE = Scope.of_vm(VM)


async def test_a_subscription_is_on_until_it_or_the_tenant_is_switched_off(fakes: FakeDependencies) -> None:
    assert await show_switch(fakes.dependencies, person(), SUBSCRIPTION) is True
    fakes.policies.put(f"{SUBSCRIPTION.text}/resourcegroups/x", console=Switch.OFF)
    assert await show_switch(fakes.dependencies, person(), SUBSCRIPTION) is True
    for scope in ("/", SUBSCRIPTION.text):
        fakes.policies.stored.clear()
        fakes.policies.put(scope, console=Switch.OFF)
        assert await show_switch(fakes.dependencies, person(), SUBSCRIPTION) is False


@pytest.mark.parametrize(
    ("lacking", "code"),
    [([STATUS_ACTION], Code.ADMINISTRATION_DENIED), (refuse(Code.MFA_REQUIRED, claims="{}"), Code.MFA_REQUIRED)],
)
async def test_who_may_not_see_the_switch_does_not(
    fakes: FakeDependencies, lacking: list[str] | Refusal, code: Code
) -> None:
    fakes.rights.lacking["ada"] = lacking
    answer = await show_switch(fakes.dependencies, person(), SUBSCRIPTION)
    assert isinstance(answer, Refusal)
    assert answer.code is code


@pytest.mark.parametrize("scope", [SUBSCRIPTION, ONE], ids=str)
async def test_turning_it_leaves_all_other_demands(fakes: FakeDependencies, scope: Scope) -> None:
    fakes.policies.put(scope.text, reason=True)
    for on, switch in ((False, Switch.OFF), (True, Switch.ON)):
        assert isinstance(await turn_switch(fakes.dependencies, person(), scope, on=on), ShownPolicy)
        assert fakes.policies.stored[scope.text].policy == Policy(console=switch, reason=True)


async def test_a_scope_without_a_policy_gets_one(fakes: FakeDependencies) -> None:
    assert isinstance(await turn_switch(fakes.dependencies, person(), ONE, on=False), ShownPolicy)
    assert fakes.policies.stored[ONE.text].policy == Policy(console=Switch.OFF)


async def test_a_port_says_whether_it_is_open_and_in_use(fakes: FakeDependencies) -> None:
    assert await show_port(fakes.dependencies, person(), VM) == SwitchedPort(enabled=True, active=False)
    await open_session(fakes.dependencies, person(), VM, OpenSessionRequest())
    fakes.policies.put(ONE.text, console=Switch.OFF)
    assert await show_port(fakes.dependencies, person(), VM) == SwitchedPort(enabled=False, active=True)


async def test_who_may_not_watch_learns_nothing_of_the_port(fakes: FakeDependencies) -> None:
    for lacking, code in ((without_read(), Code.VM_PERMISSION_DENIED), (everything(), Code.VM_NOT_FOUND)):
        fakes.rights.lacking["ada"] = lacking
        answer = await show_port(fakes.dependencies, person(), VM)
        assert isinstance(answer, Refusal)
        assert answer.code is code
