"""The proxy: looks at each request, refuses what Azure Storage would refuse, hands everything else on to Azurite."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus
from io import BytesIO
from uuid import uuid4
from weakref import WeakValueDictionary
from xml.sax.saxutils import escape

import aiohttp
from aiohttp import web
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob.aio import BlobServiceClient
from multidict import CIMultiDict
from yarl import URL

from dev.storage.immutability import BY_POLICY, Operation, Policy, There, forbidden, operation
from dev.storage.limits import INVALID_RANGE, blob_limit
from dev.storage.rows import refused_row
from dev.storage.trouble import Pages, Trouble

_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host", "server"})
_ADDED = ("Content-Type", "Accept-Encoding")
"""By the client, of itself; a signature covers the first."""
_LARGEST = 300 << 20
_LOOK_SECONDS = 0.05
_ENTITY = 2
"""Parts of a blob's path below the account: container, and the blob's name."""


class StorageProxy:
    """Before one Azurite, for blobs and tables alike: the two are told apart by the port that is asked."""

    def __init__(self, connection: str, clock: Callable[[], float] = time.time) -> None:
        self.policies: dict[str, Policy] = {}
        """By container."""
        self.condition_first = False
        """Whether a condition that does not hold is told before the policy: which comes first is not documented."""
        self.trouble = Trouble()
        self.pages: Pages | None = Pages()
        """None: as long as Azurite makes them."""
        self.seen: deque[str] = deque(maxlen=1000)
        """Method and address of the last requests."""
        self.connection = connection
        """Azurite's own; `open` answers the proxy's."""
        self._parts = dict(part.split("=", 1) for part in connection.strip(";").split(";"))
        self.clock = clock
        self._locks = WeakValueDictionary[str, asyncio.Lock]()
        """By address, as long as anybody has one or waits for it."""

    @asynccontextmanager
    async def open(self, blobs: int = 0, tables: int = 0) -> AsyncIterator[str]:
        """The connection string that leads through it, by way of these ports; 0: any that is free."""
        parts, runners = dict(self._parts), list[web.AppRunner]()
        async with (
            aiohttp.ClientSession(auto_decompress=False, timeout=aiohttp.ClientTimeout()) as self._client,
            BlobServiceClient.from_connection_string(self.connection) as self._blobs,
        ):
            try:
                ways = (("BlobEndpoint", self._blob, blobs), ("TableEndpoint", self._table, tables))
                for name, handle, port in ways:
                    app = web.Application(client_max_size=_LARGEST)
                    app.router.add_route("*", "/{path:.*}", handle)
                    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1)
                    runners.append(runner)
                    await runner.setup()
                    await web.TCPSite(runner, "127.0.0.1", port).start()
                    parts[name] = str(URL(parts[name]).with_port(runner.addresses[0][1]))
                yield "".join(f"{name}={value};" for name, value in parts.items())
            finally:
                for runner in runners:
                    await runner.cleanup()

    async def _blob(self, request: web.Request) -> web.Response:
        if "batch" in request.query.get("comp", ""):
            return _refused(501, "NotImplemented", "This proxy would not see what a batch does.")
        _, _, container, *name = request.path.split("/", _ENTITY + 1)
        if limit := blob_limit("".join(name), request.query, request.headers, request.content_length or 0):
            return _refused(*limit)
        if container not in self.policies or operation(request.method, request.query) is Operation.OTHER:
            return await self._carried_on(request, "BlobEndpoint", request.query)
        async with self._alone(request.path):  # nobody comes between the look and the deed
            if refused := await self._forbidden(request, container, "".join(name)):
                return _refused(409, *refused)
            return await self._carried_on(request, "BlobEndpoint", request.query)

    @asynccontextmanager
    async def _alone(self, path: str) -> AsyncIterator[None]:
        lock = self._locks.setdefault(path, asyncio.Lock())
        async with lock:
            yield

    async def _forbidden(self, request: web.Request, container: str, name: str) -> tuple[str, str] | None:
        policy, what = self.policies[container], operation(request.method, request.query)
        if not name:  # the container itself: by this address it cannot be deleted (same page, "Deletion")
            return BY_POLICY if what is Operation.DELETE else None
        blob = await self._there(container, name)
        if self.condition_first and blob and request.headers.get("If-None-Match") == "*":
            return None  # Azurite refuses it
        return forbidden(policy, what, blob, self.clock())

    async def _there(self, container: str, name: str) -> There | None:
        try:
            about = await self._blobs.get_blob_client(container, name).get_blob_properties()
        except ResourceNotFoundError:
            return None
        created, changed = about.creation_time.timestamp(), about.last_modified.timestamp()
        return There(created, changed, about.blob_type == "AppendBlob")

    async def _table(self, request: web.Request) -> web.Response:
        query = request.query
        if refused := refused_row(request.method, await request.read()):
            return _refused(*refused, table=True)
        if not self.pages or request.method != "GET" or not request.path.endswith("()"):
            return await self._carried_on(request, "TableEndpoint", query)
        if self.pages.first_is_empty(query):
            self.seen.append(f"GET {request.path_qs}")
            return web.Response(text='{"value": []}', headers=self.pages.begin())
        return await self._carried_on(request, "TableEndpoint", self.pages.shortened(query), changed=True)

    async def _silence(self, trouble: Trouble) -> None:
        """Until its time is over, or whoever made the trouble takes it away."""
        end = asyncio.get_running_loop().time() + trouble.silent
        while trouble is self.trouble and (left := end - asyncio.get_running_loop().time()) > 0:  # noqa: ASYNC110 - set by other threads
            await asyncio.sleep(min(left, _LOOK_SECONDS))

    async def _carried_on(
        self, request: web.Request, where: str, query: Mapping[str, str], *, changed: bool = False
    ) -> web.Response:
        asked = f"{request.method} {request.path_qs}"
        self.seen.append(asked)
        refused = None
        if self.trouble.meets(asked):
            await self._silence(self.trouble)
            if told := self.trouble.answer:
                refused = _refused(*told, table=where == "TableEndpoint")
        if refused and not self.trouble.done:
            return refused
        target = URL(self._parts[where]).origin().join(URL(request.raw_path, encoded=True))
        if changed:
            target = target.with_query(query)
        headers = [(name, value) for name, value in request.headers.items() if name.lower() not in _HOP]
        body = await request.read()
        try:
            async with self._client.request(
                request.method, target, data=BytesIO(body) if body else None, headers=headers, skip_auto_headers=_ADDED
            ) as answer:
                given = await answer.read()
        except aiohttp.ClientError:  # Azurite is away: so is the storage
            if request.transport:
                request.transport.abort()
            raise
        if _is_past_the_end(request, answer.status, given):
            return _refused(*INVALID_RANGE)
        return refused or _handed_back(answer, None if request.method == "HEAD" else given)


def _is_past_the_end(request: web.Request, status: int, given: bytes) -> bool:
    """Azurite answers an empty 206 where the service answers 416 (seen with 3.35)."""
    ranged = "x-ms-range" in request.headers or "range" in request.headers
    return ranged and request.method == "GET" and status == HTTPStatus.PARTIAL_CONTENT and not given


def _handed_back(answer: aiohttp.ClientResponse, body: bytes | None) -> web.Response:
    """Without a body the length is the one that Azurite told: that of what a GET would bring."""
    headers = CIMultiDict((name, value) for name, value in answer.headers.items() if name.lower() not in _HOP)
    if body is None:
        headers["Content-Length"] = answer.headers.get("Content-Length", "0")
    return web.Response(status=answer.status, body=body, headers=headers)


def _refused(status: int, code: str, text: str, *, table: bool = False) -> web.Response:
    """Blobs tell errors as XML, tables as JSON (REST reference, "Status and error codes")."""
    asked, now = str(uuid4()), datetime.now(UTC)
    told = f"{text}\nRequestId:{asked}\nTime:{now.isoformat()}"
    headers = {"x-ms-error-code": code, "x-ms-request-id": asked, "Date": format_datetime(now, usegmt=True)}
    if table:
        error = {"code": code, "message": {"lang": "en-US", "value": told}}
        return web.json_response({"odata.error": error}, status=status, headers=headers)
    body = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{escape(told)}</Message></Error>'
    return web.Response(status=status, text=body, content_type="application/xml", headers=headers)
