"""The public side, as clients of Microsoft.SerialConsole's gateway know it.

A client connects with the token in its query, sends the bare token as a text frame, gets one notice, sends the
token again, and from then on frames are raw serial bytes both ways: binary to the client, text or binary from it.
"""

import asyncio
import hmac
import logging
from collections.abc import Mapping

from aiohttp import WSMsgType, web

from dev.gateway.client import GOODBYE_LIMIT, Client
from dev.gateway.console import Console
from dev.gateway.tokens import Check, Verdict
from dev.machines.machine import MachineError

log = logging.getLogger(__name__)

SESSION = "/n/connector/{machine}/sessions/{session:[0-9a-fA-F-]{36}}"
EXCHANGE_LIMIT = 10.0
"""Seconds that a client has to send its token twice."""
NOTICE = "Connecting to the serial console"

REFUSALS: Mapping[Verdict, type[web.HTTPException]] = {
    Verdict.INVALID: web.HTTPUnauthorized,
    Verdict.NOT_FOR_ARM: web.HTTPForbidden,
    Verdict.UNDECIDED: web.HTTPServiceUnavailable,
}


class Wire:
    """The routes over these consoles, for callers whose token `check` finds good."""

    def __init__(self, consoles: Mapping[str, Console], check: Check) -> None:
        self._consoles, self._check = consoles, check
        self._clients: set[Client] = set()

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_get(f"{SESSION}/client", self._connect)
        application.router.add_post(f"{SESSION}/adminCommand/{{command:reset|nmi|sysrq}}", self._command)
        return application

    async def close_clients(self, why: str) -> None:
        await asyncio.gather(*(client.close(why) for client in self._clients))

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        token = request.query.get("authorization", "")
        console = await self._find(request, token)
        if console.refusing:
            raise web.HTTPServiceUnavailable(text="The port refuses connections")
        try:
            await console.start_for_a_client()
        except MachineError as stopped:
            raise web.HTTPConflict(text=str(stopped)) from stopped
        # Frames of any size, and each write sees whether the socket's buffer is full.
        socket = web.WebSocketResponse(compress=False, max_msg_size=0, writer_limit=0, timeout=GOODBYE_LIMIT)
        await socket.prepare(request)
        if request.transport is None or not await _exchange(socket, token):
            await socket.close(code=1008, message=b"The token was not repeated")
            return socket
        client = Client(console, socket, request.transport)
        self._clients.add(client)
        try:
            await client.serve()
        finally:
            self._clients.discard(client)
        return socket

    async def _command(self, request: web.Request) -> web.Response:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        console = await self._find(request, token if scheme.lower() == "bearer" else "")
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

    async def _find(self, request: web.Request, token: str) -> Console:
        verdict = await self._check(token) if token else Verdict.INVALID
        if verdict is not Verdict.GOOD:
            raise REFUSALS[verdict]
        console = self._consoles.get(request.match_info["machine"])
        if console is None:
            raise web.HTTPNotFound
        return console


async def _exchange(socket: web.WebSocketResponse, token: str) -> bool:
    """The token, our notice, the token again."""
    try:
        async with asyncio.timeout(EXCHANGE_LIMIT):
            if not await _repeats(socket, token):
                return False
            await socket.send_str(NOTICE)
            return await _repeats(socket, token)
    except (TimeoutError, ConnectionResetError):
        return False


async def _repeats(socket: web.WebSocketResponse, token: str) -> bool:
    message = await socket.receive()
    return message.type is WSMsgType.TEXT and hmac.compare_digest(message.data.encode(), token.encode())


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
