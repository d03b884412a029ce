"""Rights and policies while somebody is connected, and clients that were written for Azure's own serial console."""

import ssl
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.mgmt.serialconsole import MicrosoftSerialConsoleClient
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from dev import demo
from dev.stack import Port
from tests.e2e.local_stack import LocalStack
from tests.e2e.person import Console, SignedIn
from tests.patience import PATIENCE

WEB_01, WEB_04 = (vm for vm in demo.VIRTUAL_MACHINES if vm.name in ("web-01", "web-04"))


@pytest.fixture
def arm(stack: LocalStack) -> Iterator[httpx.Client]:
    """ARM's hooks; Azure is the fleet again afterwards."""
    trusted = ssl.create_default_context(cafile=stack.stack.ca)
    with httpx.Client(base_url=stack.stack.https(Port.ARM), verify=trusted) as client:
        yield client
        client.post("/admin/reset").raise_for_status()
        stack.lift_throttle()


def ended(console: Console) -> tuple[int, str]:
    """How the session ends: the close code, and the code that was said before it."""
    with pytest.raises(ConnectionClosed) as closed:
        console.receive_until_closed()
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, console.expect_said("bye")["code"]


@pytest.mark.parametrize(
    ("scope", "code"),
    [
        (WEB_04.id, "ConsoleDisabledByPolicy"),
        (demo.group("rg-web"), "ConsoleDisabledByPolicy"),
        (f"/subscriptions/{demo.SUBSCRIPTION}", "ConsoleDisabledForSubscription"),
    ],
)
def test_a_switch_turned_off_ends_what_is_open_below_it(ada: SignedIn, grace: SignedIn, scope: str, code: str) -> None:
    policy = f"{scope}/serialConsole/policy"
    try:
        with grace.open(WEB_04) as console, ada.open(WEB_04, mode="watch") as watching:
            console.expect_said("hello")
            watching.expect_said("hello")
            assert ada.api.put(policy, json={"console": "off"}).status_code == 200
            assert ended(console) == (4012, code)
            assert ended(watching) == (4012, code)
            assert console.expect_said("bye")["by"] == {"name": demo.ADA.name}
        refused = grace.request_session(WEB_04)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, code)
    finally:
        assert ada.api.delete(policy).status_code == 204
    grace.open(WEB_04).close()


def test_a_right_withdrawn_ends_the_session(stack: LocalStack, grace: SignedIn, arm: httpx.Client) -> None:
    with grace.open(WEB_04) as console:
        console.expect_said("hello")
        left = [one for one in demo.ASSIGNMENTS if one.principal != demo.GRACE.oid]
        said = [{"principal": one.principal, "role": one.role, "scope": one.scope} for one in left]
        arm.post("/admin/assignments", json=said).raise_for_status()
        assert ended(console) == (4004, "AccessRevoked")


@pytest.mark.parametrize(
    ("change", "close", "code"),
    [
        ({"boot_diagnostics": False}, 4012, "BootDiagnosticsDisabled"),
        ({"port_enabled": False}, 4012, "SerialPortDisabled"),
        ({"location": "uksouth"}, 4012, "RegionNotAvailable"),
    ],
)
def test_what_comes_in_the_way_ends_the_session(
    grace: SignedIn, arm: httpx.Client, change: dict[str, Any], close: int, code: str
) -> None:
    with grace.open(WEB_04) as console:
        console.expect_said("hello")
        arm.post("/admin/vms/web-04", json=change).raise_for_status()
        assert ended(console) == (close, code)


# --- Azure's own dialect -----------------------------------------------------------------------------------------


class OverPlainHttp(SansIOHTTPPolicy[Any, Any]):
    """The local stack has no certificate; the SDK wants to be told that this is on purpose."""

    def on_request(self, request: Any) -> None:
        request.context.options["enforce_https"] = False


class Token:
    """A person's token for this API, as a credential."""

    def __init__(self, person: SignedIn) -> None:
        self._token = person.token

    def get_token(self, *_: str, **__: Any) -> AccessToken:
        return AccessToken(self._token, 2**31)


@pytest.fixture
def official(stack: LocalStack, ada: SignedIn) -> Iterator[MicrosoftSerialConsoleClient]:
    """The client that Microsoft publishes, with our address as its base."""
    credential: Any = Token(ada)
    with MicrosoftSerialConsoleClient(
        credential,
        demo.SUBSCRIPTION,
        f"{stack.address}/api",
        credential_scopes=[f"{demo.API_URI}/.default"],
        per_call_policies=[OverPlainHttp()],
    ) as client:
        yield client


@pytest.mark.qemu
def test_a_tool_that_was_written_for_azures_console_uses_this_one(official: MicrosoftSerialConsoleClient) -> None:
    answer = official.serial_ports.connect("rg-web", "Microsoft.Compute", "virtualMachines", "web-01", "0")
    token = answer["token"]
    with connect(answer.connection_string, compression=None, open_timeout=PATIENCE) as socket:
        assert isinstance(socket.recv(60), str), "one message, which is not shown"
        socket.send(token)
        socket.send("\r")
        printed = b""
        while b"login:" not in printed and b"$" not in printed:
            frame = socket.recv(60)
            assert isinstance(frame, bytes)
            printed += frame


def test_it_is_switched_off_and_on_through_it(official: MicrosoftSerialConsoleClient, ada: SignedIn) -> None:
    assert official.get_console_status("default").properties.disabled is False
    assert official.disable_console("default").properties.disabled is True
    try:
        with pytest.raises(HttpResponseError) as refused:
            official.serial_ports.connect("rg-web", "Microsoft.Compute", "virtualMachines", "web-01", "0")
        assert refused.value.error is not None
        assert refused.value.error.code == "ConsoleDisabledForSubscription"
    finally:
        assert official.enable_console("default").properties.disabled is False
        ada.api.delete(f"/subscriptions/{demo.SUBSCRIPTION}/serialConsole/policy")
