"""One address for the page and, under /api, the function app: in Azure a Static Web App does this.

Serves `web/` as it lies there, with the headers that `web/staticwebapp.config.json` sets in Azure, and passes /api on.
A body that came in chunks goes on in chunks: mending it would hide that the Functions host drops such bodies.
"""

import argparse
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from dev.stack import ROOT, Port, Stack

WEB = ROOT / "web"
_OURS = {"date", "server"}
"""Headers that this server writes itself."""
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "host", "content-length"}


class Page(StaticFiles):
    """The page's files with the headers they have in Azure; always revalidated, so that an edit shows at once."""

    def __init__(self, headers: dict[str, str]) -> None:
        super().__init__(directory=WEB, html=True)
        self.headers = headers

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(self.headers | {"Cache-Control": "no-cache"})
        return response


def application(stack: Stack) -> Starlette:
    functions = httpx.AsyncClient(base_url=stack.http(Port.FUNCTIONS), timeout=120)

    async def api(request: Request) -> Response:
        headers = [(k, v) for k, v in request.headers.raw if k.decode() not in _HOP_BY_HOP]
        if request.client:  # as every proxy does
            headers.append((b"x-forwarded-for", request.client.host.encode()))
        outgoing = functions.build_request(
            request.method,
            httpx.URL(path=request.url.path).copy_with(raw_path=_target(request)),
            headers=headers,
            content=request.stream() if "transfer-encoding" in request.headers else await request.body(),
        )
        try:
            answer = await functions.send(outgoing, stream=True)
        except httpx.HTTPError:
            return _away()
        passed = {k: v for k, v in answer.headers.items() if k not in _HOP_BY_HOP | _OURS}
        return StreamingResponse(
            answer.aiter_raw(), answer.status_code, passed, background=BackgroundTask(answer.aclose)
        )

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with functions:
            yield

    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    routes = [Route("/api/{path:path}", api, methods=methods), Mount("/", Page(_page_headers()))]
    return Starlette(routes=routes, lifespan=lifespan)


def _target(request: Request) -> bytes:
    """Path and query to the letter: decoding them here would change what the function app sees."""
    path: bytes = request.scope["raw_path"]
    query: bytes = request.scope["query_string"]
    return path + (b"?" + query if query else b"")


def _away() -> Response:
    """As a front end answers for an app without an instance (docs/errors.md): nothing of ours is in it."""
    return Response(status_code=503)


def _page_headers() -> dict[str, str]:
    headers: dict[str, str] = json.loads((WEB / "staticwebapp.config.json").read_text())["globalHeaders"]
    return headers


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m dev.front_door", description=__doc__)
    arguments.add_argument("--base", type=int, default=Stack.base, help="the stack's base port")
    arguments.add_argument("--home", type=Path, default=Stack.home, help="the stack's folder")
    given = arguments.parse_args()
    stack = Stack(given.base, given.home)
    uvicorn.run(
        application(stack), host="127.0.0.1", port=stack.port(Port.FRONT_DOOR), log_level="warning", access_log=False
    )


if __name__ == "__main__":
    main()
