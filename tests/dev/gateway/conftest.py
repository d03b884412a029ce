import asyncio
import ssl
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import aiohttp
import pytest
import trustme
from websockets.asyncio.client import ClientConnection, connect

from dev.gateway.handshake import BANNER
from dev.gateway.service import Gateway, running
from dev.gateway.tokens import Verdict
from dev.machines.inventory import Boot, Spec
from dev.machines.machine import Kind, MachineError, Observer, State
from tests.patience import PATIENCE

TOKEN = "a-good-token"
SPECS = (Spec("web-01"), Spec("web-02", Boot.ON_REQUEST))


class FakeMachine:
    """A machine that prints what the test says and keeps what was typed."""

    kind = Kind.PTY

    def __init__(self, spec: Spec, observer: Observer) -> None:
        self.spec, self.observer = spec, observer
        self.state, self.reason = State.STOPPED, "never started"
        self.typed = bytearray()
        self.acts: list[str] = []
        self.news = asyncio.Event()

    async def start(self) -> None:
        self.state, self.reason = State.RUNNING, ""
        self.acts.append("start")

    async def stop(self, grace: float = 10.0) -> None:
        if self.state is State.RUNNING:
            self.state, self.reason = State.STOPPED, "powered off"
            self.acts.append(f"stop {grace:g}")
            self.observer.ended(self.reason)

    async def type(self, data: bytes) -> None:
        self.typed += data
        self.news.set()

    async def reset(self) -> None:
        self._act("reset")

    async def nmi(self) -> None:
        self._act("nmi")

    async def sysrq(self, keys: str) -> None:
        self._act(f"sysrq {keys}")

    def print(self, data: bytes) -> None:
        self.observer.printed(data)

    async def wait_for_typing(self, data: bytes) -> None:
        async with asyncio.timeout(PATIENCE):
            while data not in self.typed:
                self.news.clear()
                await self.news.wait()

    def _act(self, act: str) -> None:
        if self.state is not State.RUNNING:
            raise MachineError(f"{self.spec.name} is stopped")
        self.acts.append(act)


async def check(token: str) -> Verdict:
    return {TOKEN: Verdict.GOOD, "for-somebody-else": Verdict.NOT_FOR_ARM, "no-keys": Verdict.UNDECIDED}.get(
        token, Verdict.INVALID
    )


@dataclass
class Bench:
    """A running gateway, the fake machines behind it, and a client's view of it."""

    gateway: Gateway
    machines: dict[str, FakeMachine]
    trust: ssl.SSLContext
    folder: Path
    http: aiohttp.ClientSession

    last: str = ""
    """The session that was dialled last."""

    def session(self, machine: str = "web-01") -> str:
        """A new one, as each `connect` answers."""
        self.last = f"localhost:{self.gateway.wire_port}/n/connector/{machine}/sessions/{uuid.uuid4()}"
        return self.last

    def dial(self, machine: str = "web-01", query: str = "") -> connect:
        """The bare WebSocket, before any token exchange. No proxy: the gateway is on loopback."""
        address = f"wss://{self.session(machine)}/client{query}"
        return connect(address, ssl=self.trust, max_size=None, proxy=None, ping_interval=None, open_timeout=PATIENCE)

    @asynccontextmanager
    async def connected(self, machine: str = "web-01") -> AsyncIterator[ClientConnection]:
        """A client that did what the current wire asks."""
        async with self.dial(machine) as socket:
            assert await socket.recv() == BANNER
            await socket.send(TOKEN)
            yield socket

    async def behaves(self, machine: str = "web-01", **fields: object) -> None:
        assert (await self.control(f"/machines/{machine}/behaviour", **fields)).status == HTTPStatus.OK

    async def control(self, path: str, **body: object) -> aiohttp.ClientResponse:
        address = f"http://localhost:{self.gateway.control_port}{path}"
        async with self.http.post(address, json=body) as answer:
            await answer.read()
            return answer

    async def listed(self, machine: str = "web-01") -> dict[str, object]:
        async with self.http.get(f"http://localhost:{self.gateway.control_port}/machines") as answer:
            found: dict[str, object] = next(one for one in await answer.json() if one["name"] == machine)
            return found

    async def until_attached(self, machine: str = "web-01", *, attached: bool = True) -> None:
        async with asyncio.timeout(PATIENCE):
            while (await self.listed(machine))["connected"] is not attached:  # noqa: ASYNC110 - behind HTTP, which can only be asked
                await asyncio.sleep(0.005)

    def witnessed(self, machine: str = "web-01") -> bytes:
        return (self.folder / f"{machine}.printed").read_bytes()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def certificate(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture(scope="session")
def trust(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
async def bench(tmp_path: Path, certificate: ssl.SSLContext, trust: ssl.SSLContext) -> AsyncIterator[Bench]:
    machines: dict[str, FakeMachine] = {}

    def workshop(spec: Spec, observer: Observer) -> FakeMachine:
        machines[spec.name] = FakeMachine(spec, observer)
        return machines[spec.name]

    async with running(SPECS, workshop, tmp_path, check, certificate) as gateway, aiohttp.ClientSession() as http:
        yield Bench(gateway, machines, trust, tmp_path, http)


async def read(socket: ClientConnection, size: int) -> bytes:
    """The next bytes of the console, at least `size` of them; every frame must be binary."""
    received = bytearray()
    async with asyncio.timeout(PATIENCE):
        while len(received) < size:
            frame = await socket.recv()
            assert isinstance(frame, bytes)
            received += frame
    return bytes(received)
