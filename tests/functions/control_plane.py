"""The whole function app in the local host, with everything it depends on: what a client sees over HTTP."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dev.arm.throttle import Throttle
from dev.arm.world import World
from dev.demo import OTHER_SUBSCRIPTION, RELAY, SUBSCRIPTION, Person
from dev.entra.listen import bind
from dev.entra.tokens import app_token, user_token
from dev.parts import engine, function_settings
from dev.stack import ROOT, Stack
from tests.contract.azurite import azurite
from tests.dev.functions_host.host_process import HostProcess, running
from tests.dev.local_azure import NoMachines, local_azure, served
from tests.functions.described import conforms
from tests.patience import PATIENCE

ISSUER = "http://localhost:8400"


@dataclass
class RelayControl:
    """A relay's control address that keeps what it was told, and answers as it is set to."""

    address: str = ""
    told: list[tuple[str, dict[str, Any], str]] = field(default_factory=list)
    """The call, its body, its Authorization header."""
    allows: bool = True

    async def hear(self, request: Request) -> Response:
        what = request.path_params["what"]
        self.told.append((what, json.loads(await request.body()), request.headers["authorization"]))
        return JSONResponse({"allow": self.allows}) if what == "ask" else Response(status_code=204)

    async def health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok"})

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        app = Starlette(
            routes=[
                Route("/control/{what}", self.hear, methods=["POST"]),
                Route("/healthz", self.health),
            ]
        )
        at = bind(0)
        self.address = f"http://127.0.0.1:{at.getsockname()[1]}"
        async with served(app, at):
            yield


@dataclass
class ControlPlane:
    host: HostProcess
    stack: Stack
    world: World
    relay: RelayControl
    storage: str
    """Connection string of the account that holds its tables and blobs."""
    settings: dict[str, str]
    """Of the host."""

    def call(self, method: str, path: str, who: Person | str | None, **options: Any) -> httpx.Response:
        token = user_token(self.stack, who) if isinstance(who, Person) else who
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = self.host.client.request(method, path, headers=headers | options.pop("headers", {}), **options)
        conforms(answer)
        return answer

    def as_relay(self, what: str, body: Any) -> httpx.Response:
        return self.call("POST", f"/api/relay/{what}", app_token(self.stack, RELAY), json=body)


@contextmanager
def control_plane(home: Path, app: Path = ROOT, extra: tuple[str, ...] = (), **more: str) -> Iterator[ControlPlane]:
    """`app`: its folder; `extra`: words for the host beside its engine's; `more`: settings."""
    relay = RelayControl()
    with _in_the_background(home, relay) as (stack, world), azurite(home / "azurite") as storage:
        settings = (
            function_settings(stack)
            | {
                "SSL_CERT_FILE": str(stack.ca),
                "REQUESTS_CA_BUNDLE": str(stack.ca),
                "AzureWebJobsStorage": storage,
                "TRANSCRIPT_STORAGE": storage,
                "SESSION_ISSUER": ISSUER,
                "SUBSCRIPTIONS": f"{SUBSCRIPTION} {OTHER_SUBSCRIPTION}",
                "REGIONS_CLOSED": "preview",
                "CACHE_SECONDS": "0",  # tests change Azure between two requests
                "RATE_CALLER": "100000",
                "RATE_VM": "100000",
                "RELAYS": f"r0=ws://localhost:1|{relay.address}",
            }
            | more
        )
        with running(app, settings, (*engine(), *extra)) as host:
            yield ControlPlane(host, stack, world, relay, storage, settings)


@contextmanager
def _in_the_background(home: Path, relay: RelayControl) -> Iterator[tuple[Stack, World]]:
    """Entra ID, ARM and a relay, in an event loop of their own."""
    loop, found, stop = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    made: list[tuple[Stack, World]] = []

    async def serve() -> None:
        async with local_azure(home, NoMachines()) as azure, relay.running():
            azure.world.throttle = Throttle(None)  # no answers are kept: ARM is asked more than by any deployment
            made.append((azure.stack, azure.world))
            found.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert found.wait(PATIENCE), "the stand-ins did not start"
        yield made[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
