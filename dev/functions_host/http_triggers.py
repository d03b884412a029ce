"""HTTP triggers: a request finds its function, and gets its answer."""

import logging
import time
from hmac import compare_digest
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from dev.functions_host import messages
from dev.functions_host.answers import response
from dev.functions_host.messages import TypedData
from dev.functions_host.routes import Route, find, in_order, route
from dev.functions_host.worker import Binding, Function, FunctionFailed, Worker, log_failure

BODY_LIMIT = 100 * 1024 * 1024
"""Bytes of a request's body, as in Azure (FUNCTIONS_REQUEST_BODY_SIZE_LIMIT)."""

type Target = tuple[Function, Binding]
log = logging.getLogger("host.http")


class TooLarge(Exception):
    """A body above BODY_LIMIT."""


class HttpTriggers:
    """The ASGI application in front of every HTTP trigger. It logs no queries, headers or bodies."""

    def __init__(self, worker: Worker, prefix: str, key: str | None) -> None:
        """`key` opens functions whose level is not ANONYMOUS; without one they answer 401."""
        self._worker, self._key = worker, key
        self._routes = in_order(_route(prefix, *found) for found in worker.triggered_by("httpTrigger"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"functions take HTTP requests, not {scope['type']}")
        request, began = Request(scope, receive), time.perf_counter()
        try:
            answer = await self._answer(request)
        except ClientDisconnect:
            return
        if log.isEnabledFor(logging.DEBUG):
            took = (time.perf_counter() - began) * 1000
            log.debug("%s %s -> %d in %.1f ms", request.method, scope["path"], answer.status_code, took)
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        raw_path = request.scope["raw_path"].decode("latin-1").partition("?")[0]
        found = find(self._routes, request.method, raw_path)
        if found is None:
            return Response(status_code=404)
        (function, binding), params = found
        if not self._may_call(request, binding):
            return Response(status_code=401)
        try:
            trigger = TypedData(http=await _message(request, raw_path, params))
            return response(await self._worker.invoke(function, trigger))
        except TooLarge:
            return Response(status_code=413)
        except FunctionFailed as error:
            log_failure(function, error)
            return Response(status_code=500)

    def _may_call(self, request: Request, binding: Binding) -> bool:
        if str(binding.get("authLevel", "FUNCTION")).upper() == "ANONYMOUS":
            return True
        given = request.headers.get("x-functions-key") or request.query_params.get("code")
        return bool(self._key and given) and compare_digest(str(self._key).encode(), str(given).encode())


def _route(prefix: str, function: Function, binding: Binding) -> Route[Target]:
    template = f"{prefix}/{binding.get('route') or function.name}"
    return route(template, binding.get("methods"), (function, binding))


async def _message(request: Request, raw_path: str, params: dict[str, str]) -> messages.RpcHttp:
    """The request as the host sends it: URL as it came, query decoded, whatever is repeated joined by commas."""
    query_string = request.scope["query_string"].decode("latin-1")
    host = request.headers.get("host", "localhost")
    url = f"{request.scope['scheme']}://{host}{raw_path}" + (f"?{query_string}" if query_string else "")
    return messages.RpcHttp(
        method=request.method,
        url=url,
        headers=_joined([*request.headers.items(), *_peer(request)]),
        params=params,
        query=_joined(parse_qsl(query_string, keep_blank_values=True)),
        body=TypedData(bytes=await _body(request)),
    )


def _peer(request: Request) -> list[tuple[str, str]]:
    """What App Service's front end adds: the address and port that it sees, after whatever the client claims."""
    if request.client is None:
        return []
    host, port = request.client
    return [("x-forwarded-for", f"[{host}]:{port}" if ":" in host else f"{host}:{port}")]


def _joined(pairs: list[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


async def _body(request: Request) -> bytes:
    """The whole body.

    Raises:
        TooLarge: it is, or says it will be, above the limit.
        ClientDisconnect: the client left before its end.

    """
    if int(request.headers.get("content-length", 0)) > BODY_LIMIT:
        raise TooLarge
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            raise TooLarge
    return bytes(body)
