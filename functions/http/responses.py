"""Results and refusals as HTTP: the error envelope of Azure Resource Manager, and the headers of every answer."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import azure.functions as func

from shared.base.refusals import Refusal

HELP = "https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/serial-console-overview"
SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Headers of every answer. No answer is a page, and none may be cached: answers carry tokens and names.

`customHeaders` in host.json has the same ones, which the host adds to its own answers (Azure/azure-functions-host,
CustomHttpHeadersMiddleware: where the function has not set them)."""
ANSWER_BYTES = 4 << 20
"""No answer is longer: the host holds all of it in memory, about ten times its size, before the first byte leaves (seen
on host 4.1037: 200 MB took 2 GB and 20 s)."""
CORRELATION = "x-ms-correlation-request-id"
INTERNAL_ERROR = "InternalError"


def result(
    value: Any, correlation: str, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> func.HttpResponse:
    """Makes a JSON answer; a value of None has no body. Raises AnswerTooLong."""
    return func.HttpResponse(
        b"" if value is None else bounded(json.dumps(value, ensure_ascii=False).encode()),
        status_code=status,
        mimetype="application/json",
        charset="utf-8",
        headers={**SECURITY_HEADERS, CORRELATION: correlation, **(headers or {})},
    )


class AnswerTooLong(Exception):
    """An answer is longer than ANSWER_BYTES. The host would need ten times its size in memory."""


def bounded(body: bytes) -> bytes:
    """Returns the body if it has at most ANSWER_BYTES. Raises AnswerTooLong."""
    if len(body) > ANSWER_BYTES:
        raise AnswerTooLong(f"{len(body)} bytes")
    return body


def refused(refusal: Refusal, correlation: str, challenge: str = "") -> func.HttpResponse:
    """Makes the error envelope of docs/errors.md. `challenge` is the WWW-Authenticate value of a 401."""
    headers = {"x-ms-error-code": refusal.code.value}
    if refusal.retry_after is not None:
        headers["Retry-After"] = str(refusal.retry_after)
    if refusal.status == UNAUTHORIZED:
        headers["WWW-Authenticate"] = challenge + _challenge_error(refusal)
    return result({"error": _error(refusal, correlation)}, correlation, status=refusal.status, headers=headers)


UNAUTHORIZED = 401


def broken(correlation: str) -> func.HttpResponse:
    """Makes the answer to an unexpected exception. It holds only the correlation id, which finds the log entry."""
    error: dict[str, Any] = {
        "code": INTERNAL_ERROR,
        "message": "The service failed. Its log knows this request by its correlation id.",
        "target": None,
        "details": [],
        "innererror": _inner("Retry; if it lasts, report the correlation id.", None, None, correlation),
    }
    return result({"error": error}, correlation, status=500, headers={"x-ms-error-code": INTERNAL_ERROR})


def challenge(authority: str, client: str) -> str:
    """Returns the value of WWW-Authenticate in the form of Azure's own services."""
    return f'Bearer realm="", authorization_uri="{authority}/common/oauth2/authorize", client_id="{client}"'


def _challenge_error(refusal: Refusal) -> str:
    if refusal.claims is None:
        return ', error="invalid_token"'
    claims = base64.b64encode(refusal.claims.encode()).decode()
    return f', error="insufficient_claims", claims="{claims}"'


def _error(refusal: Refusal, correlation: str) -> dict[str, Any]:
    return {
        **_brief(refusal),
        "details": [_brief(each) for each in refusal.details],
        "innererror": _inner(refusal.fix, refusal.fix_command, refusal.retry_after, correlation),
    }


def _brief(refusal: Refusal) -> dict[str, Any]:
    return {"code": refusal.code.value, "message": refusal.message, "target": refusal.target}


def _inner(fix: str, command: str | None, retry_after: int | None, correlation: str) -> dict[str, Any]:
    return {
        "fix": fix,
        "fixCommand": command,
        "helpUrl": HELP,
        "retryable": retry_after is not None,
        "retryAfterSeconds": retry_after,
        "correlationId": correlation,
    }


_LAST_SECOND = 253_402_300_799
"""The last second of the year 9999."""


def time_text(seconds: float | None) -> str | None:
    """Returns seconds since 1970 as ISO 8601 in UTC; later than the year 9999 becomes its last second."""
    if seconds is None:
        return None
    return (
        datetime.fromtimestamp(min(seconds, _LAST_SECOND), UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )
