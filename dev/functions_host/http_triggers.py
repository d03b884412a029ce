"""HTTP triggers: a request finds its function, and gets its answer."""

import json
import logging
import time
from hmac import compare_digest
from typing import Any

from dev.functions_host import messages
from dev.functions_host.answers import response
from dev.functions_host.http_answer import Answer
from dev.functions_host.http_limits import HttpLimits
from dev.functions_host.http_server import Request
from dev.functions_host.messages import TypedData
from dev.functions_host.request_target import Target
from dev.functions_host.route_template import Values
from dev.functions_host.routes import Route, find, in_order, route
from dev.functions_host.settings import HttpSettings
from dev.functions_host.worker import Binding, Function, FunctionFailed, Worker, log_failure

type Found = tuple[Function, Binding]
log = logging.getLogger("host.http")


class HttpTriggers:
    """What answers every address but the host's own. It logs no queries, headers or bodies."""

    def __init__(self, worker: Worker, settings: HttpSettings, key: str | None) -> None:
        """`key` opens functions whose level is not ANONYMOUS; without one they answer 401."""
        self._worker, self._key = worker, key
        self._limits = HttpLimits(settings.concurrent, settings.outstanding)
        self._routes = in_order(_route(settings.route_prefix, *found) for found in worker.triggered_by("httpTrigger"))

    async def answer(self, request: Request, target: Target) -> Answer:
        """The answer of the function that the address names; 404 without a word where there is none."""
        found = find(self._routes, request.head.method, target.path)
        if found is None:
            return Answer(404)
        (function, binding), params = found
        began = time.perf_counter()

        async def work() -> Answer:
            if not self._may_call(request, target, binding):
                return Answer(401)
            return await self._call(function, binding, request, target, params)

        answer = await self._limits.answer(work)
        if log.isEnabledFor(logging.DEBUG):
            took = (time.perf_counter() - began) * 1000
            log.debug("%s %s -> %d in %.1f ms", request.head.method, target.path, answer.status, took)
        return answer

    async def _call(
        self, function: Function, binding: Binding, request: Request, target: Target, params: Values
    ) -> Answer:
        if request.is_too_large:
            return Answer(500)  # the host fails as it reads the body; no function is called
        trigger = TypedData(http=_message(request, target, params))
        try:
            return response(await self._worker.invoke(function, trigger, _metadata(binding, request, target, params)))
        except FunctionFailed as error:
            log_failure(function, error)
            return Answer(500)

    def _may_call(self, request: Request, target: Target, binding: Binding) -> bool:
        if str(binding.get("authLevel", "FUNCTION")).upper() == "ANONYMOUS":
            return True
        return has_key(self._key, request, target)


def has_key(key: str | None, request: Request, target: Target) -> bool:
    """Whether the request brings the host's key, in x-functions-key or in the field `code`."""
    given = request.head.headers.get("x-functions-key") or target.query.get("code")
    return bool(key and given) and compare_digest(str(key).encode(), str(given).encode())


def _route(prefix: str, function: Function, binding: Binding) -> Route[Found]:
    template = binding["route"] if binding.get("route") is not None else function.name
    return route(function.name, f"{prefix}/{template.lstrip('/')}", binding.get("methods"), (function, binding))


def _message(request: Request, target: Target, params: Values) -> messages.RpcHttp:
    """The request as the worker is told it (GrpcMessageConversionExtensions.ToRpcHttp)."""
    return messages.RpcHttp(
        method=request.head.method,
        url=f"http://{request.head.headers.get('host', '')}{target.told}",
        headers=request.head.headers,
        params=params,
        query=target.query,
        body=TypedData() if request.body is None else TypedData(bytes=request.body),
    )


def _metadata(binding: Binding, request: Request, target: Target, params: Values) -> dict[str, TypedData]:
    """Fields of the query, of a JSON body and of the path, the later over the earlier."""
    fields: dict[str, Any] = {**target.query, **_json_fields(request), **params}
    return {name: _typed(value) for name, value in fields.items() if name != binding["name"]}


def _json_fields(request: Request) -> dict[str, Any]:
    if request.body is None or "json" not in request.head.headers.get("content-type", ""):
        return {}
    try:
        value = json.loads(request.body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _typed(value: Any) -> TypedData:
    return TypedData(string=value) if isinstance(value, str) else TypedData(json=json.dumps(value))
