import asyncio
from dataclasses import replace
from ipaddress import ip_network

import pytest

from shared.access.azure_roles import ADMINISTRATOR_ROLE
from shared.access.policy import TENANT, Policy, Scope, Switch
from shared.access.rights import SCOPE_ACTIONS, Right
from shared.base.caller import Caller
from shared.base.ports import Dependency, Unavailable
from shared.base.refusals import Code, Refusal, refuse
from shared.session.flows import change_policy
from shared.session.flows.change_policy import ShownPolicy, clear_policy, set_policy, show_policy
from shared.session.flows.open_session import Opened, OpenSessionRequest, open_session
from shared.session.ports import Session
from tests.fakes import NOW, VM, FakeDependencies, everything, person

SUBSCRIPTION = Scope.parse(f"/subscriptions/{VM.subscription}")
GROUP = Scope.parse(f"{SUBSCRIPTION.text}/resourceGroups/{VM.group}")
ONE = Scope.of_vm(VM)
SCOPES = [Scope.parse(TENANT), SUBSCRIPTION, GROUP, ONE]


def administrator() -> Caller:
    return replace(person("root", "Root"), roles=frozenset({ADMINISTRATOR_ROLE}))


async def shown(fakes: FakeDependencies, scope: Scope) -> ShownPolicy:
    found = await show_policy(fakes.dependencies, administrator(), scope)
    assert isinstance(found, ShownPolicy)
    return found


async def opened(fakes: FakeDependencies, oid: str = "ada") -> Session:
    result = await open_session(fakes.dependencies, person(oid, oid.title()), VM, OpenSessionRequest())
    assert isinstance(result, Opened)
    return result.session


@pytest.mark.parametrize("scope", SCOPES, ids=str)
async def test_the_app_role_sets_shows_and_clears_every_scope(fakes: FakeDependencies, scope: Scope) -> None:
    policy = Policy(reason=True)
    kept = await set_policy(fakes.dependencies, administrator(), scope, policy, None)
    assert isinstance(kept, ShownPolicy)
    assert kept.stored is not None
    assert (kept.stored.policy, kept.stored.set_by, kept.stored.set_at) == (policy, "t1.root", NOW)
    assert await shown(fakes, scope) == kept
    assert await clear_policy(fakes.dependencies, administrator(), scope) is None
    assert (await shown(fakes, scope)).stored is None


async def test_what_holds_above_is_shown_with_it(fakes: FakeDependencies) -> None:
    for scope in SCOPES:
        await set_policy(fakes.dependencies, administrator(), scope, Policy(reason=True), None)
    assert [level.scope for level in (await shown(fakes, GROUP)).inherited] == [TENANT, SUBSCRIPTION.text]


@pytest.mark.parametrize("scope", SCOPES[1:], ids=str)
async def test_azures_own_rights_suffice_below_the_tenant(fakes: FakeDependencies, scope: Scope) -> None:
    assert isinstance(await set_policy(fakes.dependencies, person(), scope, Policy(), None), ShownPolicy)


@pytest.mark.parametrize("scope", SCOPES, ids=str)
async def test_whoever_lacks_them_is_refused_everything(fakes: FakeDependencies, scope: Scope) -> None:
    fakes.rights.lacking["ada"] = [*SCOPE_ACTIONS, "Microsoft.SerialConsole/serialPorts/write"]
    for answer in (
        await show_policy(fakes.dependencies, person(), scope),
        await set_policy(fakes.dependencies, person(), scope, Policy(console=Switch.OFF), None),
        await clear_policy(fakes.dependencies, person(), scope),
    ):
        assert isinstance(answer, Refusal)
        assert (answer.code, answer.target) == (Code.ADMINISTRATION_DENIED, scope.text)
    assert not fakes.policies.stored


async def test_a_vm_that_may_not_be_read_is_not_there(fakes: FakeDependencies) -> None:
    fakes.rights.lacking["ada"] = everything()
    answer = await show_policy(fakes.dependencies, person(), ONE)
    assert isinstance(answer, Refusal)
    assert answer.code is Code.VM_NOT_FOUND


async def test_policies_are_changed_under_the_demands_of_the_policies(fakes: FakeDependencies) -> None:
    fakes.policies.put(GROUP.text, networks=(ip_network("10.0.0.0/8"),), sign_in={Right.ADMINISTER: "c1"})
    outside = replace(person(), address="203.0.113.9", contexts=frozenset({"c1"}))
    inside = replace(person(), address="10.0.0.1", answers_challenges=True)
    for caller, code in ((outside, Code.NETWORK_NOT_ALLOWED), (inside, Code.MFA_REQUIRED)):
        for scope in (GROUP, ONE):
            answer = await clear_policy(fakes.dependencies, caller, scope)
            assert isinstance(answer, Refusal)
            assert answer.code is code
    assert await clear_policy(fakes.dependencies, inside, SUBSCRIPTION) is None, (
        "what is demanded below does not hold above"
    )
    assert await clear_policy(fakes.dependencies, administrator(), GROUP) is None, "somebody must be able to mend it"


async def test_a_vm_that_is_not_there_has_no_policy(fakes: FakeDependencies) -> None:
    """Anybody who administers a group could fill the table with names."""
    nowhere = Scope.of_vm(replace(VM, name="made-up"))
    answer = await set_policy(fakes.dependencies, person(), nowhere, Policy(reason=True), None)
    assert isinstance(answer, Refusal)
    assert answer.code is Code.VM_NOT_FOUND
    assert not fakes.policies.stored


async def test_no_role_of_azures_is_offered_for_the_tenant(fakes: FakeDependencies) -> None:
    answer = await show_policy(fakes.dependencies, person(), SCOPES[0])
    assert isinstance(answer, Refusal)
    assert (answer.code, answer.fix_command) == (Code.ADMINISTRATION_DENIED, None)


async def test_a_stronger_sign_in_may_be_asked_for(fakes: FakeDependencies) -> None:
    fakes.rights.lacking["ada"] = refuse(Code.MFA_REQUIRED, claims="{}")
    answer = await show_policy(fakes.dependencies, person(), SUBSCRIPTION)
    assert isinstance(answer, Refusal)
    assert answer.code is Code.MFA_REQUIRED


async def test_nobody_writes_over_a_change_they_have_not_seen(fakes: FakeDependencies) -> None:
    first = await set_policy(fakes.dependencies, administrator(), ONE, Policy(), "")
    assert isinstance(first, ShownPolicy)
    assert first.stored is not None
    second = await set_policy(fakes.dependencies, administrator(), ONE, Policy(reason=True), first.stored.version)
    assert isinstance(second, ShownPolicy)
    for version in ("", first.stored.version):
        late = await set_policy(fakes.dependencies, administrator(), ONE, Policy(), version)
        assert isinstance(late, Refusal)
        assert late.code is Code.POLICY_CHANGED


@pytest.mark.parametrize(
    ("scope", "code"),
    [
        (SCOPES[0], Code.CONSOLE_DISABLED_BY_POLICY),
        (SCOPES[1], Code.CONSOLE_DISABLED_FOR_SUBSCRIPTION),
        (SCOPES[2], Code.CONSOLE_DISABLED_BY_POLICY),
        (SCOPES[3], Code.CONSOLE_DISABLED_BY_POLICY),
    ],
)
async def test_switching_off_ends_live_sessions_there_at_once(
    fakes: FakeDependencies, scope: Scope, code: Code
) -> None:
    mine, other = await opened(fakes), replace(await opened(fakes), id="elsewhere", vm=replace(VM, group="rg-2"))
    fakes.sessions.rows[other.id] = replace(other, vm=replace(VM, subscription="5b5c0000-0000-4000-8000-000000000002"))
    fakes.relays.told.clear()
    await set_policy(fakes.dependencies, administrator(), scope, Policy(console=Switch.OFF), None)
    ended = {row.id for row in fakes.sessions.rows.values() if row.state == "ended"}
    assert ended >= {mine.id}
    assert ("elsewhere" in ended) == (scope.text == TENANT)
    assert ("end", mine.id, code, "Root") in fakes.relays.told
    refused = await open_session(fakes.dependencies, person(), VM, OpenSessionRequest())
    assert isinstance(refused, Refusal)
    assert refused.code is code


async def test_a_session_that_cannot_be_ended_now_is_left_to_its_heartbeat(
    fakes: FakeDependencies, caplog: pytest.LogCaptureFixture
) -> None:
    await opened(fakes)
    fakes.consoles.fail_release = True
    assert isinstance(
        await set_policy(fakes.dependencies, administrator(), ONE, Policy(console=Switch.OFF), None), ShownPolicy
    )
    assert "was not ended at once" in caplog.text


async def test_a_switch_turned_on_again_meanwhile_still_ends_what_it_was_meant_to(fakes: FakeDependencies) -> None:
    """Two administrators at the same moment: the sessions end, for no policy's reason."""
    await opened(fakes)

    async def forgetful(*_: object, **__: object) -> object:
        return object()

    fakes.policies.set = forgetful  # type: ignore[method-assign,assignment]  # cleared before it is looked at
    await set_policy(fakes.dependencies, administrator(), ONE, Policy(console=Switch.OFF), None)
    assert {row.ended_by for row in fakes.sessions.rows.values()} == {"SessionEnded"}


async def test_policies_that_cannot_be_read_let_nobody_in(fakes: FakeDependencies) -> None:
    fakes.policies.fail = Unavailable(Dependency.STORAGE_TABLES, "away")
    with pytest.raises(Unavailable):
        await opened(fakes)


@pytest.mark.parametrize("how", ["hangs", "is away"])
async def test_a_switch_is_off_although_what_is_open_cannot_be_listed_in_time(
    fakes: FakeDependencies, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """It is written down; the relays' heartbeats end the rest."""

    async def live(*_: object) -> list[Session]:
        if how == "is away":
            raise Unavailable(Dependency.STORAGE_TABLES, "away")
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(change_policy, "END_SECONDS", 0.05)
    monkeypatch.setattr(fakes.sessions, "live", live)
    kept = await set_policy(fakes.dependencies, administrator(), GROUP, Policy(console=Switch.OFF), None)
    assert isinstance(kept, ShownPolicy)
    assert kept.stored is not None
    assert kept.stored.policy.console is Switch.OFF
