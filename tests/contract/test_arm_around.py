"""Locks, Azure's switches, boot-diagnostics accounts and power acts, before the stand-ins of Entra ID and ARM."""

from dataclasses import replace

import pytest

from dev.arm.roles import LOOKS
from dev.arm.world import Lock, StorageAccount
from dev.demo import (
    ADA,
    ALAN,
    AUTOMATION,
    GRACE,
    OTHER_SUBSCRIPTION,
    SERVICE,
    SUBSCRIPTION,
    VM_CONTRIBUTOR,
    Assignment,
    group,
)
from shared.access.checks import OPEN
from shared.access.commands import Command
from shared.access.diagnostics_account import DiagnosticsAccount, NoDiagnosticsAccount
from shared.base.ports import Unavailable
from shared.base.refusals import Code, Refusal
from shared.base.vm import Vm, VmId
from tests.contract.arm import Arm, application, vm
from tests.dev.local_azure import LocalAzure

WEB = vm("web-01")
INSTANCE = VmId(SUBSCRIPTION, "rg-web", "0", "workers")


@pytest.mark.parametrize("of", [WEB, INSTANCE, vm("no-such-vm")], ids=["vm", "instance", "nothing"])
async def test_nothing_stands_in_the_way_unless_it_does(arm: Arm, of: VmId) -> None:
    assert await arm.around.of(of) == OPEN


@pytest.mark.parametrize("scope", [WEB.resource_id, group("rg-web"), f"/subscriptions/{SUBSCRIPTION}"])
async def test_a_read_only_lock_is_found_wherever_it_is_set(arm: Arm, scope: str) -> None:
    arm.world.locks = (Lock("keep", scope, "CanNotDelete"), Lock("freeze", scope), Lock("other", group("rg-data")))
    assert await arm.around.of(WEB) == replace(OPEN, lock="freeze")


async def test_a_lock_that_only_keeps_from_deleting_is_none(arm: Arm) -> None:
    arm.world.locks = (Lock("keep", group("rg-web"), "CanNotDelete"),)
    assert await arm.around.of(WEB) == OPEN


async def test_azures_switches_are_read(arm: Arm) -> None:
    arm.world.console_disabled = True
    arm.world.units["web-01"].port_enabled = False
    assert await arm.around.of(WEB) == replace(OPEN, subscription_enabled=False, port_enabled=False)
    assert await arm.around.of(INSTANCE) == replace(OPEN, subscription_enabled=False)


async def test_what_was_read_is_kept_for_seconds(azure: LocalAzure) -> None:
    arm = Arm(azure, cache_seconds=15)
    try:
        assert await arm.around.of(WEB) == OPEN
        arm.world.locks = (Lock("freeze", WEB.resource_id),)
        assert await arm.around.of(WEB) == OPEN
        assert await arm.around.of(WEB, fresh=True) == replace(OPEN, lock="freeze")
        arm.world.locks = ()
        assert await arm.around.of(WEB) == replace(OPEN, lock="freeze")
        arm.clock.time += 15
        assert await arm.around.of(WEB) == OPEN
    finally:
        await arm.close()


async def test_an_account_is_kept_for_seconds_and_a_service_that_may_not_look_for_one_says_so(
    azure: LocalAzure,
) -> None:
    arm = Arm(azure, cache_seconds=15)
    try:
        found = await arm.around.account("stcontosodiag", WEB)
        arm.world.assignments = ()
        assert await arm.around.account("stcontosodiag", WEB) == found
        arm.clock.time += 15
        with pytest.raises(Unavailable, match="needs the role that is called looks"):
            await arm.around.account("stcontosodiag", WEB)
    finally:
        await arm.close()


async def test_a_service_that_may_not_read_says_so(arm: Arm) -> None:
    arm.world.assignments = ()
    with pytest.raises(Unavailable, match="needs the role that is called looks"):
        await arm.around.of(WEB)


@pytest.mark.parametrize(
    ("account", "firewalled"),
    [
        (StorageAccount("rg-web"), False),
        (StorageAccount("rg-data", default_action="Deny"), True),
        (StorageAccount("rg-data", public_access="Disabled"), True),
        (StorageAccount("rg-x", subscription=OTHER_SUBSCRIPTION), False),
    ],
)
async def test_an_account_is_found_where_the_service_may_read(
    arm: Arm,
    account: StorageAccount,
    firewalled: bool,  # noqa: FBT001 - a column of the table
) -> None:
    arm.world.assignments += (Assignment(SERVICE.oid, VM_CONTRIBUTOR, f"/subscriptions/{OTHER_SUBSCRIPTION}"),)
    arm.world.accounts["stdiag"] = account
    arm.world.page_size = 1
    found = await arm.around.account("stdiag", WEB)
    where = f"/subscriptions/{account.subscription}/resourceGroups/{account.group}"
    assert found == DiagnosticsAccount(
        f"{where}/providers/Microsoft.Storage/storageAccounts/stdiag", "stdiag", firewalled
    )


async def test_a_name_that_is_free_was_deleted_and_one_that_is_not_is_somewhere(arm: Arm) -> None:
    assert await arm.around.account("stgone", WEB) is NoDiagnosticsAccount.DELETED
    arm.world.accounts["sthidden"] = StorageAccount("rg", hidden=True)
    assert await arm.around.account("sthidden", WEB) is NoDiagnosticsAccount.UNSEEN


async def test_a_next_page_elsewhere_is_not_fetched_and_the_list_is_not_taken_for_whole(arm: Arm) -> None:
    arm.world.next_link = "https://example.com/next"
    arm.world.page_size = 1
    arm.world.accounts = {"stfirst": StorageAccount("rg-web"), "stsecond": StorageAccount("rg-web")}
    with pytest.raises(Unavailable, match="elsewhere"):
        await arm.around.account("stsecond", WEB)


@pytest.mark.parametrize("of", [WEB, INSTANCE], ids=["vm", "instance"])
@pytest.mark.parametrize(
    ("act", "after"), [(Command.STOP, "deallocat"), (Command.RESTART, "running"), (Command.START, "running")]
)
async def test_a_user_acts_as_themselves(arm: Arm, of: VmId, act: Command, after: str) -> None:
    unit = arm.world.units["web-01" if of is WEB else "workers_0"]
    unit.power = "deallocated" if act is Command.START else "running"
    assert await arm.power.do(arm.user(GRACE), of, act) is None
    for operation in arm.world.operations.values():
        await operation.work
    assert unit.power.startswith(after)


async def test_who_may_not_act_is_refused(arm: Arm) -> None:
    refusal = await arm.power.do(arm.user(ALAN), WEB, Command.RESTART)
    assert refusal is not None
    assert (refusal.code, ALAN.oid in (refusal.fix_command or "")) == (Code.POWER_PERMISSION_DENIED, True)


async def test_switches_that_the_service_may_not_read_stand_in_no_way(arm: Arm) -> None:
    arm.world.roles = {LOOKS.id: replace(LOOKS, actions=LOOKS.actions[:-1])}
    arm.world.units["web-01"].port_enabled = False
    arm.world.switch_console(SUBSCRIPTION, disabled=True)
    for around in (arm.around, arm.shared.around):
        seen = await around.of(WEB)
        assert (seen.subscription_enabled, seen.port_enabled) == (True, True), "Azure itself refuses"


async def test_for_an_application_the_service_acts_and_needs_the_role(arm: Arm) -> None:
    refusal = await arm.power.do(application(AUTOMATION), WEB, Command.RESTART)
    assert refusal is not None
    assert refusal.code is Code.SERVICE_NOT_PERMITTED
    assert "the service acts itself" in refusal.message
    arm.world.assignments += (Assignment(SERVICE.oid, VM_CONTRIBUTOR, group("rg-web")),)
    assert await arm.power.do(application(AUTOMATION), WEB, Command.RESTART) is None


async def test_what_arm_refuses_now_is_told_in_its_words(arm: Arm) -> None:
    arm.world.locks = (Lock("freeze", group("rg-web")),)
    refusal = await arm.power.do(arm.user(ADA), WEB, Command.RESTART)
    assert refusal is not None
    assert refusal.code is Code.POWER_ACT_REFUSED
    assert refusal.message.startswith(f"Azure refused it: The scope '{WEB.resource_id}' cannot perform")
    assert "locked" in refusal.message


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"error": {"code": "Busy", "message": "one\n two\u202e\x1b[2J"}}, "Azure refused it: one two[2J"),
        ({"error": {"code": "Busy", "message": "x" * 999}}, f"Azure refused it: {'x' * 300}"),
        ({"error": {"code": "Busy"}}, "Azure refused to do this to the VM now."),
        ("not an error of ARM's", "Azure refused to do this to the VM now."),
    ],
)
async def test_what_arm_says_is_bounded_and_harmless(arm: Arm, answer: object, told: str) -> None:
    arm.world.busy = answer
    refusal = await arm.power.do(arm.user(ADA), WEB, Command.RESTART)
    assert refusal is not None
    assert refusal.message == told


async def test_no_vm_is_no_vm(arm: Arm) -> None:
    refusal = await arm.power.do(arm.user(ADA), vm("nope"), Command.START)
    assert refusal is not None
    assert refusal.code is Code.VM_NOT_FOUND


async def test_an_instance_of_a_flexible_set_is_the_vm_that_it_is(arm: Arm) -> None:
    """Under two names one COM1 would have two consoles, and two writers."""
    answer = await arm.vms.find(arm.user(ADA), VmId(SUBSCRIPTION, "rg-web", "web-01", "pool"))
    assert isinstance(answer, Refusal)
    assert (answer.code, WEB.resource_id in answer.message) == (Code.INVALID_REQUEST, True)


async def test_tags_publisher_region_and_model_are_read(arm: Arm) -> None:
    unit = arm.world.units["web-02"]
    unit.vm = replace(unit.vm, image=("MicrosoftWindowsDesktop", "Windows-11"), location="uksouth", tags={"a": "b"})
    answers = [await arm.vms.find(arm.user(ADA), of) for of in (vm("web-02"), INSTANCE, replace(INSTANCE, name="1"))]
    found = [answer for answer in answers if isinstance(answer, Vm)]
    assert (found[0].publisher, found[0].location, found[0].tags) == ("MicrosoftWindowsDesktop", "uksouth", {"a": "b"})
    assert [each.latest_model for each in found] == [True, True, False]


ELSEWHERE = VmId("5b5c0000-0000-4000-8000-00000000dead", "rg-web", "web-01")


@pytest.mark.parametrize(
    ("of", "left"),
    [
        (WEB, None),
        (INSTANCE, None),
        (vm("no-such-vm"), vm("x").group_id),
        (VmId(SUBSCRIPTION, "rg-web", "99", "workers"), vm("x").group_id),
        (vm("web-01", "rg-gone"), f"/subscriptions/{SUBSCRIPTION}"),
        (ELSEWHERE, None),
    ],
    ids=["there", "instance", "gone", "instance gone", "group gone", "nothing of ours"],
)
async def test_of_a_vm_that_is_gone_the_nearest_that_is_left_is_told(arm: Arm, of: VmId, left: str | None) -> None:
    assert await arm.around.remains(of) == left
