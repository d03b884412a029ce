"""One address for the page and the API: it passes on what came, and mends nothing."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from dev import front_door
from dev.entra.listen import bind
from dev.stack import Port, Stack
from tests.dev.local_azure import served


async def told(request: Request) -> JSONResponse:
    """What the function app is told of a body."""
    names = ("transfer-encoding", "content-length")
    return JSONResponse({name: request.headers.get(name) for name in names} | {"body": (await request.body()).decode()})


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    at_functions = bind(0)
    stack = Stack(at_functions.getsockname()[1] - Port.FUNCTIONS, tmp_path)
    functions, at_page = Starlette(routes=[Route("/api/{path:path}", told, methods=["POST"])]), bind(0)
    door, address = front_door.application(stack), f"http://127.0.0.1:{at_page.getsockname()[1]}"
    async with (
        served(functions, at_functions),
        door.router.lifespan_context(door),
        served(door, at_page),
        httpx.AsyncClient(base_url=address) as client,
    ):
        yield client


async def test_a_body_with_a_length_goes_on_with_it(page: httpx.AsyncClient) -> None:
    said = (await page.post("/api/x", content=b"{}")).json()
    assert said == {"transfer-encoding": None, "content-length": "2", "body": "{}"}


async def test_a_body_in_chunks_goes_on_in_chunks(page: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"{"
        yield b"}"

    said = (await page.post("/api/x", content=chunks())).json()
    assert said == {"transfer-encoding": "chunked", "content-length": None, "body": "{}"}


async def test_where_no_function_app_listens_the_answer_holds_nothing_of_ours(tmp_path: Path) -> None:
    free = bind(0)
    stack = Stack(free.getsockname()[1] - Port.FUNCTIONS, tmp_path)
    free.close()
    door, at_page = front_door.application(stack), bind(0)
    address = f"http://127.0.0.1:{at_page.getsockname()[1]}"
    async with (
        door.router.lifespan_context(door),
        served(door, at_page),
        httpx.AsyncClient(base_url=address) as client,
    ):
        answer = await client.get("/api/health")
    assert (answer.status_code, answer.content) == (503, b"")
    assert "retry-after" not in answer.headers
    assert "x-ms-error-code" not in answer.headers
