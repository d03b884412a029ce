"""The adapter at gateways of every generation and timing: the token never reaches the serial line."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from shared.base.http_json import Http
from shared.base.ports import Unavailable
from shared.base.refusals import Code, Refusal
from shared.base.vm import VmId
from shared.console.gateway_exchange import Flow
from shared.console.ports import SerialPort
from shared.console.serial import gateway_memory, gateway_port
from shared.console.serial.serial_ports import AzureSerialPorts
from tests.patience import PATIENCE

TOKEN = "the+services/own=token"
VM = VmId("5b5c0000-0000-4000-8000-000000000001", "rg-web", "web-01")
FIRST, SPRING, CURRENT = "2021", "2024", "current"


@dataclass
class Gateway:
    """One gateway as a script. What clients sent once they were joined to the port is what the VM was typed."""

    generation: str = CURRENT
    banner: tuple[bytes, ...] = (b"Connecting...\r\n\r\n",)
    """Its fragments; none: it never speaks first."""
    text: bool = True
    late: float = 0.0
    boot: bytes = b"[    0.0] booting"
    early: bool = False
    """The first bytes of the VM come at once, else when they are asked for."""
    refuses: str = "401"
    """How an older one refuses an address without a token: a status, or a close after the upgrade."""
    addresses: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    """Frames that a client sent before it was joined."""
    typed: bytearray = field(default_factory=bytearray)
    port: int = 0

    @property
    def address(self) -> str:
        return f"ws://127.0.0.1:{self.port}/n/connector/web-01/sessions/1/client"

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Gateway"]:
        async with serve(self._speak, "127.0.0.1", 0, process_request=self._upgrade, ping_interval=None) as server:
            self.port = next(iter(server.sockets)).getsockname()[1]
            yield self

    def _upgrade(self, connection: ServerConnection, request: Request) -> Response | None:
        self.addresses.append(request.path)
        if self.generation != CURRENT and not self._authorized(request.path) and self.refuses.isdigit():
            return connection.respond(HTTPStatus(int(self.refuses)), "no\n")
        return None

    def _authorized(self, path: str) -> bool:
        return parse_qs(urlsplit(path).query).get("authorization") == [TOKEN]

    async def _speak(self, connection: ServerConnection) -> None:
        try:
            if await self._trusts(connection):
                await self._join(connection)
            else:
                await connection.close(1011, "Connection not trusted")
        except ConnectionClosed:
            pass

    async def _trusts(self, connection: ServerConnection) -> bool:
        assert connection.request is not None
        path = connection.request.path
        if self.generation != CURRENT and not self._authorized(path):
            return False
        twice = self.generation == SPRING and "new=1" in path
        if self.generation != CURRENT and not twice:
            return True
        await asyncio.sleep(self.late)
        if self.banner:
            parts = [part.decode() if self.text else part for part in self.banner]
            await connection.send(parts)
        said = str(await connection.recv())
        self.tokens.append(said)
        return said == TOKEN

    async def _join(self, connection: ServerConnection) -> None:
        if self.early:
            await connection.send(self.boot)
        async for message in connection:
            self.typed += message.encode() if isinstance(message, str) else message
            await connection.send(b"echo: " + self.typed)


class Ear:
    def __init__(self) -> None:
        self.data = bytearray()
        self.news = asyncio.Event()
        self.lost_with: tuple[bool, str] | None = None

    def printed(self, data: bytes) -> None:
        self.data += data
        self.news.set()

    def lost(self, taken_over: bool, why: str) -> None:  # noqa: FBT001 - shared.console.ports.PortListener
        self.lost_with = taken_over, why
        self.news.set()


class Adapter:
    """The real one, with an ARM that answers the gateway's address."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.ports = AzureSerialPorts("https://arm", self, Http())
        self.ports._clients[VM.subscription] = SimpleNamespace(serial_ports=self)
        self.ear = Ear()

    async def get_token(self, _: str) -> SimpleNamespace:
        return SimpleNamespace(token=TOKEN)

    async def connect(self, *_: str) -> SimpleNamespace:
        return SimpleNamespace(connection_string=self.gateway.address)

    async def opens(self) -> SerialPort:
        port = await self.ports.open(VM, self.ear)
        assert not isinstance(port, Refusal)
        return port

    async def echoes(self, port: SerialPort, keys: bytes) -> None:
        port.type(keys)
        async with asyncio.timeout(PATIENCE):
            while not self.ear.data.endswith(b"echo: " + self.gateway.typed) or keys not in self.gateway.typed:
                self.ear.news.clear()
                await self.ear.news.wait()


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with Gateway().running() as running:
        yield running


pieces = st.lists(st.sampled_from([b"Connecting...", b"\r\n", b"", b"\x1b[2J", b"Verbinden"]), min_size=1, max_size=4)
gateways = st.builds(
    Gateway,
    generation=st.sampled_from([FIRST, SPRING, CURRENT]),
    banner=pieces.map(tuple),
    text=st.booleans(),
    late=st.sampled_from([0.0, 0.0, 0.01]),
    early=st.booleans(),
    refuses=st.sampled_from(["401", "403", "close"]),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(gateways)
def test_the_port_opens_at_every_generation_and_the_token_reaches_the_line_at_none(script: Gateway) -> None:
    async def work() -> None:
        async with script.running() as gateway:
            adapter = Adapter(gateway)
            for round_trip in (b"one\r", b"two\r"):  # the second time, what worked is known
                port = await adapter.opens()
                await adapter.echoes(port, round_trip)
                await port.close()
            assert gateway.typed == b"one\rtwo\r", "to the byte what was typed, and no token"
            by_address = ["authorization" in address for address in gateway.addresses]
            if gateway.generation == CURRENT:
                assert gateway.tokens == [TOKEN, TOKEN], "once a connection"
                assert by_address == [False, False]
            else:
                assert gateway.tokens == []
                assert by_address == [False, True, True]
            printed = b"[    0.0] booting" if gateway.early else b""
            assert adapter.ear.data == printed + b"echo: one\r" + printed + b"echo: one\rtwo\r"

    asyncio.run(work())


async def test_a_gateway_that_never_speaks_is_given_up_without_a_token(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.console.serial.serial_ports.DIAL_SECONDS", 0.2)
    gateway.banner = ()
    outcome = await Adapter(gateway).ports.open(VM, Ear())
    assert isinstance(outcome, Refusal)
    assert outcome.code is Code.GATEWAY_TIMEOUT
    assert not gateway.tokens
    assert not gateway.typed


async def test_a_gateway_that_shows_a_vms_output_unasked_gets_no_token(gateway: Gateway) -> None:
    gateway.banner = (b"[    0.000000] Linux version 6.1\r\n" * 40,)
    with pytest.raises(Unavailable):
        await Adapter(gateway).ports.open(VM, Ear())
    assert not gateway.tokens
    assert not gateway.typed


@pytest.mark.parametrize("more", [b"", b"x" * 600])
async def test_a_vm_that_prints_a_refusals_words_is_shown_and_keeps_nobody_out(gateway: Gateway, more: bytes) -> None:
    words = b"Another connection is currently in progress to this VM. Please wait and retry the request.\r\n" + more
    gateway.boot, gateway.early = words, True
    adapter = Adapter(gateway)
    port = await adapter.opens()
    await adapter.echoes(port, b"x")
    assert adapter.ear.data == words + b"echo: x"


async def test_a_token_that_the_gateway_asked_for_and_does_not_trust_is_not_tried_in_an_address(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{__name__}.TOKEN", "what the gateway would trust")
    adapter = Adapter(gateway)
    monkeypatch.setattr(adapter, "get_token", lambda _: asyncio.sleep(0, SimpleNamespace(token="expired")))
    with pytest.raises(Unavailable) as caught:
        await adapter.ports.open(VM, Ear())
    assert "expired" not in str(caught.value)
    assert (gateway.tokens, len(gateway.addresses)) == (["expired"], 1)


async def test_a_gateway_that_refuses_every_flow_is_unavailable(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Gateway, "_authorized", lambda *_: False)
    gateway.generation = FIRST
    with pytest.raises(Unavailable) as caught:
        await Adapter(gateway).ports.open(VM, Ear())
    assert TOKEN not in str(caught.value)
    assert not gateway.tokens
    assert not gateway.typed
    assert ["authorization" in address for address in gateway.addresses] == [False, True], "and asked in each once"


async def test_a_gateway_that_became_a_newer_one_is_noticed_and_gets_no_token_in_an_address_again(
    gateway: Gateway,
) -> None:
    gateway.generation = FIRST
    adapter = Adapter(gateway)
    await (await adapter.opens()).close()
    gateway.generation = CURRENT
    gateway.addresses.clear()
    for _ in range(2):
        await (await adapter.opens()).close()
    assert ["authorization" in address for address in gateway.addresses] == [True, False, False]
    assert gateway.typed == b""


async def test_a_newer_gateway_whose_banner_comes_late_is_noticed_when_it_closes(gateway: Gateway) -> None:
    gateway.generation = FIRST
    adapter = Adapter(gateway)
    await (await adapter.opens()).close()
    gateway.generation, gateway.late = CURRENT, 2 * gateway_port.SETTLE_SECONDS
    port = await adapter.opens()
    port.type(b"lost")  # no token: it is not trusted
    async with asyncio.timeout(PATIENCE):
        while adapter.ear.lost_with != (False, "closed by the gateway with 1011"):
            adapter.ear.news.clear()
            await adapter.ear.news.wait()
    gateway.addresses.clear()
    await (await adapter.opens()).close()
    assert gateway.addresses == ["/n/connector/web-01/sessions/1/client"]


async def test_an_address_with_a_token_is_not_the_first_choice_for_ever(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_memory, "ADDRESS_SECONDS", 0.0)
    gateway.generation = FIRST
    adapter = Adapter(gateway)
    for _ in range(2):
        await (await adapter.opens()).close()
    assert ["authorization" in address for address in gateway.addresses] == [False, True] * 2


async def test_each_flow_is_tried_once_and_what_worked_before_first() -> None:
    flows = gateway_memory.FlowMemory()
    assert flows.to_try("host") == [Flow.CURRENT, Flow.ADDRESS]
    flows.worked("host", Flow.ADDRESS)
    assert flows.to_try("host") == [Flow.ADDRESS, Flow.CURRENT]
    flows.worked("host", Flow.CURRENT)
    assert flows.to_try("host") == [Flow.CURRENT, Flow.ADDRESS]


async def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_memory, "REMEMBERED", 2)
    flows, goodbyes = gateway_memory.FlowMemory(), gateway_memory.CloseMemory()
    for host in ("a", "b", "c"):
        flows.worked(host, Flow.ADDRESS)
        goodbyes.again(host)
    assert len(flows._by_address) == len(goodbyes._last) == 2
    assert [goodbyes.again(console) for console in ("a", "c")] == [False, True]
