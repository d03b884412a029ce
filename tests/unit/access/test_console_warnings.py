from typing import Any

import pytest

from shared.access.console_warnings import warnings
from shared.base.vm import Os
from tests.unit.access.sight import INSTANCE, WEB, vm


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"password_login": False}, ["PasswordLoginUnavailable"]),
        ({"os": Os.WINDOWS}, ["WindowsSacMayBeOff"]),
        ({"os": Os.WINDOWS, "password_login": False}, ["WindowsSacMayBeOff"]),
        ({"os": Os.WINDOWS, "publisher": "MicrosoftWindowsServer"}, ["WindowsSacMayBeOff"]),
        ({"os": Os.WINDOWS, "publisher": "MicrosoftWindowsDesktop"}, ["WindowsClientNoConsole"]),
        ({"os": Os.WINDOWS, "publisher": "microsoftwindowsdesktop"}, ["WindowsClientNoConsole"]),
        ({"os": Os.LINUX, "publisher": "MicrosoftWindowsDesktop"}, []),
        ({"storage_uri": "https://diag.blob.core.windows.net/"}, ["BootDiagnosticsOnCustomAccount"]),
        ({"of": INSTANCE, "latest_model": False}, ["ScaleSetInstanceNotLatestModel"]),
        (
            {"of": INSTANCE, "latest_model": False, "storage_uri": "https://x", "password_login": False},
            ["PasswordLoginUnavailable", "BootDiagnosticsOnCustomAccount", "ScaleSetInstanceNotLatestModel"],
        ),
    ],
)
def test_what_may_surprise_is_warned_of(changes: dict[str, Any], expected: list[str]) -> None:
    assert [each.code for each in warnings(vm(**changes))] == expected


def test_every_warning_says_what_to_do_about_it() -> None:
    found = warnings(vm(INSTANCE, latest_model=False, storage_uri="https://x", password_login=False))
    found += warnings(vm(os=Os.WINDOWS)) + warnings(vm(os=Os.WINDOWS, publisher="MicrosoftWindowsDesktop"))
    assert len({each.code for each in found}) == 5
    assert all(each.message and each.fix for each in found)


def test_the_mending_names_the_vm_or_its_scale_set() -> None:
    (login,) = warnings(vm(password_login=False))
    assert login.fix_command == f"az vm user update --ids {WEB.resource_id} --username <user> --password <password>"
    (model,) = warnings(vm(INSTANCE, latest_model=False))
    assert model.fix_command == ("az vmss update-instances --resource-group RG-Web --name Workers --instance-ids 3")
