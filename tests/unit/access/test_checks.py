import json
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest

from shared.access.approval import State
from shared.access.checks import (
    OPEN,
    Check,
    CheckName,
    Inspected,
    StorageCheck,
    check,
    refusals,
    step_up,
    switch_refusal,
)
from shared.access.diagnostics_account import DiagnosticsAccount, NoDiagnosticsAccount
from shared.access.policy import Switch
from shared.access.rights import Right
from shared.base.caller import Caller, CallerKind
from shared.base.refusals import Code, Refusal
from shared.base.vm import Power
from tests.unit.access.sight import (
    GROUP,
    INSTANCE,
    NOW,
    SUBSCRIPTION,
    WEB,
    approval,
    caller,
    inspected,
    level,
    service,
    vm,
)

ACCOUNT = DiagnosticsAccount(f"{GROUP}/providers/Microsoft.Storage/storageAccounts/diag01", "diag01", firewalled=False)
FIREWALLED = replace(ACCOUNT, firewalled=True)
KEYLESS, HIERARCHICAL = replace(ACCOUNT, keyless=True), replace(ACCOUNT, hierarchical=True)
WRITES = frozenset({Right.WRITE})


def only(seen: Inspected) -> tuple[CheckName, Refusal]:
    """The one check that did not pass."""
    (failed,) = [each for each in check(seen) if each.refusal]
    assert failed.refusal
    return failed.what, failed.refusal


def stored(account: DiagnosticsAccount | NoDiagnosticsAccount, *missing: str) -> Inspected:
    return inspected(storage=StorageCheck(account, "diag01", missing))


PASSING = [
    {},
    {"vm": vm(INSTANCE)},
    {"levels": [level(sign_in={Right.WRITE: "c1"})], "caller": caller(contexts=frozenset({"c1"}))},
    {"levels": [level(sign_in={Right.NMI: "c1"})]},
    {"service": service(cloud="AzureChinaCloud", clouds=frozenset({"AzureCloud", "AzureChinaCloud"}))},
    {"levels": [level(regions=("westeurope",))], "vm": vm(location="West Europe")},
    {"levels": [level(console=Switch.ON)], "service": service(on_by_default=False)},
    {"levels": [level(networks=(ip_network("10.0.0.0/8"),))], "caller": caller(address="10.0.0.1")},
    {"levels": [level(tags={"console": ("yes",)})], "vm": vm(tags={"Console": "yes"})},
    {"storage": StorageCheck(ACCOUNT, "diag01")},
    {"levels": [level(tickets=("INC-*",))], "reason": "INC-1 disk full"},
    {"levels": [level(approval=frozenset({Right.NMI}))]},
]


@pytest.mark.parametrize("changes", PASSING)
def test_what_is_in_order_passes_every_check(changes: dict[str, Any]) -> None:
    assert check(inspected(**changes)) == tuple(Check(what, None) for what in CheckName)


FAILING: list[tuple[CheckName, dict[str, Any], Code, str | None]] = [
    (CheckName.PERMISSION, {"missing": ("x",)}, Code.VM_PERMISSION_DENIED, None),
    (
        CheckName.CLOUD,
        {"service": service(cloud="AzureChinaCloud")},
        Code.CLOUD_NOT_AVAILABLE,
        "The service does not serve the cloud AzureChinaCloud.",
    ),
    (
        CheckName.REGION,
        {"vm": vm(location="UKSouth")},
        Code.REGION_NOT_AVAILABLE,
        "The service does not serve the region uksouth.",
    ),
    (
        CheckName.REGION,
        {"vm": vm(location="UK South"), "service": service(closed_regions=frozenset({"UKSouth"}))},
        Code.REGION_NOT_AVAILABLE,
        "The service does not serve the region uksouth.",
    ),
    (
        CheckName.REGION,
        {"levels": [level(GROUP, regions=("eastus",))]},
        Code.REGION_NOT_AVAILABLE,
        "The policy of resource group rg-web does not allow the region westeurope.",
    ),
    (
        CheckName.SWITCH,
        {"around": replace(OPEN, subscription_enabled=False)},
        Code.CONSOLE_DISABLED_FOR_SUBSCRIPTION,
        None,
    ),
    (
        CheckName.SWITCH,
        {"levels": [level(SUBSCRIPTION, console=Switch.OFF)]},
        Code.CONSOLE_DISABLED_FOR_SUBSCRIPTION,
        None,
    ),
    (
        CheckName.SWITCH,
        {"levels": [level(WEB.console, console=Switch.OFF)]},
        Code.CONSOLE_DISABLED_BY_POLICY,
        "The policy of VM web-01 has switched the console off.",
    ),
    (
        CheckName.SWITCH,
        {"service": service(on_by_default=False)},
        Code.CONSOLE_DISABLED_BY_POLICY,
        "The policy of the tenant has switched the console off.",
    ),
    (CheckName.PORT, {"around": replace(OPEN, port_enabled=False)}, Code.SERIAL_PORT_DISABLED, None),
    (
        CheckName.NETWORK,
        {"levels": [level(networks=(ip_network("10.0.0.0/8"),))], "caller": caller(address="192.0.2.1")},
        Code.NETWORK_NOT_ALLOWED,
        "The policy of the tenant does not allow this from your network.",
    ),
    (
        CheckName.TAG,
        {"levels": [level(tags={"console": ("yes", "on")})], "vm": vm(tags={"console": "no"})},
        Code.TAG_NOT_ALLOWED,
        "A policy allows consoles only of VMs with the tag console=yes or on.",
    ),
    (
        CheckName.LOCK,
        {"around": replace(OPEN, lock="freeze")},
        Code.RESOURCE_LOCKED,
        "The read-only lock freeze stops the serial console.",
    ),
    (CheckName.PROVISIONING, {"vm": vm(provisioning="Failed")}, Code.VM_PROVISIONING, None),
    (CheckName.POWER, {"vm": vm(power=Power.DEALLOCATED)}, Code.VM_NOT_RUNNING, None),
    (CheckName.BOOT_DIAGNOSTICS, {"vm": vm(boot_diagnostics=False)}, Code.BOOT_DIAGNOSTICS_DISABLED, None),
    (CheckName.REASON, {"levels": [level(reason=True)]}, Code.REASON_REQUIRED, "A policy demands a reason."),
    (
        CheckName.REASON,
        {"levels": [level(tickets=("INC-*",))], "reason": "disk full"},
        Code.REASON_REQUIRED,
        "The policy of the tenant demands a ticket in the reason, like INC-*.",
    ),
    (CheckName.APPROVAL, {"levels": [level(approval=WRITES)]}, Code.APPROVAL_REQUIRED, None),
    (
        CheckName.APPROVAL,
        {"levels": [level(approval=WRITES)], "approvals": [approval()]},
        Code.APPROVAL_PENDING,
        None,
    ),
]


@pytest.mark.parametrize(("what", "changes", "code", "message"), FAILING)
def test_what_is_wrong_fails_its_own_check_alone(
    what: CheckName, changes: dict[str, Any], code: Code, message: str | None
) -> None:
    failed, refusal = only(inspected(**changes))
    assert (failed, refusal.code, refusal.target) == (what, code, WEB.resource_id)
    assert message is None or refusal.message == message
    assert refusal.status >= 400


EVERYTHING = inspected(
    vm=vm(location="uksouth", provisioning="Failed", power=Power.STOPPED, boot_diagnostics=False),
    missing=("x",),
    service=service(cloud="AzureChinaCloud"),
    levels=[
        level(
            console=Switch.OFF,
            reason=True,
            networks=(ip_network("10.0.0.0/8"),),
            tags={"console": ()},
            sign_in={Right.WRITE: "c1"},
            approval=WRITES,
        )
    ],
    around=replace(OPEN, port_enabled=False, lock="freeze"),
    storage=StorageCheck(NoDiagnosticsAccount.DELETED, "diag01"),
)


def test_failures_come_in_the_order_in_which_they_are_mended() -> None:
    assert [each.code for each in refusals(check(EVERYTHING))] == [
        Code.STEP_UP_UNSUPPORTED,
        Code.VM_PERMISSION_DENIED,
        Code.CLOUD_NOT_AVAILABLE,
        Code.REGION_NOT_AVAILABLE,
        Code.CONSOLE_DISABLED_BY_POLICY,
        Code.SERIAL_PORT_DISABLED,
        Code.NETWORK_NOT_ALLOWED,
        Code.TAG_NOT_ALLOWED,
        Code.RESOURCE_LOCKED,
        Code.VM_PROVISIONING,
        Code.VM_NOT_RUNNING,
        Code.BOOT_DIAGNOSTICS_DISABLED,
        Code.BOOT_DIAGNOSTICS_STORAGE_NOT_FOUND,
        Code.REASON_REQUIRED,
        Code.APPROVAL_REQUIRED,
    ]
    assert [each.what for each in check(EVERYTHING)] == list(CheckName)


def test_only_the_checks_that_are_asked_for_are_made_in_the_order_asked() -> None:
    found = check(EVERYTHING, [CheckName.POWER, CheckName.PERMISSION])
    assert [each.what for each in found] == [CheckName.POWER, CheckName.PERMISSION]
    assert check(EVERYTHING, []) == ()


@pytest.mark.parametrize(
    ("right", "code"),
    [
        (Right.WATCH, Code.VM_PERMISSION_DENIED),
        (Right.WRITE, Code.VM_PERMISSION_DENIED),
        (Right.POWER, Code.POWER_PERMISSION_DENIED),
        (Right.NMI, Code.NMI_PERMISSION_DENIED),
        (Right.ADMINISTER, Code.ADMINISTRATION_DENIED),
        (Right.READ, Code.TRANSCRIPT_PERMISSION_DENIED),
        (Right.APPROVE, Code.APPROVER_PERMISSION_DENIED),
    ],
)
def test_each_right_that_is_lacking_has_its_own_words_and_names_who_lacks_it(right: Right, code: Code) -> None:
    what, refusal = only(inspected(right=right, missing=("x",), caller=caller(oid="ada-oid")))
    assert (what, refusal.code, refusal.status) == (CheckName.PERMISSION, code, 403)
    assert refusal.fix_command
    assert f"--assignee ada-oid --scope {WEB.resource_id}" in refusal.fix_command


def test_every_right_that_can_be_lacked_has_its_refusal() -> None:
    for right in Right:
        assert only(inspected(right=right, missing=("x",)))[0] is CheckName.PERMISSION


@pytest.mark.parametrize("power", [power for power in Power if power is not Power.RUNNING])
def test_only_a_running_vm_has_a_console_and_one_on_its_way_is_worth_another_try(power: Power) -> None:
    what, refusal = only(inspected(vm=vm(power=power)))
    assert (what, refusal.code) == (CheckName.POWER, Code.VM_NOT_RUNNING)
    assert refusal.retry_after == (15 if power in {Power.STARTING, Power.UNKNOWN} else None)


@pytest.mark.parametrize("provisioning", ["Creating", "Updating", "Deleting", "Failed", "succeeded", ""])
def test_a_vm_that_is_not_fully_deployed_is_worth_another_try(provisioning: str) -> None:
    what, refusal = only(inspected(vm=vm(provisioning=provisioning)))
    assert (what, refusal.code, refusal.retryable) == (CheckName.PROVISIONING, Code.VM_PROVISIONING, True)


# a stronger sign-in


def test_a_client_that_knows_challenges_is_told_how_to_sign_in() -> None:
    able = caller(contexts=frozenset({"c1"}), answers_challenges=True)
    levels = [level(sign_in={Right.WRITE: "c1"}), level(GROUP, sign_in={Right.WRITE: "c2"})]
    what, refusal = only(inspected(caller=able, levels=levels))
    assert (what, refusal.code, refusal.status) == (CheckName.SIGN_IN, Code.MFA_REQUIRED, 401)
    assert json.loads(refusal.claims or "") == {"access_token": {"acrs": {"essential": True, "value": "c2"}}}


@pytest.mark.parametrize("who", [caller(), caller(kind=CallerKind.APPLICATION, answers_challenges=True)])
def test_who_cannot_answer_a_challenge_is_refused_without_one(who: Caller) -> None:
    """An older client would choke on it, and nobody sits at an application."""
    refusal = step_up(who, "c1")
    assert (refusal.code, refusal.status, refusal.claims) == (Code.STEP_UP_UNSUPPORTED, 403, None)
    assert "cp1" in refusal.fix


# the switch


def test_the_switch_can_be_looked_at_alone() -> None:
    assert switch_refusal(WEB, (), service()) is None
    refusal = switch_refusal(INSTANCE, [level(INSTANCE.console, console=Switch.OFF)], service())
    assert refusal
    assert (refusal.code, refusal.target) == (Code.CONSOLE_DISABLED_BY_POLICY, INSTANCE.resource_id)


def test_a_switch_that_is_off_above_stays_off_below() -> None:
    levels = [level(GROUP, console=Switch.OFF), level(WEB.console, console=Switch.ON)]
    _, refusal = only(inspected(levels=levels))
    assert refusal.message == "The policy of resource group rg-web has switched the console off."


def test_a_subscription_that_is_off_is_said_in_azures_words_in_whatever_letter_case_it_was_written() -> None:
    loud = replace(WEB, subscription=WEB.subscription.upper())
    refusal = switch_refusal(loud, [level(SUBSCRIPTION, console=Switch.OFF)], service())
    assert refusal
    assert refusal.code is Code.CONSOLE_DISABLED_FOR_SUBSCRIPTION
    assert refusal.message == (
        "Azure Serial Console is not enabled for this subscription, contact your subscription administrator to enable."
    )


# the account of boot diagnostics

NOT_FOUND = (
    "The storage account 'diag01' used for boot diagnostics on this VM could not be found. Verify that boot "
    "diagnostics is enabled for this VM, this storage account has not been deleted, and you have access to this "
    "storage account."
)
UNKNOWN_GROUP = (
    "Unable to determine the resource group for the boot diagnostics storage account 'diag01'. "
    "Verify that boot diagnostics is enabled for this VM and you have access to this storage account."
)
DENIED = (
    "You do not have the required permissions to write to the boot diagnostics storage account for this VM. "
    "Please ensure you have at least VM Contributor permissions"
)
FORBIDDEN = 'A "Forbidden" response was encountered when accessing this VM\'s boot diagnostic storage account.'
NO_KEYS = (
    "The storage account 'diag01' used for boot diagnostics on this VM cannot be accessed by its keys, and the serial "
    "console needs that."
)
NO_FOLDERS = (
    "The storage account 'diag01' used for boot diagnostics on this VM has a hierarchical namespace, and the serial "
    "console does not work with that."
)
BAD_REQUEST = "The serial console connection to the VM encountered an error: 'Bad Request' (400)"


@pytest.mark.parametrize(
    ("seen", "code", "status", "message"),
    [
        (stored(NoDiagnosticsAccount.DELETED), Code.BOOT_DIAGNOSTICS_STORAGE_NOT_FOUND, 404, NOT_FOUND),
        (stored(NoDiagnosticsAccount.UNSEEN), Code.STORAGE_RESOURCE_GROUP_UNKNOWN, 404, UNKNOWN_GROUP),
        (stored(NoDiagnosticsAccount.MALFORMED), Code.BOOT_DIAGNOSTICS_URI_INVALID, 400, BAD_REQUEST),
        (stored(ACCOUNT, "x"), Code.STORAGE_PERMISSION_DENIED, 403, DENIED),
        (stored(FIREWALLED), Code.BOOT_DIAGNOSTICS_STORAGE_FORBIDDEN, 403, FORBIDDEN),
        (stored(FIREWALLED, "x"), Code.STORAGE_PERMISSION_DENIED, 403, DENIED),
        (stored(KEYLESS), Code.BOOT_DIAGNOSTICS_STORAGE_KEYLESS, 403, NO_KEYS),
        (stored(HIERARCHICAL), Code.BOOT_DIAGNOSTICS_STORAGE_UNSUPPORTED, 409, NO_FOLDERS),
    ],
)
def test_an_account_that_cannot_be_used_is_said_in_azures_words(
    seen: Inspected, code: Code, status: int, message: str
) -> None:
    what, refusal = only(seen)
    assert (what, refusal.code, refusal.status, refusal.message) == (CheckName.STORAGE, code, status, message)
    assert refusal.target == WEB.resource_id


def test_the_mending_names_the_account_or_moves_away_from_it() -> None:
    commands = [
        only(each)[1].fix_command
        for each in (stored(ACCOUNT, "x"), stored(FIREWALLED), stored(NoDiagnosticsAccount.DELETED))
    ]
    assert commands == [
        f"az role assignment create --role Contributor --assignee ada --scope {ACCOUNT.resource_id}",
        f"az storage account update --ids {ACCOUNT.resource_id} --default-action Allow",
        f'az vm boot-diagnostics enable --ids {WEB.resource_id} --storage ""',
    ]


# approval

DEMANDED = [level(approval=frozenset({Right.WATCH, Right.WRITE}))]
YES = approval(state=State.APPROVED, decided_by="t1.grace", decided_at=NOW - 10)


def approved(right: Right, *approvals: Any, **changes: Any) -> Code | None:
    found = refusals(check(inspected(right=right, levels=DEMANDED, approvals=approvals, **changes)))
    return found[0].code if found else None


def test_a_yes_to_writing_is_one_to_watching_and_not_the_reverse() -> None:
    assert approved(Right.WRITE, YES) is None
    assert approved(Right.WATCH, YES) is None
    assert approved(Right.WATCH, replace(YES, right=Right.WATCH)) is None
    assert approved(Right.WRITE, replace(YES, right=Right.WATCH)) is Code.APPROVAL_REQUIRED


def test_a_request_to_write_that_waits_is_one_to_watch_and_not_the_reverse() -> None:
    assert approved(Right.WATCH, approval()) is Code.APPROVAL_PENDING
    assert approved(Right.WRITE, approval(Right.WATCH)) is Code.APPROVAL_REQUIRED


def test_a_yes_that_is_over_or_another_ones_is_none() -> None:
    assert approved(Right.WRITE, YES, now=NOW + 3590) is Code.APPROVAL_REQUIRED
    assert approved(Right.WRITE, YES, now=NOW + 3589) is None
    assert approved(Right.WRITE, YES, caller=caller(oid="grace")) is Code.APPROVAL_REQUIRED
    assert approved(Right.WRITE, replace(YES, state=State.DENIED)) is Code.APPROVAL_REQUIRED


def test_a_request_that_nobody_decided_in_time_is_to_be_made_anew() -> None:
    assert approved(Right.WRITE, approval(), now=NOW + 60) is Code.APPROVAL_REQUIRED


def test_one_yes_among_many_requests_is_enough() -> None:
    assert approved(Right.WRITE, approval(), replace(YES, state=State.DENIED), YES) is None
