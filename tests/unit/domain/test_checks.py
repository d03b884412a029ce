from typing import Any

import pytest

from shared.domain import checks
from shared.domain.checks import check, refusals, warnings
from shared.domain.refusals import Code
from shared.domain.vm import Os, Power
from tests.fakes import VM, machine


def codes(*, missing: tuple[str, ...] = (), **changes: Any) -> list[Code]:
    return [each.code for each in refusals(check(machine(**changes), missing, "ada"))]


def test_a_vm_in_order_passes_every_check() -> None:
    assert codes() == []
    assert [each.what for each in check(machine(), (), "ada")] == list(checks.Checked)


def test_failures_come_in_the_order_in_which_they_are_mended() -> None:
    wrong = codes(missing=("x",), provisioning="Failed", power=Power.DEALLOCATED, boot_diagnostics=False)
    assert wrong == [
        Code.VM_PERMISSION_DENIED,
        Code.VM_PROVISIONING,
        Code.VM_NOT_RUNNING,
        Code.BOOT_DIAGNOSTICS_DISABLED,
    ]


@pytest.mark.parametrize("power", [power for power in Power if power is not Power.RUNNING])
def test_only_a_running_vm_has_a_console_and_one_on_its_way_is_worth_another_try(power: Power) -> None:
    (refusal,) = refusals(check(machine(power=power), (), "ada"))
    assert refusal.code is Code.VM_NOT_RUNNING
    assert refusal.retryable is (power in {Power.STARTING, Power.UNKNOWN})


def test_the_mending_names_the_vm_and_the_caller() -> None:
    (refusal,) = refusals(check(machine(), ("x",), "ada-oid"))
    assert refusal.fix_command is not None
    assert f"--assignee ada-oid --scope {VM.resource_id}" in refusal.fix_command


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"password_login": False}, ["PasswordLoginUnavailable"]),
        ({"os": Os.WINDOWS, "password_login": False}, ["WindowsSacMayBeOff"]),
        ({"storage_uri": "https://diag.blob.core.windows.net/"}, ["BootDiagnosticsOnCustomAccount"]),
    ],
)
def test_what_may_surprise_is_warned_of(changes: dict[str, Any], expected: list[str]) -> None:
    assert [each.code for each in warnings(machine(**changes))] == expected
