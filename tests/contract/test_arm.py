"""VMs and rights through Microsoft's SDKs, against the stand-ins of Entra ID and ARM."""

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ODataV4Format, ServiceRequestError

from dev.demo import ADA, ALAN, AUTOMATION, GRACE, READER, SERVICE, SUBSCRIPTION, Assignment, Person
from dev.entra.tokens import expired_token
from shared.access.azure import arm_clients
from shared.access.azure.arm_clients import asking_arm
from shared.access.commands import Command
from shared.access.ports import Visible
from shared.access.rights import DEFAULT, Right, on_vm, read_action
from shared.base.ports import Unavailable
from shared.base.refusals import Code, Refusal
from shared.base.vm import Os, Power, Vm, VmId
from tests.contract.arm import Arm, application, vm
from tests.dev.local_azure import LocalAzure

WATCHMAN = application(AUTOMATION)


async def found(arm: Arm, name: str, of: str = "rg-web") -> Vm:
    answer = await arm.vms.find(arm.user(ADA), vm(name, of))
    assert isinstance(answer, Vm)
    return answer


async def test_a_vm_is_read_as_the_user_may_see_it(arm: Arm) -> None:
    web = await found(arm, "web-01")
    assert (web.os, web.power, web.provisioning, web.boot_diagnostics) == (Os.LINUX, Power.RUNNING, "Succeeded", True)
    assert (web.location, web.storage_uri, web.password_login) == ("westeurope", None, True)


async def test_what_makes_a_vm_different_is_read_too(arm: Arm) -> None:
    assert (await found(arm, "web-02")).power is Power.DEALLOCATED
    assert not (await found(arm, "web-03")).boot_diagnostics
    assert not (await found(arm, "web-04")).password_login
    assert (await found(arm, "web-05")).provisioning == "Updating"
    assert ((await found(arm, "win-01")).os, (await found(arm, "win-01")).publisher) == (
        Os.WINDOWS,
        "MicrosoftWindowsServer",
    )
    assert "stcontosodiag" in ((await found(arm, "db-01", "rg-data")).storage_uri or "")


async def test_an_instance_of_a_scale_set_is_read(arm: Arm) -> None:
    instance = VmId(SUBSCRIPTION, "rg-web", "0", "workers")
    answer = await arm.vms.find(arm.user(ADA), instance)
    assert isinstance(answer, Vm)
    assert answer.id == instance
    assert await arm.rights.missing(arm.user(GRACE), instance.resource_id, on_vm(DEFAULT, Right.WRITE, instance)) == ()


async def test_no_vm_and_no_right_to_read_are_the_same(arm: Arm) -> None:
    arm.world.assignments = ()
    answers = [await arm.vms.find(arm.user(ADA), vm(name)) for name in ("web-01", "web-99")]
    assert [isinstance(each, Refusal) and each.code for each in answers] == [Code.VM_NOT_FOUND] * 2


@pytest.mark.parametrize(
    ("who", "name", "of", "permitted"),
    [
        (ADA, "db-01", "rg-data", True),
        (GRACE, "web-01", "rg-web", True),
        (GRACE, "db-01", "rg-data", False),
        (ALAN, "web-01", "rg-web", False),
    ],
)
async def test_a_users_rights_are_as_arm_resolves_them(
    arm: Arm,
    who: Person,
    name: str,
    of: str,
    permitted: bool,  # noqa: FBT001 - a column of the table
) -> None:
    at = vm(name, of)
    missing = await arm.rights.missing(arm.user(who), at.resource_id, on_vm(DEFAULT, Right.WRITE, at))
    assert not isinstance(missing, Refusal)
    assert (not missing) is permitted
    assert read_action(vm(name)) not in missing


async def test_an_applications_roles_are_read_by_the_service(arm: Arm) -> None:
    actions = on_vm(DEFAULT, Right.WRITE, vm("web-01"))
    assert await arm.rights.missing(WATCHMAN, vm("web-01").resource_id, actions) == ()
    assert isinstance(await arm.vms.find(WATCHMAN, vm("web-01")), Vm)
    arm.world.assignments = (Assignment(SERVICE.oid, READER, f"/subscriptions/{SUBSCRIPTION}"),)
    assert await arm.rights.missing(WATCHMAN, vm("web-01").resource_id, actions) == actions


async def test_who_may_not_ask_has_no_rights(arm: Arm) -> None:
    arm.world.assignments = ()
    actions = on_vm(DEFAULT, Right.WRITE, vm("web-01"))
    assert await arm.rights.missing(arm.user(ADA), vm("web-01").resource_id, actions) == actions


async def test_the_list_joins_models_and_power_states(arm: Arm) -> None:
    listed = await arm.vms.visible(arm.user(GRACE))
    assert not isinstance(listed, Refusal)
    states = {each.id.name: each.power for each in listed.vms}
    assert states["web-01"] is Power.RUNNING
    assert states["web-02"] is Power.DEALLOCATED
    assert {each.id.name: each.boot_diagnostics for each in listed.vms}["web-03"] is False


async def test_who_may_read_nothing_sees_nothing(arm: Arm) -> None:
    arm.world.assignments = ()
    assert await arm.vms.visible(arm.user(ADA)) == Visible([], {})


async def test_a_token_that_cannot_be_exchanged_is_a_refusal(arm: Arm, azure: LocalAzure) -> None:
    late = arm.user(ADA, expired_token(azure.stack, ADA))
    answers: list[Any] = [
        await arm.vms.find(late, vm("web-01")),
        await arm.vms.visible(late),
        await arm.rights.missing(late, vm("web-01").resource_id, on_vm(DEFAULT, Right.WRITE, vm("web-01"))),
        await arm.power.do(late, vm("web-01"), Command.RESTART),
    ]
    assert [each.code for each in answers] == [Code.CALLER_NOT_AUTHENTICATED] * 4


async def test_clients_of_a_user_are_kept_for_minutes_and_bounded(arm: Arm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arm_clients, "KEPT_USERS", 2)
    users = [arm.user(ADA, f"token {number}") for number in range(3)]
    first = arm.access.of(users[0])
    assert arm.access.of(users[0]) is first
    arm.clock.time += arm_clients.KEPT_SECONDS + 1
    second = arm.access.of(users[0])
    assert second is not first
    arm.access.of(users[1])
    arm.access.of(users[2])
    assert arm.access.of(users[0]) is not second


async def test_a_fault_of_our_own_is_not_the_callers(azure: LocalAzure) -> None:
    nowhere = Arm(azure, "https://localhost:1")  # Entra knows no such resource: it gives us no token for it
    try:
        with pytest.raises(Unavailable, match="entra: no token: invalid_resource"):
            await nowhere.vms.find(nowhere.user(ADA), vm("web-01"))
    finally:
        await nowhere.close()


@pytest.mark.parametrize("who", ["application", "user"])
async def test_a_service_that_cannot_sign_in_is_nothing_that_a_caller_could_mend(azure: LocalAzure, who: str) -> None:
    arm, at = Arm(azure, secret="an old one"), vm("web-01")
    caller = WATCHMAN if who == "application" else arm.user(ADA)
    asked: list[Any] = [
        lambda: arm.rights.missing(caller, at.resource_id, on_vm(DEFAULT, Right.WRITE, at)),
        lambda: arm.around.of(at),
        lambda: arm.around.account("stcontosodiag", at),
    ]
    if who == "application":  # a user does these as themselves
        asked += [lambda: arm.vms.find(caller, at), lambda: arm.vms.visible(caller)]
        asked += [lambda: arm.power.do(caller, at, Command.RESTART)]
    try:
        for ask in asked:
            with pytest.raises(Unavailable, match="the service's own identity cannot sign in"):
                await ask()
    finally:
        await arm.close()


def broken(status: int) -> HttpResponseError:
    """With ARM's own envelope."""
    error = HttpResponseError("a text with details")
    error.status_code, error.error = status, ODataV4Format({"error": {"code": "Code", "message": "Words."}})
    return error


@pytest.mark.parametrize("fault", [broken(500), broken(429), ServiceRequestError("refused"), TimeoutError()])
async def test_an_arm_that_is_away_is_unavailable(fault: Exception) -> None:
    with pytest.raises(Unavailable, match="arm"):
        async with asking_arm():
            raise fault


@pytest.mark.parametrize("status", [403, 404])
async def test_a_reasoned_no_passes_through(status: int) -> None:
    with pytest.raises(HttpResponseError):
        async with asking_arm():
            raise broken(status)
