"""The private side, plain http on loopback: power for the ARM stand-in, a list for the supervisor, faults for tests.

GET /healthz · GET /machines · GET /machines/{name}/printed
POST /machines/{name}/start · .../stop?grace=SECONDS · .../reset
POST /machines/{name}/break-port {"mode": "close" | "maintain" | "refuse" | "stall" | "restore"}
GET, POST /machines/{name}/behaviour {fields of behaviour.Behaviour that change}: from the next connection on
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from aiohttp import web

from dev.gateway.console import Console, Fault
from dev.machines.machine import MachineError

GRACE = 5.0
"""Seconds that a guest has to power down when it is stopped and the caller names no other."""


class Control:
    def __init__(self, consoles: Mapping[str, Console]) -> None:
        self._consoles = consoles

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_get("/healthz", self._health)
        application.router.add_get("/machines", self._list)
        application.router.add_get("/machines/{name}/printed", self._printed)
        application.router.add_post("/machines/{name}/{act:start|stop|reset}", self._power)
        application.router.add_post("/machines/{name}/break-port", self._break_port)
        application.router.add_get("/machines/{name}/behaviour", self._tell_behaviour)
        application.router.add_post("/machines/{name}/behaviour", self._behave)
        return application

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response([describe(console) for console in self._consoles.values()])

    async def _power(self, request: web.Request) -> web.Response:
        console = self._find(request)
        try:
            match request.match_info["act"]:
                case "start":
                    await console.start()
                case "stop":
                    await console.stop(_grace(request))
                case _:
                    await console.machine.reset()
        except MachineError as impossible:
            raise web.HTTPConflict(text=str(impossible)) from impossible
        return web.json_response(describe(console))

    async def _printed(self, request: web.Request) -> web.Response:
        return web.Response(body=self._find(request).witness.path.read_bytes())

    async def _break_port(self, request: web.Request) -> web.Response:
        console = self._find(request)
        try:
            fault = Fault((await request.json())["mode"])
        except (ValueError, KeyError, TypeError) as unknown:
            raise web.HTTPBadRequest(text=f"mode is one of {', '.join(Fault)}") from unknown
        console.inject(fault)
        return web.json_response(describe(console))

    async def _tell_behaviour(self, request: web.Request) -> web.Response:
        return web.json_response(asdict(self._find(request).behaviour))

    async def _behave(self, request: web.Request) -> web.Response:
        console = self._find(request)
        try:
            console.behaviour = console.behaviour.changed(dict(await request.json()))
        except (ValueError, TypeError) as unknown:
            raise web.HTTPBadRequest(text=str(unknown)) from unknown
        return web.json_response(asdict(console.behaviour))

    def _find(self, request: web.Request) -> Console:
        console = self._consoles.get(request.match_info["name"])
        if console is None:
            raise web.HTTPNotFound
        return console


def describe(console: Console) -> dict[str, Any]:
    """`printed`: bytes since the stack came up; `reason`: why it stopped last, empty while it runs."""
    return {
        "name": console.spec.name,
        "kind": console.machine.kind,
        "state": console.machine.state,
        "reason": console.machine.reason,
        "connected": console.client is not None,
        "printed": console.witness.size,
    }


def _grace(request: web.Request) -> float:
    try:
        return float(request.query.get("grace", GRACE))
    except ValueError as malformed:
        raise web.HTTPBadRequest(text="grace is a number of seconds") from malformed
