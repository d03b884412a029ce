"""Faults to order: what every service does at times, and this one only when it is told.

Statuses and words of the errors are whatever the order names; ARM has 429 with Retry-After, and 500, 502, 503 and 504
of its own and of the providers behind it (learn.microsoft.com/azure/azure-resource-manager/management, request limits
and common errors). Silence and cut connections need no source.
"""

import asyncio
import re
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

_FOR_EVER = 3600.0


@dataclass
class Fault:
    """What happens to the next `count` requests whose method, path and query `match` is found in, after `skip` others.

    An answer of `status` with `code` and `retry_after`; no answer for `hang` seconds, then the usual one; with `cut`
    the connection ends: "before" the answer, or "within" its body. `raw` answers with this text of `media` instead of
    ARM's envelope, as a proxy on the way would.
    """

    match: str = ""
    status: int = 0
    code: str = "ServiceUnavailable"
    message: str = "The service is temporarily unavailable."
    retry_after: str | None = None
    hang: float = 0.0
    cut: str = ""
    raw: str | None = None
    media: str = "text/html"
    count: int = 1
    skip: int = 0

    def takes(self, request: Request) -> bool:
        """Counts."""
        asked = f"{request.method} {request.url.path}?{request.url.query}"
        if self.count <= 0 or not re.search(self.match, asked, re.IGNORECASE):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.count -= 1
        return True


async def befall(fault: Fault) -> Response | None:
    """The answer instead of the usual one; None goes on to that."""
    if fault.hang:
        await asyncio.sleep(min(fault.hang, _FOR_EVER))
    if fault.cut == "before":
        return _Cut(b"")
    if fault.cut:
        return _Cut(b'{"value": [{"id": "/subs')
    if not fault.status:
        return None
    headers = {"Retry-After": fault.retry_after} if fault.retry_after is not None else {}
    if fault.raw is not None:
        return Response(fault.raw, fault.status, headers, fault.media)
    said: dict[str, Any] = {"error": {"code": fault.code, "message": fault.message}}
    return JSONResponse(said, fault.status, {"x-ms-failure-cause": "service", **headers})


class _Cut(Response):
    """Begins an answer, or none, and ends the connection."""

    def __init__(self, begun: bytes) -> None:
        super().__init__()
        self._begun = begun

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope
        transport: Any = receive.__self__.transport  # type: ignore[attr-defined]  # uvicorn's cycle has it
        if self._begun:
            headers = [(b"content-type", b"application/json"), (b"content-length", b"4096")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": self._begun, "more_body": True})
            await asyncio.sleep(0.02)  # the bytes leave before the connection does
        transport.abort()
