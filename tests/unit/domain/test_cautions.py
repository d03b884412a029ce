from typing import Any

import pytest

from shared.domain.cautions import warnings
from shared.domain.vm import Os
from tests.fakes import machine


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"password_login": False}, ["PasswordLoginUnavailable"]),
        ({"os": Os.WINDOWS, "password_login": False}, ["WindowsSacMayBeOff"]),
        ({"os": Os.WINDOWS, "publisher": "MicrosoftWindowsDesktop"}, ["WindowsClientNoConsole"]),
        ({"storage_uri": "https://diag.blob.core.windows.net/"}, ["BootDiagnosticsOnCustomAccount"]),
        ({"latest_model": False}, ["ScaleSetInstanceNotLatestModel"]),
    ],
)
def test_what_may_surprise_is_said_beforehand(changes: dict[str, Any], expected: list[str]) -> None:
    found = warnings(machine(**changes))
    assert [each.code for each in found] == expected
    assert all(each.message and each.fix for each in found)
