"""What answers at the host's address: its own pages, the functions, and the headers that host.json adds to all of it.

Azure/azure-functions-host, src/WebJobs.Script.WebHost: HomepageMiddleware, CustomHttpHeadersMiddleware, the admin
controllers; seen on the real host (4.1037). Not shown: `hsts`, CORS of the platform, authentication of the platform.
"""

import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from dev.functions_host.http_answer import Answer
from dev.functions_host.http_head import Refused
from dev.functions_host.http_server import Request
from dev.functions_host.http_triggers import HttpTriggers, has_key
from dev.functions_host.request_target import Target, target
from dev.functions_host.settings import HttpSettings

HOME = """<!DOCTYPE html>
<html>
<head>
    <title>Your Azure Function App is up and running.</title>
    <style type="text/css">
    </style>
</head>
</html>
"""
HOME_SIZE = 149_794
"""Bytes of the real home page; this one is filled up with blanks."""
OWN = ("/admin", "/runtime/webhooks")
"""Addresses that ask for the host's key."""

type Admin = Callable[[str, str], Awaitable[Any]]
"""Method and path of an admin address to a value that is sent as JSON, or None: there is no such address."""


class Site:
    """The host behind its server. `key` is the host's own."""

    def __init__(self, triggers: HttpTriggers, admin: Admin, settings: HttpSettings, key: str | None) -> None:
        self._triggers, self._admin, self._settings, self._key = triggers, admin, settings, key

    async def answer(self, request: Request) -> Answer:
        """The answer to a request."""
        try:
            answer = await self._answer(request, target(request.head.target))
        except Refused as refused:
            return Answer(refused.status, [("Connection", "close")])  # Kestrel's: nothing is added to it
        answer.add_missing(self._settings.custom_headers)
        return answer

    async def _answer(self, request: Request, where: Target) -> Answer:
        if not request.head.headers.get("host"):
            return Answer(500, [("Connection", "close")])
        path = where.path.lower()
        if path == "/":
            return _home()
        if any(path == own or path.startswith(f"{own}/") for own in OWN):
            return await self._own(request, where)
        return await self._triggers.answer(request, where)

    async def _own(self, request: Request, where: Target) -> Answer:
        if not has_key(self._key, request, where):
            return Answer(401, [("WWW-Authenticate", "Bearer")])
        value = await self._admin(request.head.method, where.path)
        if value is None:
            return Answer(404)
        if isinstance(value, Answer):
            return value
        body = json.dumps(value).encode()
        return Answer(200, [("Content-Type", "application/json; charset=utf-8")], body)


def _home() -> Answer:
    if os.environ.get("AzureWebJobsDisableHomepage", "").lower() in {"true", "1"}:  # noqa: SIM112 - its name
        return Answer(204)
    return Answer(200, [("Content-Type", "text/html")], HOME.ljust(HOME_SIZE).encode(), is_whole=True)


def with_front_end(answer: Callable[[Request], Awaitable[Answer]]) -> Callable[[Request], Awaitable[Answer]]:
    """`answer` behind App Service's front end.

    It adds whom it sees, address and port, behind what the client claims. Of what else it adds, takes away and limits
    nothing is shown.
    """

    async def answered(request: Request) -> Answer:
        host, port = request.peer
        seen = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        claimed = request.head.headers.get("x-forwarded-for")
        headers = request.head.headers | {"x-forwarded-for": f"{claimed},{seen}" if claimed else seen}
        return await answer(replace(request, head=replace(request.head, headers=headers)))

    return answered
