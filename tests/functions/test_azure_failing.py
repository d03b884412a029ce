"""What people are told, and how soon, while Azure Resource Manager fails."""

from collections.abc import Iterator

import pytest

from dev.arm.faults import Fault
from dev.arm.world import World
from dev.demo import ADA, GRACE, OTHER_SUBSCRIPTION
from shared.base.time_limit import REQUEST_SECONDS
from tests.functions.control_plane import ControlPlane
from tests.functions.test_over_http import refusal, vm
from tests.patience import PATIENCE

ALL = 1 << 30
FAR_TOO_LONG = 2 * int(PATIENCE)
"""Seconds: whoever waits so long is given up by the test."""


@pytest.fixture
def arm(plane: ControlPlane) -> Iterator[World]:
    """Where faults are ordered; afterwards there are none."""
    yield plane.world
    plane.world.faults = []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/consoles"),
        ("GET", f"{vm('web-03')}/serialConsole"),
        ("POST", f"{vm('web-03')}/serialConsole/sessions"),
    ],
)
def test_throttling_is_passed_on_at_once_with_arms_own_number(
    plane: ControlPlane, arm: World, method: str, path: str
) -> None:
    plane.call("GET", "/api/consoles", ADA)  # signs in
    seconds = str(FAR_TOO_LONG)
    arm.faults = [Fault("/subscriptions/", 429, "SubscriptionRequestsThrottled", retry_after=seconds, count=ALL)]
    answer = plane.call(method, path, ADA, **({"json": {}} if method == "POST" else {}))
    assert (*refusal(answer), answer.headers.get("retry-after")) == (429, "AzureThrottled", seconds)
    error = answer.json()["error"]
    assert "Azure Resource Manager throttles" in error["message"]
    assert (error["innererror"]["retryable"], error["innererror"]["retryAfterSeconds"]) == (True, FAR_TOO_LONG)


def test_an_arm_that_hangs_is_given_up_before_ten_seconds_and_not_called_throttling(
    plane: ControlPlane, arm: World
) -> None:
    arm.faults = [Fault("/subscriptions/", hang=FAR_TOO_LONG, count=ALL)]
    answer = plane.call("GET", "/api/consoles", GRACE)
    assert refusal(answer) == (504, "AzureTimeout")
    assert REQUEST_SECONDS < 10


@pytest.mark.parametrize("then", [4.0, FAR_TOO_LONG], ids=["slow", "hanging"])
def test_slow_answers_one_after_another_are_given_up_before_ten_seconds(
    plane: ControlPlane, arm: World, then: float
) -> None:
    """The VM's own account is asked for once the VM is known, and rights on it once it is: 4 s, 4 s, and 4 s."""
    plane.call("GET", "/api/consoles", ADA)  # signs in
    arm.faults = [Fault("storageAccounts", hang=then, count=ALL), Fault("/subscriptions/", hang=4.0, count=ALL)]
    answer = plane.call("POST", f"{vm('db-01', 'rg-data')}/serialConsole/sessions", ADA, json={})
    assert refusal(answer) == (503, "AzureUnavailable")
    assert "so slowly" in answer.json()["error"]["message"]


def test_a_transcript_of_a_vm_that_seems_gone_is_told_of_before_ten_seconds(plane: ControlPlane, arm: World) -> None:
    """Where the VM is not there, what enclosed it is asked for next."""
    plane.call("GET", "/api/consoles", ADA)
    arm.faults = [Fault("/subscriptions/", hang=4.5, count=ALL)]
    answer = plane.call("GET", f"{vm('web-99')}/serialConsole/transcript", ADA)
    assert refusal(answer) == (503, "AzureUnavailable")


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_list_that_fails_is_a_refusal_and_an_empty_list_is_none(plane: ControlPlane, arm: World, status: int) -> None:
    arm.faults = [Fault("virtualMachines", status, count=ALL)]
    assert refusal(plane.call("GET", "/api/consoles", GRACE)) == (503, "AzureUnavailable")
    arm.faults = []
    found = plane.call("GET", "/api/consoles", GRACE).json()
    assert len(found["value"]) > 3
    assert found["unasked"] == []


def test_a_subscription_that_could_not_be_asked_is_named_beside_the_vms_of_the_others(
    plane: ControlPlane, arm: World
) -> None:
    arm.faults = [Fault(OTHER_SUBSCRIPTION, 429, retry_after="8", count=ALL)]
    found = plane.call("GET", "/api/consoles", GRACE).json()
    assert len(found["value"]) > 3
    (unasked,) = found["unasked"]
    assert (unasked["subscription"], unasked["code"]) == (OTHER_SUBSCRIPTION, "AzureThrottled")
    assert unasked["retryAfterSeconds"] == 8
