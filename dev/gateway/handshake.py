"""Before bytes flow: what each generation of the gateway asks of a client, and how it refuses.

The strictest reading throughout: after a token was taken, whatever comes is typed into the VM, a second token too;
one that comes before the gateway has spoken, in a binary frame or with anything around it is none.
Sources of the generations: behaviour.py.
"""

import hmac
from contextlib import suppress

from aiohttp import WSCloseCode, WSMsgType, web

from dev.gateway.behaviour import TEXTS, Generation, Refusing, Telling
from dev.gateway.console import Console
from dev.gateway.tokens import Check, Verdict
from dev.machines.machine import MachineError

BANNER = "Connecting...\r\n\r\n"
"""What the gateway says first. Source: the output that microsoft/azserialconsole issue 116 quotes."""
NOT_TRUSTED = "Connection not trusted"
"""Close 1011, "InternalServerError" in .NET's words, when what comes is no token. Source: the same issue."""
TOKEN_SECONDS = 10.0
"""How long a token may take to come. That there is an end is believed, its length is ours."""
_REASON_BYTES = 123
"""What a close frame has room for (RFC 6455, 5.5)."""
_STATUSES = {
    Verdict.INVALID: web.HTTPUnauthorized,
    Verdict.NOT_FOR_ARM: web.HTTPForbidden,
    Verdict.UNDECIDED: web.HTTPServiceUnavailable,
}


async def admit(request: web.Request, console: Console, check: Check) -> None:
    """What is decided before the upgrade. Raises an HTTP exception."""
    behaviour = console.behaviour
    if behaviour.generation is not Generation.CURRENT:
        await authorize(request.query.get("authorization", ""), check)
    if (why := refusing(console)) is not Refusing.NOTHING and behaviour.telling is Telling.STATUS:
        raise web.HTTPConflict(text=TEXTS[why])


async def authorize(token: str, check: Check) -> None:
    """Raises the HTTP exception that a token in an address or a header is refused with."""
    verdict = await check(token) if token else Verdict.INVALID
    if verdict is not Verdict.GOOD:
        raise _STATUSES[verdict]


def refusing(console: Console) -> Refusing:
    """Why a connection with a good token is refused now."""
    if console.behaviour.refusing is not Refusing.NOTHING:
        return console.behaviour.refusing
    if console.stopped:
        return Refusing.STOPPED
    return Refusing.IN_PROGRESS if console.occupied else Refusing.NOTHING


async def begin(request: web.Request, socket: web.WebSocketResponse, console: Console, check: Check) -> bool:
    """Whether bytes may flow; else the socket is closed with the reason."""
    try:
        trusted = await _exchange(request, socket, console, check)
    except (TimeoutError, ConnectionResetError):
        trusted = False
    if not trusted:
        await socket.close(code=WSCloseCode.INTERNAL_ERROR, message=NOT_TRUSTED.encode())
        return False
    with suppress(MachineError):
        await console.start_for_a_client()
    why = refusing(console)
    if why is not Refusing.NOTHING:
        await _tell(socket, console.behaviour.telling, TEXTS[why])
    return why is Refusing.NOTHING


async def _exchange(request: web.Request, socket: web.WebSocketResponse, console: Console, check: Check) -> bool:
    """Raises TimeoutError, ConnectionResetError."""
    token = request.query.get("authorization", "")
    twice = console.behaviour.generation is Generation.SPRING_2024 and request.query.get("new") == "1"
    if console.behaviour.generation is not Generation.CURRENT and not twice:
        return True
    if twice and not await _repeats(socket, token):
        return False
    if not await _stays_silent(socket, console.behaviour.banner_seconds):
        return False
    await socket.send_str(BANNER)
    return await _repeats(socket, token) if twice else await _trusts(socket, check)


async def _stays_silent(socket: web.WebSocketResponse, seconds: float) -> bool:
    """Whether the client waits until it is asked."""
    if not seconds:
        return True
    try:
        await socket.receive(seconds)
    except TimeoutError:
        return True
    return False


async def _trusts(socket: web.WebSocketResponse, check: Check) -> bool:
    message = await socket.receive(TOKEN_SECONDS)
    return message.type is WSMsgType.TEXT and await check(message.data) is Verdict.GOOD


async def _repeats(socket: web.WebSocketResponse, token: str) -> bool:
    message = await socket.receive(TOKEN_SECONDS)
    return message.type is WSMsgType.TEXT and hmac.compare_digest(message.data.encode(), token.encode())


async def _tell(socket: web.WebSocketResponse, telling: Telling, text: str) -> None:
    if telling is Telling.FRAME:
        await socket.send_str(f"{text}\r\n")
    reason = b"" if telling is Telling.FRAME else text.encode()[:_REASON_BYTES]
    await socket.close(code=WSCloseCode.INTERNAL_ERROR, message=reason)
