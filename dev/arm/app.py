"""The application. Every request: who calls, which API version, which operation, may they; then the operation."""

import re
import uuid

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as Path

from dev.arm import admin, authorization, boot_blobs, compute, operations, serial_console, storage, subscriptions
from dev.arm.callers import Callers
from dev.arm.faults import befall
from dev.arm.machines import Machines
from dev.arm.refusals import (
    RefusedError,
    invalid_api_version,
    invalid_subscription,
    missing_api_version,
    subscription_not_found,
)
from dev.arm.routing import Call, find, world_of
from dev.arm.world import World
from dev.demo import OTHER_SUBSCRIPTION, SUBSCRIPTION
from dev.entra.keys import SigningKey
from dev.entra.listen import RequestLog
from dev.stack import Stack

ROUTES = [
    *authorization.ROUTES,
    *serial_console.ROUTES,
    *compute.ROUTES,
    *operations.ROUTES,
    *storage.ROUTES,
    *subscriptions.ROUTES,
]
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?")


def build(stack: Stack, key: SigningKey, machines: Machines, world: World | None = None) -> Starlette:
    """Compose the application; `key` is the tenant's, whose tokens are accepted."""
    resources = _Resources(stack, Callers(stack, key), machines)
    app = Starlette(
        routes=[
            Path("/healthz", _healthy),
            *admin.ROUTES,
            *boot_blobs.routes(machines),
            Path("/{path:path}", resources.answer, methods=_METHODS),
        ],
        middleware=[
            Middleware(RequestLog, part="arm"),
            # A web page elsewhere may not reach in under a name of its own that points to 127.0.0.1.
            Middleware(TrustedHostMiddleware, allowed_hosts=["localhost", "127.0.0.1"]),
        ],
        exception_handlers={RefusedError: _refused},
    )
    app.state.world = world or World()
    return app


class _Resources:
    """Answers everything under `/subscriptions` and `/providers`."""

    def __init__(self, stack: Stack, callers: Callers, machines: Machines) -> None:
        self._stack = stack
        self._callers = callers
        self._machines = machines

    async def answer(self, request: Request) -> Response:
        caller = self._callers.caller(request.headers.get("authorization"))
        _check_version(request)
        # Some SDKs leave an empty part in a path.
        path = re.sub("/{2,}", "/", request.scope["path"]).rstrip("/")
        _check_subscription(path)
        world_of(request).asked.append(f"{request.method} {path}")
        if correlation := request.headers.get("x-ms-correlation-request-id"):
            world_of(request).correlations.add(correlation)
        for fault in world_of(request).faults:
            if fault.takes(request) and (fallen := await befall(fault)) is not None:
                return fallen
        left = world_of(request).throttle.admit(request.method, caller.oid, _subscription_of(path))
        route, parts = find(ROUTES, request.method, path)
        call = Call(self._stack, world_of(request), self._machines, caller, request, parts)
        if route.action is not None:
            call.require(route.action, parts["scope"])
        response = await route.handler(call)
        response.headers.update(left)
        return response


def _check_version(request: Request) -> None:
    version = request.query_params.get("api-version")
    if version is None:
        raise missing_api_version()
    if not _VERSION.fullmatch(version):
        raise invalid_api_version(version)


def _subscription_of(path: str) -> str | None:
    found = re.match(r"/subscriptions/([^/]+)", path, re.IGNORECASE)
    return found[1].lower() if found else None


def _check_subscription(path: str) -> None:
    named = _subscription_of(path)
    if named is None:
        return
    try:
        uuid.UUID(named)
    except ValueError as malformed:
        raise invalid_subscription(named) from malformed
    if named not in {SUBSCRIPTION, OTHER_SUBSCRIPTION}:
        raise subscription_not_found(named)


async def _healthy(_: Request) -> Response:
    return JSONResponse({"status": "ok", "standIn": "Azure Resource Manager"})


def _refused(request: Request, refusal: Exception) -> Response:
    if not isinstance(refusal, RefusedError):
        raise refusal
    correlation = request.headers.get("x-ms-correlation-request-id") or str(uuid.uuid4())
    headers = {
        "x-ms-failure-cause": "gateway",
        "x-ms-error-code": refusal.code,
        "x-ms-request-id": str(uuid.uuid4()),
        "x-ms-correlation-request-id": correlation,
        **refusal.headers,
    }
    return JSONResponse(refusal.body(), refusal.status, headers)
