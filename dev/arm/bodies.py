"""What the admin hooks are sent: JSON, made into the world's own records. Nothing half fits."""

from dataclasses import fields
from typing import Any, get_origin, get_type_hints

from starlette.requests import Request

from dev.arm.refusals import invalid_request


async def read_body(request: Request, kind: type) -> Any:
    """The body: an object where `kind` is dict, else a list. Raises RefusedError (400)."""
    try:
        body = await request.json()
    except ValueError as broken:
        raise invalid_request("the body is not JSON") from broken
    if not isinstance(body, kind):
        raise invalid_request(f"the body has to be a JSON {'object' if kind is dict else 'list'}")
    return body


async def read_records[T](request: Request, kind: type[T]) -> tuple[T, ...]:
    """A list of such records. Raises RefusedError (400)."""
    return tuple(record(kind, one) for one in await read_body(request, list))


def record[T](kind: type[T], value: Any) -> T:
    """One dataclass of these fields. Raises RefusedError (400) that names what it takes, or what does not fit."""
    names, said = [one.name for one in fields(kind)], value if isinstance(value, dict) else {}  # type: ignore[arg-type]
    given = {name: tuple(one) if isinstance(one, list) else one for name, one in said.items()}
    for name, one in given.items():
        if name not in names or not _fits(one, get_type_hints(kind)[name]):
            raise invalid_request(f"'{name}' cannot be {one!r}")
    try:
        return kind(**given)
    except TypeError as broken:
        raise invalid_request(
            f"a {kind.__name__} has {', '.join(names)}; those without a default are needed"
        ) from broken


def _fits(value: Any, kind: Any) -> bool:
    """Lists are of texts only."""
    if get_origin(kind) is tuple:
        return isinstance(value, tuple) and all(isinstance(one, str) for one in value)
    return isinstance(value, kind)
