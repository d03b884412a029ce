"""What Azure is asked for a VM that is there and for one that is not, when the caller may read neither: the same."""

from typing import Any

import pytest

from dev.demo import ADA, Person, group
from tests.functions.control_plane import ControlPlane

COMPUTE = f"/api{group('rg-web')}/providers/Microsoft.Compute/virtualMachines"
STRANGER = Person("0a0c0000-0000-4000-8000-0000000000ee", "A Stranger", "stranger@contoso.example", "has no role")
CALLS: list[tuple[str, str, Any]] = [
    ("GET", "", None),
    ("GET", "?for=power", None),
    ("GET", "/transcript", None),
    ("POST", "/sessions", {}),
    ("POST", "/restart", {}),
    ("POST", "/nmi", {}),
    ("POST", "/approvals", {"reason": "x"}),
    ("PUT", "/policy", {}),
]


def asked_of_azure(plane: ControlPlane, name: str) -> list[str]:
    """What the stand-in of Azure Resource Manager was asked about the VM since it was last looked at."""
    asked = [request.replace(name, "NAME") for request in plane.world.asked if name in request]
    plane.world.asked.clear()
    return sorted(asked)


@pytest.mark.parametrize(("method", "tail", "body"), CALLS)
def test_azure_is_asked_the_same_of_what_is_hidden_and_of_what_is_not_there(
    plane: ControlPlane, method: str, tail: str, body: Any
) -> None:
    plane.world.asked.clear()
    asked = []
    for name in ("web-01", "web-99"):
        answer = plane.call(method, f"{COMPUTE}/{name}/serialConsole{tail}", STRANGER, json=body)
        assert (answer.status_code, answer.headers["x-ms-error-code"]) == (404, "VmNotFound")
        asked.append(asked_of_azure(plane, name))
    assert asked[0] == asked[1]
    assert asked[0]


def test_of_a_vm_that_may_be_read_azure_is_asked_too(plane: ControlPlane) -> None:
    """What is compared above is not nothing with nothing."""
    plane.world.asked.clear()
    plane.call("GET", f"{COMPUTE}/web-01/serialConsole", ADA)
    assert any(line.endswith("/virtualMachines/NAME") for line in asked_of_azure(plane, "web-01"))
