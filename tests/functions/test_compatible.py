"""Microsoft.SerialConsole as its official client meets it here: the code of docs/compatibility.md, run."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jwt
import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.mgmt.serialconsole.models import SerialPort, SerialPortProperties, SerialPortState

from dev.demo import ADA, ALAN, API_URI, GRACE, SUBSCRIPTION, Person, group
from dev.entra.tokens import user_token
from dev.stack import ROOT
from functions import compatible
from functions.http.routes import make_trigger
from shared import wiring
from shared.base.refusals import Code, refuse
from tests.fakes import FakeDependencies
from tests.functions.control_plane import ControlPlane
from tests.functions.test_answers import request

VM = ("rg-web", "Microsoft.Compute", "virtualMachines", "web-01")
AS_AZURES_COMMAND_LINE = ("rg-web", "Microsoft.Compute", "virtualMachineScaleSets", "workers/virtualMachines/0")
"""The scale set as the kind, the instance below its name (azure-cli-extensions, serial-console, custom.py)."""
INSTANCE = ("rg-web", "Microsoft.Compute", "virtualMachineScaleSets/workers/virtualMachines", "0")
WEB_01 = f"{group('rg-web')}/providers/Microsoft.Compute/virtualMachines/web-01/providers/Microsoft.SerialConsole"


def documented() -> dict[str, Any]:
    """What the document's code defines."""
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "compatibility.md").read_text(), re.DOTALL)
    defined: dict[str, Any] = {}
    exec(code, defined)  # noqa: S102 - a reader runs it as well
    return defined


DOCUMENTED = documented()


class Plain(SansIOHTTPPolicy[Any, Any]):
    """The local host speaks plain http."""

    def on_request(self, request: PipelineRequest[Any]) -> None:
        request.context.options["enforce_https"] = False


class SignedIn:
    """A person's credential."""

    def __init__(self, token: str) -> None:
        self.token, self.scopes = token, set[str]()

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.scopes |= {*scopes}
        return AccessToken(self.token, 1 << 40)


@contextmanager
def client(plane: ControlPlane, who: Person = ADA, subscription: str = SUBSCRIPTION) -> Iterator[Any]:
    address = f"{plane.host.client.base_url}".rstrip("/") + "/api"
    credential = SignedIn(user_token(plane.stack, who))
    options = {"per_call_policies": [Plain()], "retry_total": 0}
    with DOCUMENTED["client"](credential, subscription, address, API_URI, **options) as made:
        yield made
    assert credential.scopes <= {f"{API_URI}/.default"}


@pytest.fixture
def console(plane: ControlPlane) -> Iterator[Any]:
    with client(plane) as made:
        yield made
        made.enable_console("default")
        for port in (VM, INSTANCE):
            made.serial_ports.create(*port, "0", switched("enabled"))


def switched(state: str) -> SerialPort:
    return SerialPort(properties=SerialPortProperties(state=SerialPortState(state)))


def refusal(error: pytest.ExceptionInfo[HttpResponseError]) -> tuple[int | None, str | None]:
    found = error.value
    assert found.error
    return found.status_code, found.error.code


def test_a_subscription_is_switched_off_and_on(console: Any) -> None:
    assert console.get_console_status("default").properties.disabled is False
    assert DOCUMENTED["switch_off"](console) is True
    assert console.get_console_status("default").properties.disabled is True
    with pytest.raises(HttpResponseError) as error:
        console.serial_ports.connect(*VM, "0")
    assert refusal(error) == (403, "ConsoleDisabledForSubscription")
    assert console.serial_ports.get(*VM, "0").properties.state == "disabled"
    assert console.enable_console("default").properties.disabled is False
    assert console.serial_ports.connect(*VM, "0").connection_string


def test_the_switch_is_the_policy_and_leaves_its_other_demands(plane: ControlPlane, console: Any) -> None:
    address = f"/api/subscriptions/{SUBSCRIPTION}/serialConsole/policy"
    assert plane.call("PUT", address, ADA, json={"networks": ["0.0.0.0/0", "::/0"]}).status_code == 200
    console.disable_console("default")
    policy = plane.call("GET", address, ADA).json()["policy"]
    assert (policy["console"], policy["networks"]) == ("off", ["0.0.0.0/0", "::/0"])
    console.enable_console("default")
    policy = plane.call("GET", address, ADA).json()["policy"]
    assert (policy["console"], policy["networks"]) == ("on", ["0.0.0.0/0", "::/0"])
    assert plane.call("DELETE", address, ADA).status_code == 204


@pytest.mark.parametrize("port", [VM, INSTANCE], ids=["vm", "instance"])
def test_a_port_is_disabled_and_enabled_alone(console: Any, port: tuple[str, ...]) -> None:
    assert console.serial_ports.get(*port, "0").properties.state == "enabled"
    assert console.serial_ports.create(*port, "0", switched("disabled")).properties.state == "disabled"
    (listed,) = console.serial_ports.list(*port).value
    assert (listed.name, listed.properties.state) == ("0", "disabled")
    with pytest.raises(HttpResponseError) as error:
        console.serial_ports.connect(*port, "0")
    assert refusal(error) == (403, "ConsoleDisabledByPolicy")
    assert console.serial_ports.create(*port, "0", switched("enabled")).properties.state == "enabled"
    other = INSTANCE if port is VM else VM
    assert console.serial_ports.get(*other, "0").properties.state == "enabled"


@pytest.mark.parametrize("port", [VM, INSTANCE, AS_AZURES_COMMAND_LINE], ids=["vm", "instance", "az"])
def test_connecting_opens_a_session(plane: ControlPlane, console: Any, port: tuple[str, ...]) -> None:
    opened = console.serial_ports.connect(*port, "0")
    claims = jwt.decode(opened["token"], options={"verify_signature": False})
    assert opened.connection_string == f"ws://localhost:1/n/connector/r0/sessions/{claims['sid']}/client"
    assert (claims["mode"], claims["aud"]) == ("write", "relay:r0")
    assert console.serial_ports.get(*port, "0").properties.connection_state == "active"
    admitted = plane.as_relay("attach", {"relay": "r0", "grant": claims})
    assert (admitted.status_code, admitted.json()["session"]) == (200, claims["sid"])


def test_the_documents_code_has_the_token_beside_an_address_without_it(plane: ControlPlane, console: Any) -> None:
    address, token = DOCUMENTED["connect"](console, "rg-web", "web-01")
    assert re.fullmatch(r"ws://localhost:1/n/connector/r0/sessions/[^/?]+/client", address)
    assert jwt.decode(token, options={"verify_signature": False})["vm"].endswith("/web-01")
    assert token not in plane.host.log


def test_azures_command_line_names_an_instance_in_its_own_way(plane: ControlPlane, console: Any) -> None:
    opened = console.serial_ports.connect(*AS_AZURES_COMMAND_LINE, "0")
    claims = jwt.decode(opened["token"], options={"verify_signature": False})
    assert claims["vm"].endswith("/virtualMachineScaleSets/workers/virtualMachines/0")
    assert console.serial_ports.get(*INSTANCE, "0").properties.connection_state == "active", "the same console"


@pytest.mark.parametrize(
    "name",
    ["workers%2FvirtualMachines", "workers%2FvirtualMachines%2F0%2Fx", "%2F"],
)
def test_a_name_with_other_slashes_is_none(plane: ControlPlane, name: str) -> None:
    group = f"/api/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-web/providers/Microsoft.Compute"
    answer = plane.call(
        "GET", f"{group}/virtualMachineScaleSets/{name}/providers/Microsoft.SerialConsole/serialPorts/0", ADA
    )
    assert answer.status_code in (400, 404)


def test_every_answer_has_the_token_as_a_header_too(plane: ControlPlane) -> None:
    answer = plane.call("POST", f"/api{WEB_01}/serialPorts/0/connect?api-version=2023-01-01", ADA)
    assert answer.headers["x-ms-serial-console-token"] == answer.json()["token"]


def test_connecting_takes_the_console_from_whoever_has_it(plane: ControlPlane, console: Any) -> None:
    with client(plane, GRACE) as other:
        other.serial_ports.connect(*VM, "0")
    plane.relay.told.clear()
    console.serial_ports.connect(*VM, "0")
    assert [(what, body["by"]) for what, body, _ in plane.relay.told] == [("fence", ADA.name)]


def test_the_ports_of_a_subscription_are_those_of_its_vms(console: Any) -> None:
    """ARM writes groups in capitals where it lists, and lets them be written as one likes."""
    listed = {each.id.lower() for each in console.serial_ports.list_by_subscriptions().value}
    assert f"{WEB_01}/serialPorts/0".lower() in listed


def test_another_subscription_has_none_of_them(plane: ControlPlane) -> None:
    with client(plane, subscription="5b5c0000-0000-4000-8000-0000000000ff") as elsewhere:
        assert elsewhere.serial_ports.list_by_subscriptions().value == []


def test_the_actions_are_listed(console: Any) -> None:
    names = {each.name for each in console.list_operations().value}
    assert "Microsoft.SerialConsole/serialPorts/connect/action" in names


def test_who_may_not_switch_does_not(plane: ControlPlane) -> None:
    with client(plane, ALAN) as reader:
        with pytest.raises(HttpResponseError) as error:
            reader.disable_console("default")
        assert refusal(error) == (403, "AdministrationDenied")
        with pytest.raises(HttpResponseError) as error:
            reader.serial_ports.create(*VM, "0", switched("disabled"))
        assert refusal(error) == (403, "AdministrationDenied")
    with client(plane) as unharmed:
        assert unharmed.get_console_status("default").properties.disabled is False


def test_refusals_are_those_of_our_own_addresses(console: Any) -> None:
    for wanted, code in (
        ((*VM[:3], "web-02"), "VmNotRunning"),
        ((*VM[:3], "web-99"), "VmNotFound"),
        ((*VM[:2], "availabilitySets", "web-01"), "InvalidRequest"),
    ):
        with pytest.raises(HttpResponseError) as error:
            console.serial_ports.connect(*wanted, "0")
        assert refusal(error)[1] == code
    with pytest.raises(HttpResponseError) as error:
        console.serial_ports.connect(*VM, "1")
    assert refusal(error) == (400, "InvalidRequest")


@pytest.mark.parametrize(
    ("switch", "status", "unknown"), [("off", 404, 404), ("current", 200, 401), ("older", 200, 401)]
)
async def test_where_it_is_off_its_addresses_lead_nowhere(switch: str, status: int, unknown: int) -> None:
    trigger = compatible._where_it_is_on("azure_operations", make_trigger("azure_operations", compatible._operations))
    fakes = FakeDependencies(COMPATIBILITY=switch)
    wiring.built["switched"] = fakes.dependencies
    assert (await trigger(request(), "switched")).status_code == status
    fakes.callers.answer = refuse(Code.CALLER_NOT_AUTHENTICATED)
    assert (await trigger(request(), "switched")).status_code == unknown
    del wiring.built["switched"]
