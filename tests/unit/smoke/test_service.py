"""The API as the smoke test meets it, also where the Functions host answers instead of the service."""

import ssl
from collections.abc import Callable

import httpx
import pytest

from smoke import service


@pytest.mark.parametrize(
    ("method", "status", "ours", "asked"),
    [
        ("GET", 429, False, 2), ("GET", 500, False, 2), ("GET", 503, False, 2), ("GET", 503, True, 1),
        ("GET", 404, False, 1), ("POST", 429, False, 2), ("POST", 500, False, 1), ("POST", 429, True, 1),
    ],
)  # fmt: skip
def test_what_the_host_answers_in_passing_is_asked_again_where_that_is_safe(
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    status: int,
    ours: bool,  # noqa: FBT001 - a column of the table
    asked: int,
) -> None:
    monkeypatch.setattr(service, "_WAITS", (0.0, 0.0, 0.0))
    heard: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        heard.append(request)
        headers = {"x-ms-error-code": "X"} if ours else {}
        return httpx.Response(status, headers=headers) if len(heard) == 1 else httpx.Response(200)

    with api(answer) as made:
        made.ask(method, "/x")
    assert len(heard) == asked


def test_what_comes_while_the_host_starts_is_sent_again_for_no_function_has_seen_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service, "_WAITS", (0.0, 0.0, 0.0))
    answers = [httpx.Response(503, text="Function host is not running."), httpx.Response(201)]
    with api(lambda _: answers.pop(0)) as made:
        assert made.ask("POST", "/x").status_code == 201


def test_a_list_is_read_to_its_last_page() -> None:
    pages = {None: ([1, 2], "/a b"), "/a b": ([], "c"), "c": ([3], None)}

    def answer(request: httpx.Request) -> httpx.Response:
        value, more = pages[request.url.params.get("cursor")]
        return httpx.Response(200, json={"value": value, "next": more})

    with api(answer) as made:
        assert made.get_list("/x") == [1, 2, 3]


def api(answer: Callable[[httpx.Request], httpx.Response]) -> service.Api:
    made = service.Api("http://app.example/api", ssl.create_default_context(), 1)
    made._http.close()
    made._http = httpx.Client(transport=httpx.MockTransport(answer))
    return made
