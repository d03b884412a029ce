import string

import pytest

from shared.base.refusals import TABLE, Code, foreign_origin, refuse, together
from tests.unit.access.sight import WEB


def test_every_code_has_an_entry() -> None:
    assert set(TABLE) == set(Code)


@pytest.mark.parametrize("code", list(Code))
def test_a_refusal_is_as_the_table_has_it(code: Code) -> None:
    refusal, entry = refuse(code), TABLE[code]
    assert (refusal.status, refusal.message, refusal.retryable) == (
        entry.status,
        entry.message,
        bool(entry.retry_after),
    )
    assert refusal.close_code == (entry.close or 4000)
    assert refusal.fix


def test_close_codes_are_the_applications_own() -> None:
    assert all(4000 <= refuse(code).close_code < 5000 for code in Code)


@pytest.mark.parametrize("code", list(Code))
def test_a_command_is_filled_with_what_is_known_and_says_what_is_not(code: Code) -> None:
    command = TABLE[code].fix_command
    if command is None:
        assert refuse(code).fix_command is None
        return
    assert {field for _, field, _, _ in string.Formatter().parse(command) if field} <= {"vm", "caller", "storage"}
    known = refuse(code, target=WEB.resource_id, caller="ada-oid", storage="/subscriptions/s/account").fix_command
    assert known
    assert not any(name in known for name in ("{vm}", "{caller}", "{you}", "{storage}"))
    unknown = refuse(code).fix_command
    assert unknown
    assert ("{vm}" in command, "{caller}" in command) == ("{vm}" in unknown, "{you}" in unknown)


def test_braces_in_a_name_stay_as_they_are() -> None:
    assert refuse(Code.VM_NOT_FOUND, target="{vm}{0}").fix_command == "az vm show --ids {vm}{0}"


STORAGE = {
    Code.STORAGE_PERMISSION_DENIED: (
        403,
        (
            "You do not have the required permissions to write to the boot diagnostics storage account for this VM. "
            "Please ensure you have at least VM Contributor permissions"
        ),
    ),
    Code.STORAGE_RESOURCE_GROUP_UNKNOWN: (
        404,
        (
            "Unable to determine the resource group for the boot diagnostics storage account 'diag01'. "
            "Verify that boot diagnostics is enabled for this VM and you have access to this storage account."
        ),
    ),
    Code.BOOT_DIAGNOSTICS_STORAGE_NOT_FOUND: (
        404,
        (
            "The storage account 'diag01' used for boot diagnostics on this VM could not be found. "
            "Verify that boot diagnostics is enabled for this VM, this storage account has not been deleted, "
            "and you have access to this storage account."
        ),
    ),
    Code.BOOT_DIAGNOSTICS_STORAGE_FORBIDDEN: (
        403,
        'A "Forbidden" response was encountered when accessing this VM\'s boot diagnostic storage account.',
    ),
    Code.BOOT_DIAGNOSTICS_URI_INVALID: (
        400,
        "The serial console connection to the VM encountered an error: 'Bad Request' (400)",
    ),
}


@pytest.mark.parametrize("code", list(STORAGE))
def test_people_find_the_sentence_they_search_for_with_the_accounts_name_in_it(code: Code) -> None:
    refusal = refuse(code, account="diag01")
    assert (refusal.status, refusal.message) == STORAGE[code]


AZURES_OWN = {
    Code.BOOT_DIAGNOSTICS_DISABLED: "Azure Serial Console requires boot diagnostics to be enabled. "
    "Click here to configure boot diagnostics for your virtual machine.",
    Code.VM_NOT_RUNNING: "Azure Serial Console requires a virtual machine to be running. "
    "Use the Start button above to start your virtual machine.",
    Code.VM_PROVISIONING: "Provisioning for this VM has not yet succeeded. "
    "Please ensure the VM is fully deployed and retry the serial console connection.",
    Code.VM_PERMISSION_DENIED: "You do not have the required permissions to use this VM with the serial console. "
    "Ensure you have at least Virtual Machine Contributor role permissions.",
    Code.CONSOLE_DISABLED_FOR_SUBSCRIPTION: "Azure Serial Console is not enabled for this subscription, "
    "contact your subscription administrator to enable.",
    Code.GATEWAY_TIMEOUT: "Sorry, the serial console was unable to connect to the VM because the service "
    "did not respond in a timely manner.",
    Code.SCALE_SET_NOT_SPECIFIED: "We found that you specified a Virtual Machine Scale Set and not a VM. "
    "Use the --instance-id parameter to select the VMSS instance you want to connect to.",
}


@pytest.mark.parametrize("code", list(AZURES_OWN))
def test_azures_own_sentences_are_kept_to_the_byte(code: Code) -> None:
    assert refuse(code).message == AZURES_OWN[code]


def test_the_first_speaks_for_all() -> None:
    first, second = refuse(Code.VM_NOT_RUNNING, target="vm"), refuse(Code.INVALID_REQUEST, because="why")
    both = together([first, second])
    assert (both.code, both.details) == (first.code, (second,))
    assert second.message == "why"
    with pytest.raises(ValueError, match="unpack"):
        together([])


def test_a_command_can_be_pasted_whatever_the_names_are() -> None:
    odd = "/subscriptions/s/resourceGroups/rg(1)/providers/Microsoft.Compute/virtualMachines/vm"
    assert refuse(Code.VM_NOT_RUNNING, target=odd).fix_command == f"az vm start --ids '{odd}'"
    assert refuse(Code.VM_NOT_RUNNING, target="/plain/id").fix_command == "az vm start --ids /plain/id"
    assert refuse(Code.VM_NOT_RUNNING).fix_command == "az vm start --ids {vm}"


def test_a_page_elsewhere_is_told_who_could_let_it_in() -> None:
    refusal = foreign_origin("Pages of this origin may not call the API.")
    assert (refusal.code, refusal.status) == (Code.CALLER_NOT_PERMITTED, 403)
    assert "PAGE_ORIGINS" in refusal.fix
