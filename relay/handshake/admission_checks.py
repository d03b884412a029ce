"""The checks of a connect request that need only the token's keys, the cheapest first."""

import base64
import binascii
from dataclasses import dataclass

from relay.dependencies import RelayDependencies
from relay.handshake import protocol_azure, protocol_v1
from relay.handshake.connect_request import ConnectRequest
from relay.handshake.http_head import Head
from shared.access.compatibility import Compatibility
from shared.base.ports import Unavailable
from shared.base.refusals import Code, Refusal, foreign_origin, refuse
from shared.session.grant import Grant

_KEY_BYTES = 16


@dataclass(frozen=True, slots=True)
class Handshake:
    """A verified token and the request that brought it."""

    grant: Grant
    connect_request: ConnectRequest


def read_request(head: Head, dependencies: RelayDependencies) -> ConnectRequest | Refusal:
    """Checks path, origin and upgrade, and what the client's protocol demands. Returns the request or a refusal."""
    azure_served = dependencies.compatibility is not Compatibility.OFF
    session = protocol_azure.addressed(head.path, dependencies.name) if azure_served else None
    if session is None and head.path != protocol_v1.PATH:
        return refuse(Code.NOT_FOUND)
    origin = head.headers.get("origin")
    if (
        origin is not None
        and origin not in dependencies.origins
        and not (session and protocol_azure.own_origin(head, origin))
    ):
        return foreign_origin("Pages of this origin may not connect.")
    if (wrong := _not_an_upgrade(head)) is not None:
        return refuse(Code.INVALID_REQUEST, because=wrong)
    if session is None:
        return protocol_v1.read_request(head)
    return protocol_azure.read_request(head, session, dependencies.compatibility)


async def examine(connect_request: ConnectRequest, dependencies: RelayDependencies) -> Handshake | Refusal:
    """Verifies the request's token. Returns the grant with the request, or a refusal."""
    grant = await _grant(connect_request.token or "", dependencies)
    if isinstance(grant, Refusal):
        return grant
    if connect_request.session not in (None, grant.session):
        return refuse(Code.TOKEN_INVALID)
    return Handshake(grant, connect_request)


def _not_an_upgrade(head: Head) -> str | None:
    if head.method != "GET" or "websocket" not in [word.lower() for word in head.words("upgrade")]:
        return "This address speaks WebSocket only."
    if "upgrade" not in [word.lower() for word in head.words("connection")]:
        return "The Connection header does not ask for an upgrade."
    if head.headers.get("sec-websocket-version") != "13":
        return "Only version 13 of the WebSocket protocol is spoken here."
    if "transfer-encoding" in head.headers or head.headers.get("content-length", "0") != "0":
        return "A request for an upgrade has no body."
    try:
        key = base64.b64decode(head.headers.get("sec-websocket-key", ""), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    return None if len(key) == _KEY_BYTES else "Sec-WebSocket-Key is not 16 bytes in base64."


async def _grant(token: str, dependencies: RelayDependencies) -> Grant | Refusal:
    try:
        return await dependencies.keys.grant(token)
    except Unavailable as error:
        dependencies.log("keys-unavailable", what=error.what)
        return refuse(Code.AZURE_UNAVAILABLE, because="The keys of session tokens cannot be had right now.")
