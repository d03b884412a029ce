"""Reset, restart, start, stop, NMI and SysRq over HTTP: who may, what is sent where, what is refused."""

from collections.abc import Iterator
from typing import Any

import pytest

from dev.demo import ADA, ALAN, GRACE
from shared.access.commands import Command
from tests.dev.functions_host.host_process import until
from tests.functions.control_plane import ControlPlane
from tests.functions.policies import demanding
from tests.functions.test_over_http import refusal, vm

NAME = "web-04"
POWER = {Command.RESTART: "running", Command.STOP: "deallocated", Command.START: "running"}
LINE = (Command.RESET, Command.NMI, Command.SYSRQ)


@pytest.fixture(autouse=True)
def on(plane: ControlPlane) -> Iterator[None]:
    """The VM runs before and after."""
    plane.relay.told.clear()
    yield
    plane.world.units[NAME].power = "running"


def act(plane: ControlPlane, what: str, who: Any, **body: Any) -> Any:
    keys = {"keys": "b"} if what == Command.SYSRQ and "keys" not in body else {}
    return plane.call("POST", f"{vm(NAME)}/serialConsole/{what}", who, json=keys | body)


@pytest.mark.parametrize("what", POWER)
def test_power_goes_through_azure_and_is_noted_at_the_console(plane: ControlPlane, what: Command) -> None:
    answer = act(plane, what, GRACE, reason="hangs")
    assert (answer.status_code, answer.json()) == (202, {"act": what.value, "by": {"name": GRACE.name}})
    assert [(call, told["act"], told["by"]) for call, told, _ in plane.relay.told] == [("note", what.value, GRACE.name)]
    until(lambda: plane.world.units[NAME].power == POWER[what], plane.host)


@pytest.mark.parametrize("what", LINE)
def test_what_goes_down_the_line_is_sent_to_the_relay_once(plane: ControlPlane, what: Command) -> None:
    answer = act(plane, what, GRACE)
    assert answer.status_code == 202, answer.text
    ((call, told, _),) = plane.relay.told
    assert (call, told["command"], told["by"]) == ("command", what.value, GRACE.name)
    assert told["keys"] == ("b" if what is Command.SYSRQ else "")
    assert told["vm"].lower().endswith(NAME)


@pytest.mark.parametrize("what", list(Command))
def test_who_may_not_does_nothing(plane: ControlPlane, what: Command) -> None:
    answer = act(plane, what, ALAN)
    assert refusal(answer) == (
        403,
        "PowerPermissionDenied" if what in (*POWER, Command.RESET) else "NmiPermissionDenied",
    )
    assert plane.relay.told == []
    assert plane.world.units[NAME].power == "running"


@pytest.mark.parametrize(
    "body",
    [{}, {"keys": ""}, {"keys": "b" * 17}, {"keys": "b\n"}, {"keys": "b;"}, {"keys": "ä"}, {"keys": 5}, {"keys": None}],
)
def test_keys_that_are_none_are_refused(plane: ControlPlane, body: dict[str, Any]) -> None:
    answer = plane.call("POST", f"{vm(NAME)}/serialConsole/sysrq", GRACE, json=body)
    assert refusal(answer) == (400, "InvalidRequest")
    assert plane.relay.told == []


@pytest.mark.parametrize("what", [each for each in Command if each is not Command.SYSRQ])
def test_keys_are_for_sysrq_alone(plane: ControlPlane, what: Command) -> None:
    assert refusal(act(plane, what, GRACE, keys="b")) == (400, "InvalidRequest")


@pytest.mark.parametrize("what", list(Command))
def test_a_reason_that_is_demanded_is_demanded_here_too(plane: ControlPlane, what: Command) -> None:
    with demanding(plane, vm(NAME)[4:], reason=True):
        assert refusal(act(plane, what, ADA)) == (400, "ReasonRequired")
        assert plane.relay.told == []
        assert act(plane, what, ADA, reason="hangs").status_code == 202


def test_a_vm_that_is_off_is_started(plane: ControlPlane) -> None:
    plane.world.units[NAME].power = "deallocated"
    assert act(plane, Command.START, GRACE).status_code == 202
    until(lambda: plane.world.units[NAME].power == "running", plane.host)


@pytest.mark.parametrize("what", ["explode", "RESET2", "poweroff"])
def test_there_are_no_other_acts(plane: ControlPlane, what: str) -> None:
    answer = act(plane, what, ADA)
    assert (answer.status_code, answer.content) == (404, b"")


def test_every_act_leaves_a_line_that_says_which(plane: ControlPlane) -> None:
    answer = act(plane, Command.NMI, GRACE)
    mine = answer.headers["x-ms-correlation-request-id"]
    until(lambda: mine in plane.host.log, plane.host)
    (line,) = (line for line in plane.host.lines if mine in line and "serial_console.audit" in line)
    assert '"operation": "nmi_vm"' in line
