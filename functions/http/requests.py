"""Strict parsing of requests: an undocumented field is refused, and the refusal names it."""

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Self
from urllib.parse import unquote

import azure.functions as func

from shared.access.policy import TENANT, InvalidScope, Scope
from shared.base.refusals import Code, Refusal, refuse
from shared.base.vm import InvalidVmId, VmId

BODY_BYTES = 16 * 1024
_SESSION = re.compile(r"[A-Za-z0-9_-]{8,64}")
_SECONDS = re.compile(r"[0-9]{1,11}(?:\.[0-9]{1,6})?")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


class InvalidRequest(Exception):
    """A request that cannot be understood. `refusal` says why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal

    @classmethod
    def because(cls, why: str) -> Self:
        return cls(refuse(Code.INVALID_REQUEST, because=why))


def correlation_id(req: func.HttpRequest) -> str:
    """Returns the client's correlation id if it is a UUID, else a new one: other text could forge a log line."""
    try:
        return str(uuid.UUID(req.headers.get("x-ms-correlation-request-id", "")))
    except ValueError:
        return str(uuid.uuid4())


def vm_of(req: func.HttpRequest) -> VmId:
    """Returns the VM of the address. Raises InvalidRequest.

    The host has decoded the address, so each part must be a plain name: an encoded slash would change the address.
    """
    parts = req.route_params
    vm = VmId(parts["subscription"], parts["group"], parts["name"], parts.get("scale_set"))
    return _same(vm, vm.resource_id, "the address")


def scope_of(req: func.HttpRequest) -> Scope:
    """Returns the scope of a policy's address: tenant, subscription, group, scale set or VM. Raises InvalidRequest."""
    parts = req.route_params
    if any("/" in part for part in parts.values()):
        raise InvalidRequest.because("the address: not a scope")
    text = "".join(f"/{kind}/{parts[name]}" for name, kind in _SCOPE_PARTS if name in parts)
    if "name" in parts and "scale_set" not in parts:
        text = text.replace("/virtualMachines/", "/providers/Microsoft.Compute/virtualMachines/")
    try:
        return Scope.parse(text or TENANT)
    except InvalidScope as error:
        raise InvalidRequest.because(f"the address: {error}") from error


_SCOPE_PARTS = (
    ("subscription", "subscriptions"),
    ("group", "resourceGroups"),
    ("scale_set", "providers/Microsoft.Compute/virtualMachineScaleSets"),
    ("name", "virtualMachines"),
)


def vm_id(text: str, field: str) -> VmId:
    """Parses a VM's resource id; `field` names it in the refusal. Raises InvalidRequest."""
    try:
        return VmId.parse(text)
    except InvalidVmId as error:
        raise InvalidRequest.because(f"{field}: {error}") from error


def _same(expected: VmId, resource_id: str, field: str) -> VmId:
    if (parsed := vm_id(resource_id, field)) != expected:
        raise InvalidRequest.because(f"{field}: not the resource id of a VM")
    return parsed


def time_of(query: Mapping[str, str], name: str) -> float | None:
    """Reads a time in seconds since 1970: as a number, or ISO 8601 with a UTC offset. Raises InvalidRequest."""
    text = query.get(name)
    if text is None:
        return None
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        time = datetime.fromisoformat(text.replace(" ", "+"))  # an unencoded plus arrives as a space
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise InvalidRequest.because(f"{name} must be a time like 2026-11-24T03:00:00Z, or seconds since 1970")
    return time.timestamp()


def session_of(req: func.HttpRequest) -> str:
    """Returns the session id of the address. Raises InvalidRequest."""
    return session_id(req.route_params["session"], "the address")


def session_id(text: str, field: str) -> str:
    """Checks the form of a session id; `field` names it in the refusal. Raises InvalidRequest."""
    if not _SESSION.fullmatch(text):
        raise InvalidRequest.because(f"{field}: not a session id")
    return text


def body_of(req: func.HttpRequest, limit: int = BODY_BYTES) -> "Fields":
    """Returns the JSON object of the body, which is required. `limit` is in bytes. Raises InvalidRequest.

    The host passes a body on only with a Content-Length above 0 and drops all others silently (seen on host 4.1037;
    Azure/azure-functions-host GrpcMessageConversionExtensions). A dropped body may have held `"mode": "watch"`, so a
    missing body is refused and never read as an empty object.
    """
    body = req.get_body()
    if len(body) > limit:
        raise InvalidRequest(refuse(Code.REQUEST_TOO_LARGE))
    if not body:
        raise InvalidRequest.because(_NO_BODY)
    if not _JSON_MEDIA.fullmatch(req.headers.get("content-type", "")):
        raise InvalidRequest.because("the header Content-Type must be application/json")
    return Fields(_json(body), "the body")


_JSON_MEDIA = re.compile(r" *application/json *(;[^,]*)?", re.IGNORECASE | re.ASCII)
"""Exactly one media type: the host joins repeated headers with commas."""
_NO_BODY = (
    "no body arrived: send a JSON object, {} at least, with its Content-Length (a body that is sent in chunks is lost)"
)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body.decode(), object_pairs_hook=_unrepeated, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest.because("the body is not JSON") from error


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuses repeated keys: two parsers may each choose another value."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise InvalidRequest.because("the body names a field twice")
    return fields


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def object_of(req: func.HttpRequest) -> dict[str, Any]:
    """Returns the JSON object of the body, with printable texts only and unchecked fields. Raises InvalidRequest."""
    fields = body_of(req).rest()
    if any(_UNPRINTABLE.search(text) for text in _texts_in(fields)):
        raise InvalidRequest.because("the body takes printable characters only")
    return fields


def _texts_in(value: Any) -> Iterator[str]:
    """Yields every key and text value of a JSON value, at any depth."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str(text):
                yield text
            case dict(fields):
                waiting += [*fields, *fields.values()]
            case list(entries):
                waiting += entries
            case _:
                pass


def query_of(req: func.HttpRequest, *known: str) -> Mapping[str, str]:
    """Returns the query, which may have these fields only. Raises InvalidRequest."""
    query = fields_of(req)
    if unknown := min(query.keys() - {*known}, default=None):
        raise InvalidRequest.because(f"the query has a field that is not known: {unknown[:80]!r}")
    return query


def fields_of(req: func.HttpRequest) -> dict[str, str]:
    """Returns the fields of the query with a value; the values of a repeated field are joined by commas.

    Host 4.1037 drops fields without a value. Other servers may pass them on; they are ignored.
    """
    return {name: value for name, value in req.params.items() if value}


def version_of(req: func.HttpRequest) -> str | None:
    """Returns the version of If-Match; "" for `If-None-Match: *` (none stored); else None. Raises InvalidRequest."""
    match, none = req.headers.get("if-match"), req.headers.get("if-none-match")
    if match is not None and none is not None:
        raise InvalidRequest.because("send If-Match or If-None-Match, not both")
    if none is not None:
        if none.strip() != "*":
            raise InvalidRequest.because("If-None-Match must be *")
        return ""
    if match is None:
        return None
    version = unquote(match.strip().strip('"'))
    if not _VERSION.fullmatch(version):
        raise InvalidRequest.because("If-Match must be a version in quotes, as GET answers it")
    return version


_VERSION = re.compile(
    r"""W/"datetime'[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}%3A[0-9]{2}%3A[0-9]{2}(\.[0-9]{1,7})?Z'\"""", re.ASCII
)
"""The ETag format of table storage, which answers any other text with an error instead of "condition not met"."""


class Fields:
    """A JSON object, read field by field. `done` refuses fields that were not read. Methods raise InvalidRequest."""

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise InvalidRequest.because(f"{where} must be a JSON object")
        self._left, self._where = dict(value), where

    def text(self, name: str, *, most: int = 512) -> str:
        return self._text(name, self._take(name, str, "text"), most)

    def text_or_none(self, name: str, *, most: int = 512) -> str | None:
        value = self._left.pop(name, None)
        return None if value is None else self._text(name, self._typed(name, value, str, "text"), most)

    def number(self, name: str) -> int:
        """Reads a whole number from 0 to 2^63 - 1."""
        value: int = self._take(name, int, "a whole number")
        if isinstance(value, bool) or not 0 <= value < 1 << 63:
            raise InvalidRequest.because(f"{name} must be a whole number that is not negative")
        return value

    def number_or(self, name: str, default: int) -> int:
        return self.number(name) if name in self._left else default

    def choice[E: StrEnum](self, name: str, of: type[E], default: E | None = None) -> E:
        value = self._left.pop(name, default)
        try:
            return of(value)
        except ValueError as error:
            raise InvalidRequest.because(f"{name} must be one of {', '.join(of)}") from error

    def session(self, name: str) -> str:
        return session_id(self.text(name), name)

    def vm(self, name: str) -> VmId:
        return vm_id(self.text(name), name)

    def object(self, name: str) -> Mapping[str, Any]:
        value: Mapping[str, Any] = self._take(name, dict, "a JSON object")
        return value

    def has(self, name: str) -> bool:
        return name in self._left

    def objects(self, name: str) -> "list[Fields]":
        values: list[Any] = self._take(name, list, "a list")
        return [Fields(value, f"each of {name}") for value in values]

    def flag(self, name: str) -> bool:
        value: bool = self._take(name, bool, "true or false")
        return value

    def rest(self) -> dict[str, Any]:
        """Returns every field that was not read."""
        left, self._left = self._left, {}
        return left

    def done(self) -> None:
        if unknown := min(map(repr, self._left), default=None):
            raise InvalidRequest.because(f"{self._where} has a field that is not known: {unknown[:80]}")

    def _take(self, name: str, kind: type, words: str) -> Any:
        if name not in self._left:
            raise InvalidRequest.because(f"{name} is missing")
        return self._typed(name, self._left.pop(name), kind, words)

    def _typed(self, name: str, value: Any, kind: type, words: str) -> Any:
        if not isinstance(value, kind):
            raise InvalidRequest.because(f"{name} must be {words}")
        return value

    def _text(self, name: str, value: str, most: int) -> str:
        if len(value) > most or _UNPRINTABLE.search(value):
            raise InvalidRequest.because(f"{name} must be at most {most} printable characters")
        return value
