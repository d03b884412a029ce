"""What a function returned, as the host answers it.

Azure/azure-functions-host: RawScriptResult, GrpcMessageExtensionUtilities; seen on the real host (4.1037).
"""

import json
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from dev.functions_host.http_answer import Answer, Headers

SAME_SITE = {1: "lax", 2: "strict", 3: "none"}


def response(returned: Any) -> Answer:
    """The answer of `returned`, TypedData or None (204: a function without a result).

    The worker folds repeated headers, all but Set-Cookie, into the last one; so does Azure.
    """
    kind = returned.WhichOneof("data") if returned is not None else None
    if kind is None:
        return Answer(204)
    if kind != "http":
        value = getattr(returned, kind)
        body = value if isinstance(value, bytes) else str(value).encode()
        return Answer(200, [("Content-Type", "text/plain; charset=utf-8")], body)
    return _of_http(returned.http)


def _of_http(http: Any) -> Answer:
    if http.body is None or http.body.WhichOneof("data") is None:
        return _as_an_object(http)
    headers: Headers = []
    for name, value in http.headers.items():
        if not value.isascii() or not value.isprintable():
            return Answer(500, headers)  # what was set before it stays
        headers.append((name, value))
    if any(name.lower() == "content-length" for name, _ in headers):
        # Where it is not the body's length, Kestrel lets no byte out; one that is right is refused here as well.
        return Answer(500, [("Connection", "close")])
    headers += [("Set-Cookie", _cookie(cookie)) for cookie in http.cookies or ()]
    return Answer(_status(http.status_code), headers, http.body.bytes)


def _status(said: Any) -> int:
    """Any number is taken, also one that is no status; what is none is 200."""
    try:
        return int(said)
    except (TypeError, ValueError):
        return 200


def _as_an_object(http: Any) -> Answer:
    """Without a body the answer itself is sent, as JSON. (Python's library always has one.)"""
    told = {
        "method": "", "query": {}, "statusCode": http.status_code, "headers": dict(http.headers),
        "enableContentNegotiation": False,
    }  # fmt: skip
    body = json.dumps(told, separators=(",", ":")).encode()
    return Answer(200, [("Content-Type", "text/plain; charset=utf-8")], body)


def _cookie(cookie: Any) -> str:
    """As ASP.NET writes it."""
    max_age, expires, domain = _value(cookie.max_age), _value(cookie.expires), _value(cookie.domain)
    parts = [f"{cookie.name}={cookie.value}"]
    if expires is not None:
        parts.append(f"expires={format_datetime(datetime.fromtimestamp(expires.seconds, UTC), usegmt=True)}")
    if max_age is not None:
        parts.append(f"max-age={int(max_age)}")
    if domain:
        parts.append(f"domain={domain}")
    parts.append(f"path={_value(cookie.path) or '/'}")
    if _value(cookie.secure):
        parts.append("secure")
    if cookie.same_site in SAME_SITE:
        parts.append(f"samesite={SAME_SITE[cookie.same_site]}")
    if _value(cookie.http_only):
        parts.append("httponly")
    return "; ".join(parts)


def _value(nullable: Any) -> Any:
    """The value in one of the Nullable messages, or None."""
    return getattr(nullable, "value", None)
