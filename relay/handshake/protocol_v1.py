"""Our own protocol (docs/protocol.md). The token is a subprotocol, so no address and no log of addresses holds it."""

from relay.handshake.connect_request import MAX_TOKEN, ConnectRequest
from relay.handshake.http_head import Head
from shared.base.refusals import Code, Refusal, refuse
from shared.console.frames import PROTOCOL, TOKEN_PREFIX, InvalidFrame, read_resume

PATH = "/v1/console"


def read_request(head: Head) -> ConnectRequest | Refusal:
    """Reads the subprotocols and the resume point. Returns the request or a refusal."""
    token = _token(head)
    if isinstance(token, Refusal):
        return token
    try:
        resume = read_resume(head.parameter("epoch"), head.parameter("offset"))
    except ValueError as error:  # InvalidFrame, or a query of too many fields
        known = isinstance(error, InvalidFrame)
        return refuse(Code.INVALID_REQUEST, because=str(error) if known else "The query cannot be read.")
    return ConnectRequest(token, subprotocol=PROTOCOL, resume=resume)


def _token(head: Head) -> str | Refusal:
    """Returns the token. The subprotocols must be ours and one token, each exactly once; else returns a refusal."""
    offered = head.words("sec-websocket-protocol")
    tokens = [word.removeprefix(TOKEN_PREFIX) for word in offered if word.startswith(TOKEN_PREFIX)]
    if offered.count(PROTOCOL) != 1 or len(offered) != len(tokens) + 1:
        return refuse(Code.INVALID_REQUEST, because=f"Offer the subprotocols {PROTOCOL} and {TOKEN_PREFIX}(token).")
    if len(tokens) != 1 or len(tokens[0]) > MAX_TOKEN:
        return refuse(Code.TOKEN_INVALID)
    return tokens[0]
