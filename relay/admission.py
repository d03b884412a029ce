"""May this visitor come in: the checks that need nobody but the token's keys, cheapest first."""

import base64
import binascii
from dataclasses import dataclass

from relay.http_head import Head
from relay.world import World
from shared.domain.frames import PROTOCOL, TOKEN_PREFIX, BadFrame, read_resume
from shared.domain.grant import Grant
from shared.domain.refusals import Code, Refusal, refuse
from shared.ports import Unavailable

PATH = "/v1/console"
MAX_TOKEN = 4096
_KEY_BYTES = 16


@dataclass(frozen=True, slots=True)
class Visit:
    """A verified token, and where the visitor wants to go on."""

    grant: Grant
    resume: tuple[str, int] | None


async def examine(head: Head, world: World) -> Visit | Refusal:
    """Path, origin, upgrade, subprotocols, resume point, token."""
    if head.path != PATH:
        return refuse(Code.NOT_FOUND)
    if (origin := head.headers.get("origin")) is not None and origin not in world.origins:
        return refuse(Code.CALLER_NOT_PERMITTED, because="Pages of this origin may not connect.")
    if (wrong := _not_an_upgrade(head)) is not None:
        return refuse(Code.INVALID_REQUEST, because=wrong)
    token = _token(head)
    if isinstance(token, Refusal):
        return token
    try:
        resume = read_resume(head.parameter("epoch"), head.parameter("offset"))
    except ValueError as error:  # BadFrame, or a query of too many fields
        known = isinstance(error, BadFrame)
        return refuse(Code.INVALID_REQUEST, because=str(error) if known else "The query cannot be read.")
    grant = await _grant(token, world)
    return grant if isinstance(grant, Refusal) else Visit(grant, resume)


def _not_an_upgrade(head: Head) -> str | None:
    if head.method != "GET" or "websocket" not in head.headers.get("upgrade", "").lower():
        return "This address speaks WebSocket only."
    if "upgrade" not in [word.lower() for word in head.words("connection")]:
        return "The Connection header does not ask for an upgrade."
    if head.headers.get("sec-websocket-version") != "13":
        return "Only version 13 of the WebSocket protocol is spoken here."
    try:
        key = base64.b64decode(head.headers.get("sec-websocket-key", ""), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    return None if len(key) == _KEY_BYTES else "Sec-WebSocket-Key is not 16 bytes in base64."


def _token(head: Head) -> str | Refusal:
    """The subprotocols must be ours and one token, each exactly once."""
    offered = head.words("sec-websocket-protocol")
    tokens = [word.removeprefix(TOKEN_PREFIX) for word in offered if word.startswith(TOKEN_PREFIX)]
    if offered.count(PROTOCOL) != 1 or len(offered) != len(tokens) + 1:
        return refuse(Code.INVALID_REQUEST, because=f"Offer the subprotocols {PROTOCOL} and {TOKEN_PREFIX}(token).")
    if len(tokens) != 1 or len(tokens[0]) > MAX_TOKEN:
        return refuse(Code.TOKEN_INVALID)
    return tokens[0]


async def _grant(token: str, world: World) -> Grant | Refusal:
    try:
        return await world.keys.grant(token)
    except Unavailable as error:
        world.log("keys-unavailable", what=error.what)
        return refuse(Code.AZURE_UNAVAILABLE, because="The keys of session tokens cannot be had right now.")
