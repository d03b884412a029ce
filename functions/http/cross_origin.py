"""CORS: only pages of the configured origins may call the API, and never with cookies."""

import azure.functions as func

_ORIGIN = "Access-Control-Allow-Origin"
_EXPOSED = (
    "ETag, Location, Retry-After, WWW-Authenticate, x-ms-correlation-request-id, x-ms-error-code, "
    "x-console-archive, x-console-offset-end, x-console-offset-next, x-console-offset-start, x-console-operation, "
    "x-console-records-behind, x-console-segment-next"
)
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match, If-None-Match, x-ms-correlation-request-id",
    "Access-Control-Max-Age": "600",
}


def is_preflight(req: func.HttpRequest) -> bool:
    return req.method == "OPTIONS" and "access-control-request-method" in req.headers


def listed(req: func.HttpRequest, origins: tuple[str, ...]) -> str | None:
    """Returns the origin of the request if it is a configured one, otherwise None."""
    origin = req.headers.get("origin")
    return origin if origin in origins else None


def allow(req: func.HttpRequest, response: func.HttpResponse, origins: tuple[str, ...]) -> func.HttpResponse:
    """Adds the headers that let a browser show the answer to a page of a configured origin."""
    if origins:
        response.headers["Vary"] = "Origin"
    if origin := listed(req, origins):
        response.headers[_ORIGIN] = origin
        response.headers["Access-Control-Expose-Headers"] = _EXPOSED
    return response
