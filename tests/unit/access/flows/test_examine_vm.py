"""What is asked of Azure, and what of it; the checks themselves are in tests/unit/access/test_checks.py."""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from shared.access.checks import OPEN
from shared.access.diagnostics_account import DiagnosticsAccount, NoDiagnosticsAccount
from shared.access.flows.examine_vm import LIVE, READING, SESSION, Examined, RequiredRight, admit_to_remains, examine_vm
from shared.access.rights import Right
from shared.base.refusals import Code, Refusal, refuse
from tests.fakes import VM, FakeDependencies, everything, machine, person

ACCOUNT = DiagnosticsAccount(f"/subscriptions/{VM.subscription}/account", "stdiag", firewalled=False)
URI = "https://stdiag.blob.core.windows.net/"


async def codes(fakes: FakeDependencies, wanted: RequiredRight = RequiredRight()) -> list[Code]:  # noqa: B008 - frozen
    examined = await examine_vm(fakes.dependencies, person(), VM, wanted)
    assert isinstance(examined, Examined)
    return [refusal.code for refusal in examined.refusals]


@pytest.fixture
def custom(fakes: FakeDependencies) -> FakeDependencies:
    """A VM whose boot diagnostics are in an account of its owner's."""
    fakes.vms.vms[VM.console] = machine(storage_uri=URI)
    fakes.around.accounts["stdiag"] = ACCOUNT
    return fakes


async def test_an_account_that_may_be_used_is_no_obstacle(custom: FakeDependencies) -> None:
    assert await codes(custom) == []


@pytest.mark.parametrize(
    ("account", "code"),
    [
        (NoDiagnosticsAccount.DELETED, Code.BOOT_DIAGNOSTICS_STORAGE_NOT_FOUND),
        (NoDiagnosticsAccount.UNSEEN, Code.STORAGE_RESOURCE_GROUP_UNKNOWN),
        (replace(ACCOUNT, firewalled=True), Code.BOOT_DIAGNOSTICS_STORAGE_FORBIDDEN),
    ],
)
async def test_what_is_wrong_with_the_account_is_said(
    custom: FakeDependencies, account: DiagnosticsAccount | NoDiagnosticsAccount, code: Code
) -> None:
    custom.around.accounts["stdiag"] = account
    assert await codes(custom) == [code]


async def test_a_uri_that_names_no_account_is_not_followed(custom: FakeDependencies) -> None:
    custom.vms.vms[VM.console] = machine(storage_uri="http://169.254.169.254/")
    assert await codes(custom) == [Code.BOOT_DIAGNOSTICS_URI_INVALID]


async def test_rights_are_asked_on_the_account_too(custom: FakeDependencies) -> None:
    custom.rights.on[ACCOUNT.resource_id] = ["Microsoft.Storage/storageAccounts/write"]
    assert await codes(custom) == [Code.STORAGE_PERMISSION_DENIED]
    assert await codes(custom, RequiredRight(Right.WATCH)) == []
    custom.rights.on[ACCOUNT.resource_id] = refuse(Code.MFA_REQUIRED, claims="{}")
    answer = await examine_vm(custom.dependencies, person(), VM, RequiredRight())
    assert isinstance(answer, Refusal)
    assert answer.code is Code.MFA_REQUIRED


async def test_a_right_that_demands_nothing_of_the_account_asks_nothing_there(custom: FakeDependencies) -> None:
    await codes(custom, RequiredRight(Right.POWER))
    assert custom.rights.asked == 1


@pytest.mark.parametrize("why", ["switched off", "diagnostics off", "not wanted"])
async def test_the_account_is_not_asked_about_where_it_does_not_matter(why: str) -> None:
    fakes = FakeDependencies(STORAGE_CHECK="off" if why == "switched off" else "on")
    fakes.vms.vms[VM.console] = machine(storage_uri="nonsense", boot_diagnostics=why != "diagnostics off")
    checks = [check for check in SESSION if check != "storage"] if why == "not wanted" else SESSION
    expected = [Code.BOOT_DIAGNOSTICS_DISABLED] if why == "diagnostics off" else []
    assert await codes(fakes, RequiredRight(checks=checks)) == expected


async def test_who_may_not_read_the_vm_learns_nothing_of_its_account(custom: FakeDependencies) -> None:
    custom.rights.lacking["ada"] = everything()
    answer = await examine_vm(custom.dependencies, person(), VM, RequiredRight())
    assert answer == refuse(Code.VM_NOT_FOUND, target=VM.resource_id)
    assert custom.rights.asked == 1


async def test_what_is_said_of_a_vm_is_for_those_who_may_read_it(fakes: FakeDependencies) -> None:
    """The service found it, and would name it."""
    fakes.vms.refusal = refuse(Code.INVALID_REQUEST, because="it is the VM secret-01")
    assert await examine_vm(fakes.dependencies, person(), VM, RequiredRight()) == fakes.vms.refusal
    fakes.rights.lacking["ada"] = everything()
    hidden = await examine_vm(fakes.dependencies, person(), VM, RequiredRight())
    assert hidden == refuse(Code.VM_NOT_FOUND, target=VM.resource_id)


async def test_locks_and_azures_switches_are_asked_where_they_are_checked(fakes: FakeDependencies) -> None:
    fakes.around.surroundings = replace(OPEN, lock="freeze", subscription_enabled=False, port_enabled=False)
    assert await codes(fakes) == [
        Code.CONSOLE_DISABLED_FOR_SUBSCRIPTION,
        Code.SERIAL_PORT_DISABLED,
        Code.RESOURCE_LOCKED,
    ]
    assert await codes(fakes, RequiredRight(Right.READ, READING)) == []
    assert Code.RESOURCE_LOCKED not in await codes(fakes, RequiredRight(Right.WRITE, LIVE))


HIDDEN = ["Microsoft.Compute/virtualMachines/read"]


async def of_what_remains(fakes: FakeDependencies) -> Code | None:
    refused = await admit_to_remains(fakes.dependencies, person(), VM, Right.READ)
    return refused.code if refused else None


@pytest.mark.parametrize("left", [VM.group_id, VM.subscription_id])
async def test_what_is_kept_of_a_vm_that_is_gone_is_for_those_who_hold_the_right_where_it_was(
    fakes: FakeDependencies, left: str
) -> None:
    fakes.around.left = left
    fakes.rights.lacking["ada"] = HIDDEN
    assert await of_what_remains(fakes) is Code.VM_NOT_FOUND
    fakes.rights.on[left] = ()
    assert await of_what_remains(fakes) is None


async def test_as_long_as_a_vm_is_there_only_its_own_rights_count(fakes: FakeDependencies) -> None:
    fakes.rights.on[VM.group_id] = ()
    assert await of_what_remains(fakes) is Code.VM_NOT_FOUND


async def test_what_policies_demand_outlives_the_vm(fakes: FakeDependencies) -> None:
    fakes.around.left = VM.group_id
    fakes.policies.put("/", networks=(ip_network("10.0.0.0/8"),))
    assert await of_what_remains(fakes) is Code.NETWORK_NOT_ALLOWED
    fakes.rights.on[VM.group_id] = refuse(Code.MFA_REQUIRED, claims="{}")
    assert await of_what_remains(fakes) is Code.MFA_REQUIRED
