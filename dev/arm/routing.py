"""An operation: its method and path, the action it needs, and the scope the action is asked at."""

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

from starlette.requests import Request
from starlette.responses import Response

from dev.arm.callers import Caller
from dev.arm.machines import Machines
from dev.arm.refusals import RefusedError, authorization_failed, method_not_allowed, scope_locked, type_not_found
from dev.arm.world import World
from dev.stack import Stack


@dataclass(frozen=True)
class Call:
    """One request, its caller known: what a handler gets."""

    stack: Stack
    world: World
    machines: Machines
    caller: Caller
    request: Request
    parts: dict[str, str]
    """The path's blanks, as the caller wrote them; `scope` is the part in brackets."""

    def may(self, action: str, scope: str) -> bool:
        return self.world.may(self.caller.oid, action, scope)

    def require(self, action: str, scope: str) -> None:
        """Raise RefusedError unless the caller may."""
        if not self.may(action, scope):
            raise authorization_failed(self.caller.name, self.caller.oid, action, scope)
        lock = None if action.lower().endswith("/read") else self.world.read_only(scope)
        if lock is not None:
            raise scope_locked(scope, lock.scope)


Handler = Callable[[Call], Awaitable[Response]]


@dataclass(frozen=True)
class Route:
    """`path` has blanks in braces (`{any*}` spans slashes) and the scope in brackets.

    Without an `action` any caller of the tenant may, or the handler looks itself.
    """

    method: str
    path: str
    action: str | None
    handler: Handler

    @cached_property
    def expression(self) -> re.Pattern[str]:
        """ARM's paths ignore case."""
        pattern = self.path.replace(".", r"\.").replace("[", "(?P<scope>").replace("]", ")")
        pattern = re.sub(r"\{(\w+)\*\}", r"(?P<\1>.*)", pattern)
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern), re.IGNORECASE)


def world_of(request: Request) -> World:
    world: World = request.app.state.world
    return world


def find(routes: Iterable[Route], method: str, path: str) -> tuple[Route, dict[str, str]]:
    """Return the operation and the path's blanks; raise RefusedError (404 or 405) if there is none."""
    refusal: RefusedError = type_not_found(path)
    for route in routes:
        if found := route.expression.fullmatch(path):
            if route.method == method:
                return route, found.groupdict()
            refusal = method_not_allowed(method)
    raise refusal
