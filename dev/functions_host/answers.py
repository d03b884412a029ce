"""What a function returned, as an HTTP response."""

from datetime import UTC, datetime
from typing import Any, Literal

from starlette.responses import Response

SAME_SITE: dict[int, Literal["lax", "strict", "none"]] = {1: "lax", 2: "strict", 3: "none"}
FRAMING = {"content-length", "transfer-encoding", "connection"}
"""The server's own to say."""


def response(returned: Any) -> Response:
    """The response to `returned`, TypedData or None (204, as Azure answers a function without a result).

    The worker folds repeated headers, all but Set-Cookie, into the last one; so does Azure.
    """
    kind = returned.WhichOneof("data") if returned is not None else None
    if kind is None:
        return Response(status_code=204)
    if kind != "http":
        return Response(getattr(returned, kind), media_type="text/plain")
    http = returned.http
    headers = {name: value for name, value in http.headers.items() if name.lower() not in FRAMING}
    answer = Response(http.body.bytes, int(http.status_code), headers)
    for cookie in http.cookies or ():
        _set_cookie(answer, cookie)
    return answer


def _set_cookie(answer: Response, cookie: Any) -> None:
    max_age, expires = _value(cookie.max_age), _value(cookie.expires)
    answer.set_cookie(
        cookie.name,
        cookie.value,
        max_age=None if max_age is None else int(max_age),
        expires=None if expires is None else datetime.fromtimestamp(expires.seconds, UTC),
        path=_value(cookie.path) or "/",
        domain=_value(cookie.domain),
        secure=bool(_value(cookie.secure)),
        httponly=bool(_value(cookie.http_only)),
        samesite=SAME_SITE.get(cookie.same_site),
    )


def _value(nullable: Any) -> Any:
    """The value in one of the Nullable messages, or None."""
    return getattr(nullable, "value", None)
