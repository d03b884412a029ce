"""The HTTP around a WebSocket: reading the request's head, writing a refusal."""

import json
import re
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qs

from shared.base.refusals import Refusal

MAX_HEAD = 16 * 1024
"""Bytes of request line and headers."""
END = b"\r\n\r\n"


_ONCE = {
    "host", "origin", "content-length", "transfer-encoding",
    "sec-websocket-key", "sec-websocket-version", "sec-websocket-protocol",
}  # fmt: skip
"""Headers that two readers on the way may each read another of, when they are there twice."""
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_TARGET = re.compile(r"/[\x21-\x7e]*")


class InvalidHead(ValueError):
    """Not an HTTP/1.1 request head. The text names what is wrong, never the content."""


@dataclass(frozen=True, slots=True)
class Head:
    """`headers` by lower-case name; a name given several times has its values joined by commas, as HTTP allows."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    connection: str = ""
    """Address at the other end of the connection."""

    @property
    def peer(self) -> str:
        """Who asks, as the last front end on the way saw them: it puts what it saw behind what it was told. Good for
        sharing places fairly, not as a proof: where no front end stands, a caller writes that header.
        """
        return next(reversed(self.words("x-forwarded-for")), self.connection)

    def words(self, name: str) -> list[str]:
        """A header that is a comma-separated list."""
        return [word.strip() for word in self.headers.get(name, "").split(",") if word.strip()]

    def parameters(self, name: str) -> list[str]:
        """Every value of a query parameter. Raises ValueError for a query of more than 16."""
        return parse_qs(self.query, keep_blank_values=True, max_num_fields=16).get(name, [])

    def parameter(self, name: str) -> str | None:
        """The first value of a query parameter. Raises ValueError as `parameters` does."""
        return next(iter(self.parameters(name)), None)


def read_head(data: bytes) -> Head:
    """`data` is what stands before the blank line. Raises InvalidHead."""
    request, *lines = data.decode("latin-1").split("\r\n")
    parts = request.split(" ")
    if len(parts) != 3 or parts[2] != "HTTP/1.1" or not _TARGET.fullmatch(parts[1]):  # noqa: PLR2004 - method, target, version
        raise InvalidHead("the request line is not HTTP/1.1's")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise InvalidHead("a header cannot be read")
        key = name.lower()
        if key in headers and key in _ONCE:
            raise InvalidHead(f"the header {key} is there twice")
        headers[key] = f"{headers[key]},{value.strip()}" if key in headers else value.strip()
    if not headers.get("host"):
        raise InvalidHead("the header host is missing")
    path, _, query = parts[1].partition("?")
    return Head(parts[0], path, query, headers)


def upgrade_head(head: Head) -> bytes:
    """The request again, with what picows needs: it takes a `Connection: keep-alive, Upgrade` (Firefox) for wrong."""
    forwarded = ("upgrade", "sec-websocket-version", "sec-websocket-key")
    lines = [f"GET {head.path} HTTP/1.1", "Connection: Upgrade"]
    lines += [f"{name}: {head.headers[name]}" for name in forwarded if name in head.headers]
    return "\r\n".join(lines).encode("latin-1") + END


def refusal_answer(refusal: Refusal, correlation: str, *, body: bool = True) -> bytes:
    """An HTTP answer with the error envelope of docs/errors.md; the connection is closed after it."""
    content = json.dumps(envelope(refusal, correlation), ensure_ascii=False).encode()
    lines = [
        f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}",
        "Content-Type: application/json; charset=utf-8",
        f"Content-Length: {len(content)}",
        "Connection: close",
        "Cache-Control: no-store",
        f"x-ms-error-code: {refusal.code.value}",
        f"x-ms-correlation-request-id: {correlation}",
    ]
    if refusal.retry_after is not None:
        lines.append(f"Retry-After: {refusal.retry_after}")
    return "\r\n".join(lines).encode() + END + (content if body else b"")


def envelope(refusal: Refusal, correlation: str | None = None) -> dict[str, dict[str, object]]:
    """The error envelope of docs/errors.md."""
    error: dict[str, object] = {
        "code": refusal.code.value,
        "message": refusal.message,
        "target": refusal.target,
        "details": [],
        "innererror": {
            "fix": refusal.fix,
            "fixCommand": refusal.fix_command,
            "helpUrl": None,
            "retryable": refusal.retryable,
            "retryAfterSeconds": refusal.retry_after,
            "correlationId": correlation,
        },
    }
    return {"error": error}
