"""Our host does what the real one was seen to do: the same bytes in, the same told, the same answered."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.dev.functions_host.host_process import HostProcess, running
from tests.dev.functions_host.raw_http import exchange

HERE = Path(__file__).parent
CASES: list[dict[str, Any]] = json.loads((HERE / "as_seen.json").read_text())["cases"]
CUT = 300
WITH_A_BODY = "answer without a body"
"""Python's library always gives one; the answer to none is held in test_answers."""
ORDER_OF_A_MAP = {"answer header X-Bad", "answer header X-Uni"}
"""Which other headers are set when one cannot be hangs on the order in which a map is read."""


@pytest.fixture(scope="module")
def host() -> Iterator[HostProcess]:
    with running(HERE / "seen_app", extra=("--no-front-end",)) as host:
        yield host


@pytest.mark.parametrize("case", [case for case in CASES if case["case"] != WITH_A_BODY], ids=lambda case: case["case"])
def test_a_request_is_told_and_answered_as_on_the_real_host(host: HostProcess, case: dict[str, Any]) -> None:
    answer = exchange(host.client.base_url.port or 0, _sent(case["request"]))
    assert answer.status == case["status"]
    if "told" in case:
        assert _cut(json.loads(answer.body)) == case["told"]
        assert answer.header("connection") == ("close" if case["headers"] else None)
        return
    assert _compared(case, answer.headers) == _compared(case, [_split(line) for line in case["headers"]])
    assert len(answer.body) == case["body"]["bytes"]
    assert answer.body.decode("latin-1").startswith(case["body"]["latin1"])


def test_every_answer_names_the_server_and_the_time(host: HostProcess) -> None:
    for path in ("/api/echo?raw=x&h=Server=mine", "/api/echo?raw=x&h=Date=today", "/nothing"):
        answer = exchange(host.client.base_url.port or 0, f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert answer.header("server") == "Kestrel"
        assert (answer.header("date") or "").endswith("GMT")


def _sent(request: str | list[Any]) -> bytes:
    if isinstance(request, str):
        return request.encode("latin-1")
    begin, many, end = request
    return f"{begin}{'x' * many}{end}".encode("latin-1")


def _cut(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _cut(inner) for name, inner in value.items()}
    return value[:CUT] if isinstance(value, str) else value


def _split(line: str) -> tuple[str, str]:
    name, _, value = line.partition(": ")
    return name, value


def _compared(case: dict[str, Any], headers: list[tuple[str, str]]) -> set[tuple[str, str]]:
    """The headers that are compared: all, but for the time and what the function's library makes otherwise."""
    left_out = {"date", "server"} | ({"x-echo", "content-type"} if case["case"] in ORDER_OF_A_MAP else set())
    told = {(name.lower(), value) for name, value in headers if name.lower() not in left_out}
    # The library takes Set-Cookie apart, and hands over a cookie, which the host writes with a path.
    return {(name, value.removesuffix("; path=/") if name == "set-cookie" else value) for name, value in told}


def test_the_cases_are_all_there() -> None:
    assert len(CASES) == len({case["case"] for case in CASES}) == 129
