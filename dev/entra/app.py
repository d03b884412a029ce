"""The routes, and what every answer has in common."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from dev.entra import admin, metadata, sign_in_page
from dev.entra.authorize import authorize, sign_in, sign_out
from dev.entra.grants import Grants
from dev.entra.issuer import Issuer
from dev.entra.listen import RequestLog
from dev.entra.parts import equip
from dev.entra.refusals import RefusedError
from dev.entra.token_endpoint import token

_BROWSER_ORIGINS = r"http://(localhost|127\.0\.0\.1)(:\d{1,5})?"
_PAGES = frozenset({"authorize", "login", "logout"})


def build(issuer: Issuer, grants: Grants | None = None) -> Starlette:
    """Compose the application; both of its ports serve the same one, so a code from one is good at the other."""
    oauth = "/{tenant}/oauth2/v2.0"
    app = Starlette(
        routes=[
            Route("/healthz", _healthy),
            *admin.ROUTES,
            Route("/common/discovery/instance", metadata.instances),
            Route("/{tenant}/v2.0/.well-known/openid-configuration", metadata.configuration),
            Route("/{tenant}/discovery/v2.0/keys", metadata.keys),
            Route(f"{oauth}/authorize", authorize, methods=["GET", "POST"]),
            Route("/{tenant}/login", sign_in, methods=["POST"]),
            Route(f"{oauth}/token", token, methods=["POST"]),
            Route(f"{oauth}/logout", sign_out),
            Mount("/assets", StaticFiles(directory=sign_in_page.FOLDER / "assets")),
        ],
        middleware=[
            Middleware(RequestLog, part="entra"),
            # A web page elsewhere may not reach in under a name of its own that points to 127.0.0.1.
            Middleware(TrustedHostMiddleware, allowed_hosts=["localhost", "127.0.0.1"]),
            Middleware(
                CORSMiddleware, allow_origin_regex=_BROWSER_ORIGINS, allow_methods=["GET", "POST"], allow_headers=["*"]
            ),
        ],
        exception_handlers={RefusedError: _refused},
    )
    equip(app, issuer, grants or Grants(issuer.clock))
    return app


async def _healthy(_: Request) -> Response:
    return JSONResponse({"status": "ok", "standIn": "Microsoft Entra ID"})


def _refused(request: Request, refusal: Exception) -> Response:
    """Tell a person on a page, a program in JSON."""
    if not isinstance(refusal, RefusedError):
        raise refusal
    body = refusal.body(request.headers.get("client-request-id"))
    if request.url.path.rsplit("/", 1)[-1] in _PAGES:
        return sign_in_page.refused(str(body["error_description"]), refusal.status)
    return JSONResponse(body, refusal.status, headers={"Cache-Control": "no-store"})
