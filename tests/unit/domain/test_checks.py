from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest

from shared.domain import checks
from shared.domain.approval import Approval, State
from shared.domain.caller import Kind
from shared.domain.checks import OPEN, Checked, Inspected, Service, Storage, check, refusals, step_up
from shared.domain.policy import Level, Policy, Switch
from shared.domain.refusals import Code
from shared.domain.rights import Right
from shared.domain.storage import Account, NoAccount
from shared.domain.vm import Power
from tests.fakes import VM, machine, person

SERVICE = Service("AzureCloud", frozenset({"AzureCloud"}), frozenset({"uksouth"}), on_by_default=True)
ADA = replace(person(), address="10.0.0.1", answers_challenges=True)
ACCOUNT = Account("/subscriptions/s/account", "stdiag", firewalled=False)
SUBSCRIPTION = f"/subscriptions/{VM.subscription}"
ASKED = Approval("a", VM, Right.WRITE, ADA.subject, "Ada", "why", 0.0, 100.0, good_seconds=100)


def seen(**changes: Any) -> Inspected:
    usual: dict[str, Any] = {
        "vm": machine(), "caller": ADA, "right": Right.WRITE, "missing": (), "service": SERVICE,
    }  # fmt: skip
    return Inspected(**(usual | changes))


def under(scope: str = VM.console, **demands: Any) -> dict[str, Any]:
    return {"levels": [Level(scope, Policy(**demands))]}


def test_a_vm_in_order_passes_every_check_in_the_order_of_mending() -> None:
    made = check(seen())
    assert refusals(made) == []
    assert [each.what for each in made] == list(Checked)


@pytest.mark.parametrize(
    ("what", "changes", "code"),
    [
        (Checked.SIGN_IN, under(sign_in={Right.WRITE: "c1"}), Code.MFA_REQUIRED),
        (Checked.PERMISSION, {"missing": ("x",)}, Code.VM_PERMISSION_DENIED),
        (Checked.CLOUD, {"service": replace(SERVICE, cloud="AzureChinaCloud")}, Code.CLOUD_NOT_AVAILABLE),
        (Checked.REGION, {"vm": machine(location="UKSouth")}, Code.REGION_NOT_AVAILABLE),
        (Checked.REGION, under(regions=("northeurope",)), Code.REGION_NOT_AVAILABLE),
        (Checked.SWITCH, {"around": replace(OPEN, subscription_enabled=False)}, Code.CONSOLE_DISABLED_FOR_SUBSCRIPTION),
        (Checked.SWITCH, under(SUBSCRIPTION, console=Switch.OFF), Code.CONSOLE_DISABLED_FOR_SUBSCRIPTION),
        (Checked.SWITCH, under(console=Switch.OFF), Code.CONSOLE_DISABLED_BY_POLICY),
        (Checked.SWITCH, {"service": replace(SERVICE, on_by_default=False)}, Code.CONSOLE_DISABLED_BY_POLICY),
        (Checked.PORT, {"around": replace(OPEN, port_enabled=False)}, Code.SERIAL_PORT_DISABLED),
        (Checked.NETWORK, under(networks=(ip_network("192.0.2.0/24"),)), Code.NETWORK_NOT_ALLOWED),
        (Checked.TAG, under(tags={"console": ("yes",)}), Code.TAG_NOT_ALLOWED),
        (Checked.LOCK, {"around": replace(OPEN, lock="freeze")}, Code.RESOURCE_LOCKED),
        (Checked.PROVISIONING, {"vm": machine(provisioning="Failed")}, Code.VM_PROVISIONING),
        (Checked.POWER, {"vm": machine(power=Power.STOPPED)}, Code.VM_NOT_RUNNING),
        (Checked.BOOT_DIAGNOSTICS, {"vm": machine(boot_diagnostics=False)}, Code.BOOT_DIAGNOSTICS_DISABLED),
        (Checked.STORAGE, {"storage": Storage(NoAccount.MALFORMED, "")}, Code.BOOT_DIAGNOSTICS_URI_INVALID),
        (Checked.STORAGE, {"storage": Storage(NoAccount.DELETED, "st")}, Code.BOOT_DIAGNOSTICS_STORAGE_NOT_FOUND),
        (Checked.STORAGE, {"storage": Storage(NoAccount.UNSEEN, "st")}, Code.STORAGE_RESOURCE_GROUP_UNKNOWN),
        (Checked.STORAGE, {"storage": Storage(ACCOUNT, "st", ("x",))}, Code.STORAGE_PERMISSION_DENIED),
        (
            Checked.STORAGE,
            {"storage": Storage(replace(ACCOUNT, firewalled=True), "st")},
            Code.BOOT_DIAGNOSTICS_STORAGE_FORBIDDEN,
        ),
        (Checked.REASON, under(reason=True), Code.REASON_REQUIRED),
        (Checked.APPROVAL, under(approval=frozenset({Right.WRITE})), Code.APPROVAL_REQUIRED),
        (
            Checked.APPROVAL,
            {**under(approval=frozenset({Right.WRITE})), "approvals": [ASKED]},
            Code.APPROVAL_PENDING,
        ),
    ],
)
def test_each_check_refuses_for_its_own_reason_and_names_the_vm(
    what: Checked, changes: Mapping[str, Any], code: Code
) -> None:
    made = check(seen(**changes))
    assert [(each.what, each.refusal.code) for each in made if each.refusal] == [(what, code)]
    (refusal,) = refusals(made)
    assert refusal.target == (None if what is Checked.SIGN_IN else VM.resource_id)


@pytest.mark.parametrize(
    "changes",
    [
        under(regions=("westeurope",)),
        {**under(console=Switch.ON), "service": replace(SERVICE, on_by_default=False)},
        under(networks=(ip_network("10.0.0.0/8"),)),
        {**under(reason=True), "reason": "disk full"},
        {**under(sign_in={Right.WRITE: "c1"}), "caller": replace(ADA, contexts=frozenset({"c1"}))},
        under(sign_in={Right.POWER: "c1"}, approval=frozenset({Right.POWER})),
        {"storage": Storage(ACCOUNT, "st")},
        {
            **under(approval=frozenset({Right.WRITE})),
            "approvals": [replace(ASKED, state=State.APPROVED, decided_at=0.0)],
        },
    ],
)
def test_a_demand_that_is_met_refuses_nothing(changes: dict[str, Any]) -> None:
    assert refusals(check(seen(**changes))) == []


def test_failures_come_in_the_order_in_which_they_are_mended() -> None:
    vm = machine(provisioning="Failed", power=Power.DEALLOCATED, boot_diagnostics=False)
    wrong = refusals(check(seen(vm=vm, missing=("x",), **under(console=Switch.OFF, reason=True))))
    assert [each.code for each in wrong] == [
        Code.VM_PERMISSION_DENIED,
        Code.CONSOLE_DISABLED_BY_POLICY,
        Code.VM_PROVISIONING,
        Code.VM_NOT_RUNNING,
        Code.BOOT_DIAGNOSTICS_DISABLED,
        Code.REASON_REQUIRED,
    ]


def test_only_the_checks_that_are_wanted_are_made() -> None:
    made = check(seen(vm=machine(power=Power.STOPPED)), (Checked.PERMISSION,))
    assert [each.what for each in made] == [Checked.PERMISSION]


@pytest.mark.parametrize("power", [power for power in Power if power is not Power.RUNNING])
def test_only_a_running_vm_has_a_console_and_one_on_its_way_is_worth_another_try(power: Power) -> None:
    (refusal,) = refusals(check(seen(vm=machine(power=power))))
    assert refusal.code is Code.VM_NOT_RUNNING
    assert refusal.retryable is (power in {Power.STARTING, Power.UNKNOWN})


@pytest.mark.parametrize(
    ("right", "code"),
    [
        (Right.WATCH, Code.VM_PERMISSION_DENIED),
        (Right.POWER, Code.POWER_PERMISSION_DENIED),
        (Right.NMI, Code.NMI_PERMISSION_DENIED),
        (Right.ADMINISTER, Code.ADMINISTRATION_DENIED),
        (Right.READ, Code.TRANSCRIPT_PERMISSION_DENIED),
        (Right.APPROVE, Code.APPROVER_PERMISSION_DENIED),
    ],
)
def test_a_right_that_is_lacking_is_named_with_whom_to_ask(right: Right, code: Code) -> None:
    (refusal,) = refusals(check(seen(right=right, missing=("x",))))
    assert refusal.code is code
    assert f"--assignee ada --scope {VM.resource_id}" in (refusal.fix_command or "")


def test_the_words_about_an_account_carry_its_name_and_its_id() -> None:
    (unknown,) = refusals(check(seen(storage=Storage(NoAccount.UNSEEN, "stdiag"))))
    assert unknown.message == (
        "Unable to determine the resource group for the boot diagnostics storage account 'stdiag'. Verify that boot "
        "diagnostics is enabled for this VM and you have access to this storage account."
    )
    (gone,) = refusals(check(seen(storage=Storage(NoAccount.DELETED, "stdiag"))))
    assert gone.message == (
        "The storage account 'stdiag' used for boot diagnostics on this VM could not be found. Verify that boot "
        "diagnostics is enabled for this VM, this storage account has not been deleted, and you have access to this "
        "storage account."
    )
    (lacking,) = refusals(check(seen(storage=Storage(ACCOUNT, "stdiag", ("x",)))))
    assert f"--assignee ada --scope {ACCOUNT.resource_id}" in (lacking.fix_command or "")


def test_a_challenge_names_the_context_and_is_for_people_who_can_answer_it() -> None:
    asked = step_up(ADA, "c7")
    assert asked.claims == '{"access_token": {"acrs": {"essential": true, "value": "c7"}}}'
    for other in (replace(ADA, answers_challenges=False), replace(ADA, kind=Kind.APPLICATION)):
        assert step_up(other, "c7").code is Code.STEP_UP_UNSUPPORTED


def test_every_right_that_can_be_lacked_has_its_refusal() -> None:
    assert set(checks._LACKED) == set(Right)
