"""The protocol of Azure's own serial console, for clients that were written for it: its addresses and requests.

    GET /n/connector/{relay}/sessions/{session}/client                  current_viewer.py
    GET ...?authorization={token}                                       older_viewer.py, OldestViewer
    GET ...?authorization={token}&new=1                                 older_viewer.py, OlderViewer

The token is one of ours. In an address, whatever logs addresses on the way sees it, though by then it is used up: so
COMPATIBILITY has to say `older` for those. Nothing is said in text after the banner; the close code and its reason
tell why a session ended. Sources: Azure/azure-cli-extensions, src/serial-console, by version (docs/compatibility.md).
"""

from functools import partial

from relay.handshake.azure_viewer_current import CurrentViewer
from relay.handshake.azure_viewer_older import OlderViewer, OldestViewer
from relay.handshake.connect_request import MAX_TOKEN, ConnectRequest
from relay.handshake.http_head import Head
from shared.access.compatibility import Compatibility
from shared.base.refusals import Code, Refusal, refuse


def addressed(path: str, relay: str) -> str | None:
    """Returns the session that an address of this relay names; None for any other address."""
    before, after = f"/n/connector/{relay}/sessions/", "/client"
    session = path.removeprefix(before).removesuffix(after)
    return session if session and path == f"{before}{session}{after}" and "/" not in session else None


def own_origin(head: Head, origin: str) -> bool:
    """Returns True if the origin is the address that is being called. Clients that are no browsers write it so; the
    relay serves no pages, so no page has this origin.
    """
    return origin in {f"{scheme}://{head.headers['host']}" for scheme in ("http", "https")}


def read_request(head: Head, session: str, served: Compatibility) -> ConnectRequest | Refusal:
    """Reads a connect request. The address holds a token once or not at all. Returns the request or a refusal."""
    try:
        tokens, new = head.parameters("authorization"), head.parameters("new")
    except ValueError:  # too many fields
        return refuse(Code.INVALID_REQUEST, because="The query cannot be read.")
    if not tokens:
        return ConnectRequest(None, CurrentViewer, session=session)
    if served is not Compatibility.OLDER:
        return refuse(Code.INVALID_REQUEST, because="A token goes into the first frame here, not into the address.")
    if len(tokens) != 1 or len(tokens[0]) > MAX_TOKEN:
        return refuse(Code.TOKEN_INVALID)
    viewer = partial(OlderViewer, tokens[0]) if new == ["1"] else OldestViewer
    return ConnectRequest(tokens[0], viewer, session=session)
