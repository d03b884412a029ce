"""COM1 through the gateway's wire, over TLS, against the gateway of the local Azure; ARM's answers are scripted."""

import asyncio
import ssl
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from fcntl import ioctl
from pathlib import Path
from termios import FIONREAD
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
import trustme
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ODataV4Format, ServiceRequestError
from websockets.asyncio.server import ServerConnection, serve

from dev.gateway.behaviour import TEXTS, Refusing, Second, Telling
from dev.gateway.service import Gateway, running
from dev.gateway.tokens import Verdict
from dev.machines.inventory import Spec
from shared.access.commands import Command
from shared.base.http_json import Http
from shared.base.ports import Unavailable
from shared.base.refusals import Code, Refusal
from shared.base.vm import VmId
from shared.console.ports import SerialPort
from shared.console.serial import commands
from shared.console.serial.commands import GatewayCommands
from shared.console.serial.gateway_port import UNREAD_BYTES, GatewayPort
from shared.console.serial.serial_ports import AzureSerialPorts
from tests.dev.gateway.conftest import FakeMachine
from tests.patience import PATIENCE

TOKEN = "the+services/own=token"
VM = VmId.parse(
    "/subscriptions/5b5c0000-0000-4000-8000-000000000001/resourceGroups/rg-web"
    "/providers/Microsoft.Compute/virtualMachines/web-01"
)
INSTANCE = VmId(VM.subscription, VM.group, "3", "scale")


class Ear:
    """A PortListener that can be waited for."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.lost_with: tuple[bool, str] | None = None
        self._news = asyncio.Event()

    def printed(self, data: bytes) -> None:
        self.data += data
        self._news.set()

    def lost(self, taken_over: bool, why: str) -> None:  # noqa: FBT001 - shared.console.ports.PortListener
        self.lost_with = (taken_over, why)
        self._news.set()

    async def until(self, true: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not true():
                self._news.clear()
                await self._news.wait()


class Arm:
    """What the management client is to the adapter: `connect` answers an address, or raises."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.error: Exception | None = None
        self.asked: list[tuple[str, ...]] = []
        self.serial_ports = self

    async def connect(self, *path: str) -> SimpleNamespace:
        self.asked.append(path)
        if self.error is not None:
            raise self.error
        return SimpleNamespace(connection_string=self.address.replace("{session}", str(uuid.uuid4())))

    async def close(self) -> None:
        pass


class Credential:
    def __init__(self) -> None:
        self.token = TOKEN
        self.error: Exception | None = None

    async def get_token(self, scope: str) -> SimpleNamespace:
        assert scope == "https://arm/.default"
        if self.error is not None:
            raise self.error
        return SimpleNamespace(token=self.token)


class TrustingHttp(Http):
    """A session of this process, whose trust was settled when it started, may not know the gateway's authority."""

    def __init__(self, authority: trustme.CA) -> None:
        super().__init__()
        trust = ssl.create_default_context()
        authority.configure_trust(trust)
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust))


class Wire:
    def __init__(self, gateway: Gateway, machine: FakeMachine, arm: Arm, http: Http) -> None:
        self.gateway, self.machine, self.arm = gateway, machine, arm
        self.http = http
        self.credential = Credential()
        self.ports = AzureSerialPorts("https://arm", self.credential, http)
        self.ports._clients[VM.subscription] = arm
        self.ear = Ear()

    async def opens(self) -> SerialPort:
        port = await self.ports.open(VM, self.ear)
        assert not isinstance(port, Refusal)
        return port

    async def refused(self) -> Refusal:
        refusal = await self.ports.open(VM, self.ear)
        assert isinstance(refusal, Refusal)
        return refusal

    def behaves(self, **fields: Any) -> None:
        console = self.gateway.consoles["web-01"]
        console.behaviour = console.behaviour.changed(fields)

    def elsewhere(self, address: str) -> None:
        self.arm.address = address


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def certificate(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """The gateway's; this process trusts it as a container would, by SSL_CERT_FILE."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    return context


async def good(token: str) -> Verdict:
    return Verdict.GOOD if token == TOKEN else Verdict.INVALID


@pytest.fixture
async def wire(certificate: ssl.SSLContext, authority: trustme.CA, tmp_path: Path) -> AsyncIterator[Wire]:
    machines: list[FakeMachine] = []

    def workshop(spec: Spec, observer: Any) -> FakeMachine:
        machines.append(FakeMachine(spec, observer))
        return machines[0]

    async with running((Spec("web-01"),), workshop, tmp_path / "machines", good, certificate) as gateway:
        address = f"wss://localhost:{gateway.wire_port}/n/connector/web-01/sessions/{{session}}/client"
        http = TrustingHttp(authority)
        yield Wire(gateway, machines[0], Arm(address), http)
        await http.close()


async def test_bytes_pass_both_ways_and_the_notice_is_not_shown(wire: Wire) -> None:
    port = await wire.opens()
    wire.machine.print(b"login: \xff\x00")
    await wire.ear.until(lambda: wire.ear.data)
    port.type("naïve ".encode())
    port.type(b"\x03\xff")
    await wire.machine.wait_for_typing("naïve ".encode() + b"\x03\xff")
    assert wire.ear.data == b"login: \xff\x00"
    await port.close()
    await port.close()
    assert wire.ear.lost_with == (False, "closed by the gateway with 1000")


async def test_a_paused_port_leaves_the_bytes_at_the_vms_side(wire: Wire) -> None:
    port = await wire.opens()
    wire.machine.print(b"before")
    await wire.ear.until(lambda: wire.ear.data == b"before")
    port.pause()
    wire.machine.print(b" after")
    port.type(b"x")
    await wire.machine.wait_for_typing(b"x")
    assert wire.ear.data == b"before"
    port.resume()
    await wire.ear.until(lambda: wire.ear.data == b"before after")
    await port.close()


async def test_what_a_relay_that_is_killed_would_lose_of_a_paused_vm_is_bounded(wire: Wire) -> None:
    """Read for a while, a socket takes more and more of what comes, unless it is told not to."""
    port = await wire.opens()
    piece, printed = bytes(100_000), bytearray()
    for _ in range(50):
        printed.extend(piece)
        wire.machine.print(piece)
        await wire.ear.until(lambda: len(wire.ear.data) == len(printed))
    port.pause()
    while len(wire.gateway.consoles["web-01"]._waiting) < len(piece):
        wire.machine.print(piece)
        await handed_over(wire)
    assert isinstance(port, GatewayPort)
    assert port._socket is not None
    fd = port._socket.underlying_transport.get_extra_info("socket").fileno()
    assert 0 < int.from_bytes(ioctl(fd, FIONREAD, bytes(4)), sys.byteorder) <= 2 * UNREAD_BYTES
    await port.close()


async def test_a_port_is_read_to_its_end_before_it_is_closed_even_when_it_is_paused(wire: Wire) -> None:
    port = await wire.opens()
    port.pause()
    wire.machine.print(b"0123456789" * 300_000)
    await handed_over(wire)
    await port.close()
    handed = 3_000_000 - len(wire.gateway.consoles["web-01"]._waiting)
    assert handed > 1_000_000, "more than what the adapter holds itself"
    assert len(wire.ear.data) == handed
    assert wire.ear.lost_with is not None


async def test_a_gateway_that_does_not_answer_the_goodbye_is_left(
    wire: Wire, certificate: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def deaf(connection: ServerConnection) -> None:
        await connection.send("Connecting...")
        await connection.recv()
        connection.transport.pause_reading()
        await connection.wait_closed()

    monkeypatch.setattr("shared.console.serial.gateway_port.GOODBYE_SECONDS", 0.1)
    async with serve(deaf, "localhost", 0, ssl=certificate) as server:
        wire.elsewhere(f"wss://localhost:{next(iter(server.sockets)).getsockname()[1]}/client")
        port = await wire.opens()
        await port.close()
        await wire.ear.until(lambda: wire.ear.lost_with)


async def handed_over(wire: Wire) -> None:
    """Until the gateway's socket takes no more."""
    console, before = wire.gateway.consoles["web-01"], -1
    while before != len(console._waiting):
        before = len(console._waiting)
        await asyncio.sleep(0.1)  # a full socket tells nobody


async def test_who_is_sent_away_without_a_word_twice_within_a_minute_was_taken_over(wire: Wire) -> None:
    """Once may be the gateway's idle time; nothing tells them apart."""
    other = Wire(wire.gateway, wire.machine, wire.arm, wire.http)
    for taken_over in (False, True):
        await wire.opens()
        await other.opens()
        await wire.ear.until(lambda: wire.ear.lost_with)
        assert wire.ear.lost_with == (taken_over, "closed by the gateway with 1000")
        wire.ear.lost_with = None


@pytest.mark.parametrize("telling", list(Telling))
async def test_a_gateway_that_refuses_a_second_connection_is_busy_for_a_while(wire: Wire, telling: Telling) -> None:
    await wire.opens()
    wire.behaves(second=Second.IS_REFUSED, telling=telling)
    other = Wire(wire.gateway, wire.machine, wire.arm, wire.http)
    refusal = await other.refused()
    assert (refusal.code, refusal.message) == (Code.EXTERNAL_TAKEOVER, TEXTS[Refusing.IN_PROGRESS])
    assert refusal.retryable, "the one in progress may be our own that broke"


@pytest.mark.parametrize("telling", list(Telling))
@pytest.mark.parametrize(
    ("why", "code"), [(Refusing.PROVISIONING, Code.VM_PROVISIONING), (Refusing.STOPPED, Code.VM_NOT_RUNNING)]
)
async def test_what_the_gateway_refuses_is_a_refusal_however_it_is_told(
    wire: Wire, telling: Telling, why: Refusing, code: Code
) -> None:
    wire.behaves(refusing=why, telling=telling)
    refusal = await wire.refused()
    assert (refusal.code, refusal.target) == (code, VM.resource_id)
    assert not wire.ear.data


async def test_a_vm_that_stops_is_a_loss_and_no_takeover(wire: Wire) -> None:
    await wire.opens()
    wire.machine.print(b"going down")
    await wire.ear.until(lambda: wire.ear.data)
    await wire.machine.stop()
    await wire.ear.until(lambda: wire.ear.lost_with)
    assert wire.ear.lost_with is not None
    assert wire.ear.lost_with[0] is False


@pytest.mark.parametrize(
    ("status", "said", "code"),
    [
        (403, "AuthorizationFailed", Code.SERVICE_NOT_PERMITTED),
        (404, "ResourceNotFound", Code.VM_NOT_FOUND),
        (409, "ScopeLocked", Code.RESOURCE_LOCKED),
        (409, "Conflict", Code.CONNECT_REFUSED),
    ],
)
async def test_what_arm_refuses_is_a_refusal(wire: Wire, status: int, said: str, code: Code) -> None:
    wire.arm.error = HttpResponseError()
    wire.arm.error.status_code = status
    wire.arm.error.error = ODataV4Format({"error": {"code": said, "message": "Words."}})
    refusal = await wire.ports.open(VM, wire.ear)
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.target) == (code, VM.resource_id)


@pytest.mark.parametrize("error", [HttpResponseError(), ServiceRequestError("no"), ClientAuthenticationError()])
async def test_what_does_not_answer_is_unavailable(wire: Wire, error: Exception) -> None:
    wire.arm.error = error
    with pytest.raises(Unavailable):
        await wire.ports.open(VM, wire.ear)


async def test_a_scale_set_instance_has_its_own_path(wire: Wire) -> None:
    await wire.opens()
    wire.arm.error = ServiceRequestError("enough")
    with pytest.raises(Unavailable):
        await wire.ports.open(INSTANCE, wire.ear)
    assert wire.arm.asked == [
        ("rg-web", "Microsoft.Compute", "virtualMachines", "web-01", "0"),
        ("rg-web", "Microsoft.Compute", "virtualMachineScaleSets/scale/virtualMachines", "3", "0"),
    ]


@pytest.mark.parametrize("address", ["wss://localhost:1/client", "wss://localhost:{port}/n/connector/nobody/client"])
async def test_a_gateway_that_cannot_be_reached_is_unavailable_and_the_token_stays_secret(
    wire: Wire, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(1, "picows.client")
    wire.elsewhere(address.format(port=wire.gateway.wire_port))
    with pytest.raises(Unavailable) as caught:
        await wire.ports.open(VM, wire.ear)
    assert "token" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


async def test_a_gateway_that_never_lets_bytes_flow_is_given_up(
    wire: Wire, certificate: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(connection: ServerConnection) -> None:
        await connection.wait_closed()

    monkeypatch.setattr("shared.console.serial.serial_ports.DIAL_SECONDS", 0.3)
    async with serve(silent, "localhost", 0, ssl=certificate) as server:
        wire.elsewhere(f"wss://localhost:{next(iter(server.sockets)).getsockname()[1]}/client")
        refusal = await wire.ports.open(VM, wire.ear)
    assert isinstance(refusal, Refusal)
    assert refusal.code is Code.GATEWAY_TIMEOUT


@pytest.mark.parametrize(
    ("act", "keys", "done"),
    [(Command.RESET, "", "reset"), (Command.NMI, "", "nmi"), (Command.SYSRQ, "reisub", "sysrq reisub")],
)
async def test_acts_reach_the_machine_beside_the_open_line(wire: Wire, act: Command, keys: str, done: str) -> None:
    port = await wire.opens()
    assert await port.command(act, keys) is None
    assert wire.machine.acts[-1] == done
    await port.close()


async def test_an_act_that_the_gateway_does_not_do_is_a_fault(wire: Wire) -> None:
    port = await wire.opens()
    wire.credential.token = "expired"
    await refuses(port, wire, Code.CONSOLE_FAULT)
    wire.credential.error = ClientAuthenticationError("secret details")
    await refuses(port, wire, Code.CONSOLE_FAULT)
    assert wire.machine.acts == ["start"]


async def test_an_act_at_a_gateway_that_is_away_or_silent_is_a_refusal_too(
    wire: Wire, certificate: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    def acts(port: int) -> GatewayCommands:
        return GatewayCommands(VM, f"wss://localhost:{port}/client", wire.ports._token, wire.http)

    away = await acts(1).send(Command.NMI, "")
    assert away is not None
    assert away.code is Code.CONSOLE_FAULT
    monkeypatch.setattr(commands, "SECONDS", 0.2)
    server = await asyncio.start_server(silent, "localhost", 0, ssl=certificate)
    async with server:
        late = await acts(server.sockets[0].getsockname()[1]).send(Command.NMI, "")
    assert late is not None
    assert late.code is Code.GATEWAY_TIMEOUT


async def refuses(port: SerialPort, wire: Wire, code: Code) -> None:
    refusal = await port.command(Command.NMI, "")
    assert refusal is not None
    assert (refusal.code, refusal.target) == (code, VM.resource_id)
    assert "secret" not in refusal.message
