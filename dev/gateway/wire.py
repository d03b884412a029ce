"""The public side, as clients of Microsoft.SerialConsole's gateway know it.

A client connects and proves who it is, as handshake.py asks of its VM; from then on frames are raw serial bytes both
ways: binary to the client, text or binary from it.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Mapping

from aiohttp import web

from dev.gateway.client import GOODBYE_LIMIT, Client
from dev.gateway.console import Console
from dev.gateway.handshake import admit, authorize, begin
from dev.gateway.tokens import Check
from dev.machines.machine import MachineError

log = logging.getLogger(__name__)

SPENT = 10_000
"""Sessions remembered."""
SESSION = "/n/connector/{machine}/sessions/{session:[0-9a-fA-F-]{36}}"


class Wire:
    """The routes over these consoles, for callers whose token `check` finds good."""

    def __init__(self, consoles: Mapping[str, Console], check: Check) -> None:
        self._consoles, self._check = consoles, check
        self._clients: dict[str, Client] = {}
        """Joined to a port, by the session of their address."""
        self._spent: OrderedDict[str, None] = OrderedDict()
        """Sessions that were joined once: an address is good for one connection."""

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_get(f"{SESSION}/client", self._connect)
        application.router.add_post(f"{SESSION}/adminCommand/{{command:reset|nmi|sysrq}}", self._command)
        return application

    async def close_clients(self, why: str) -> None:
        await asyncio.gather(*(client.close(why) for client in tuple(self._clients.values())))

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        console, session = self._find(request), request.match_info["session"]
        if session in self._spent:
            raise web.HTTPNotFound
        if console.refusing:
            raise web.HTTPServiceUnavailable(text="The port refuses connections")
        await admit(request, console, self._check)
        # Frames of any size, and each write sees whether the socket's buffer is full.
        socket = web.WebSocketResponse(compress=False, max_msg_size=0, writer_limit=0, timeout=GOODBYE_LIMIT)
        await socket.prepare(request)
        if request.transport is None or not await begin(request, socket, console, self._check):
            return socket
        client = self._clients[session] = Client(console, socket, request.transport)
        self._spend(session)
        try:
            await client.serve()
        finally:
            del self._clients[session]
        return socket

    def _spend(self, session: str) -> None:
        self._spent[session] = None
        if len(self._spent) > SPENT:
            self._spent.popitem(last=False)

    async def _command(self, request: web.Request) -> web.Response:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        await authorize(token if scheme.lower() == "bearer" else "", self._check)
        console = self._find(request)
        if request.match_info["session"] not in self._clients:  # the extension sends these while its socket is open
            raise web.HTTPNotFound
        command, keys = await _read_command(request)
        try:
            match command:
                case "reset":
                    await console.machine.reset()
                case "nmi":
                    await console.machine.nmi()
                case _:
                    await console.machine.sysrq(keys)
        except MachineError as impossible:
            raise web.HTTPConflict(text=str(impossible)) from impossible
        return web.json_response({"status": "done"})

    def _find(self, request: web.Request) -> Console:
        console = self._consoles.get(request.match_info["machine"])
        if console is None:
            raise web.HTTPNotFound
        return console


async def _read_command(request: web.Request) -> tuple[str, str]:
    """The command and, for SysRq, its keys. Raises HTTPBadRequest."""
    command = request.match_info["command"]
    try:
        body = await request.json()
        keys = body.get("commandParameters", {}).get("SysRqCommand", "")
        named = body.get("command")
    except (ValueError, AttributeError) as malformed:
        raise web.HTTPBadRequest(text="Not a command") from malformed
    if named != command:
        raise web.HTTPBadRequest(text="The body names another command than the address")
    if command == "sysrq" and not (isinstance(keys, str) and keys.isascii() and keys.isalnum()):
        raise web.HTTPBadRequest(text="SysRqCommand takes letters and digits")
    return command, keys
