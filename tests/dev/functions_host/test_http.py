import concurrent.futures
import http.client
import json
import re
import socket
from pathlib import Path

import pytest

from dev.functions_host.http_server import BODY_LIMIT
from tests.dev.functions_host.host_process import HostProcess, running, until
from tests.dev.functions_host.raw_http import exchange
from tests.patience import PATIENCE


def test_a_request_reaches_its_function_and_the_answer_comes_back(host: HostProcess) -> None:
    answer = host.client.post("/api/items/a%20b%252F?x=1&x=2&y=%C3%BC&z=", content=b"12345")
    assert answer.status_code == 201
    assert answer.headers["x-test"] == "1"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["transfer-encoding"] == "chunked"
    assert "content-length" not in answer.headers
    told = answer.json()
    assert told["id"] == "a b%2F"
    assert told["size"] == 5
    assert told["query"] == {"x": "1,2", "y": "ü"}
    assert told["url"] == f"{host.client.base_url}/api/items/a%20b%2F?x=1&x=2&y=%C3%BC&z=".replace("//api", "/api")


def test_whom_the_host_sees_comes_last_whatever_a_client_claims(host: HostProcess) -> None:
    claimed = {"X-Forwarded-For": "203.0.113.7, 10.0.0.1", "Forwarded": "for=203.0.113.7"}
    told = host.client.post("/api/items/1", headers=claimed).json()["forwarded"]
    assert re.fullmatch(r"203\.0\.113\.7, 10\.0\.0\.1,127\.0\.0\.1:\d+", told)
    assert re.fullmatch(r"127\.0\.0\.1:\d+", host.post("items/1").json()["forwarded"])


def test_a_path_with_a_line_end_reaches_its_function_too(host: HostProcess) -> None:
    assert host.client.post("/api/items/a%0Ab").json()["id"] == "a\nb"


def test_every_cookie_arrives(host: HostProcess) -> None:
    cookies = host.post("items/1").headers.get_list("set-cookie")
    assert cookies == [
        "a=b; expires=Wed, 21 Oct 2099 07:28:00 GMT; path=/; samesite=lax; httponly",
        "c=d; max-age=60; path=/x; secure",
    ]


def test_the_method_chooses_among_functions_on_one_route(host: HostProcess) -> None:
    assert host.post("items/1").status_code == 201
    assert host.get("items/1").json() == {"item_id": "1"}


def test_the_function_whose_name_comes_first_wins(host: HostProcess) -> None:
    assert host.get("items/special").json() == {"item_id": "special"}


def test_a_catch_all_gets_the_rest(host: HostProcess) -> None:
    assert host.get("files/a/b").text == "a/b"
    assert host.get("files").text == "nothing"


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/nowhere"), ("PUT", "/api/items/1"), ("GET", "/noop")])
def test_what_no_function_takes_is_404_without_a_body(host: HostProcess, method: str, path: str) -> None:
    answer = host.client.request(method, path)
    assert (answer.status_code, answer.content) == (404, b"")


def test_a_function_that_raises_is_500_without_a_body_and_its_stack_is_logged(host: HostProcess) -> None:
    answer = host.client.get("/api/fail?secret=in-query", headers={"Authorization": "Bearer in-header"})
    assert (answer.status_code, answer.content) == (500, b"")
    assert "function fail failed: RuntimeError: nope" in host.log
    assert '      File "' in host.log
    assert "in fail" in host.log


def test_bodies_queries_and_headers_never_reach_the_log(host: HostProcess) -> None:
    host.client.post(
        "/api/items/1?q=secret-query", content=b"secret-body", headers={"Authorization": "Bearer secret-header"}
    )
    assert "POST /api/items/1 -> 201" in host.log
    assert "secret-" not in host.log


def test_a_function_that_is_not_anonymous_wants_the_key(host: HostProcess) -> None:
    refused = host.get("guarded")
    assert (refused.status_code, refused.content) == (401, b"")
    assert host.get("guarded", headers={"x-functions-key": "wrong"}).status_code == 401
    assert host.get("guarded", headers={"x-functions-key": "open sesame"}).text == "in"
    assert host.get("guarded", params={"code": "open sesame"}).text == "in"


def test_a_body_above_the_limit_is_500(host: HostProcess) -> None:
    connection = http.client.HTTPConnection(str(host.client.base_url.host), host.client.base_url.port)
    connection.request("POST", "/api/items/1", headers={"Content-Length": str(BODY_LIMIT + 1)})
    answer = connection.getresponse()
    assert (answer.status, answer.read(), answer.headers["connection"]) == (500, b"", "close")
    connection.close()


def test_a_body_in_chunks_never_arrives_and_the_connection_goes_on(host: HostProcess) -> None:
    chunks = host.client.post("/api/items/1", content=iter([b"a" * 100_000, b"b"]))
    assert chunks.json()["size"] == 0
    assert host.client.post("/api/items/1", content=b"ab").json()["size"] == 2


def test_what_is_no_request_is_refused_and_ends_the_connection(host: HostProcess) -> None:
    port = host.client.base_url.port or 0
    lines = b"GET /api/noop HTTP/1.1\r\nHost: a\r\n"
    for bad in (
        b"nonsense\r\n\r\n",
        lines + b"Host: b\r\n\r\n",
        lines + b"X : 1\r\n\r\n",
        lines + b"X: a\nY: b\r\n\r\n",
        lines + b"X: 1\r\n folded\r\n\r\n",
        lines + b"Content-Length: +1\r\n\r\n",
        lines + b"Content-Length: 1,1\r\n\r\n",
        lines + b"Transfer-Encoding: gzip\r\n\r\n",
        lines.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n",
    ):
        answer = exchange(port, bad)
        assert (answer.status, answer.header("connection")) == ("400 Bad Request", "close"), bad


def test_http_1_0_gets_no_chunks(host: HostProcess) -> None:
    answer = exchange(host.client.base_url.port or 0, b"GET /api/noop HTTP/1.0\r\nHost: a\r\n\r\n")
    assert (answer.status, answer.header("transfer-encoding"), answer.header("connection")) == ("200 OK", None, "close")


def test_requests_on_one_connection_are_answered_in_order(host: HostProcess) -> None:
    request = b"GET /api/slow?seconds=%d HTTP/1.1\r\nHost: a\r\n\r\n"
    with socket.create_connection(("127.0.0.1", host.client.base_url.port or 0), PATIENCE) as connection:
        connection.sendall(request % 0 + b"GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        answers = connection.makefile("rb").read()
    assert [line for line in answers.split(b"\r\n") if line.startswith(b"HTTP")] == [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 404 Not Found",
    ]


def test_a_client_that_goes_away_does_not_end_its_function(host: HostProcess) -> None:
    before = host.seen().count({"slow": "ended"})
    with socket.create_connection(("127.0.0.1", host.client.base_url.port or 0), PATIENCE) as connection:
        connection.sendall(b"GET /api/slow?seconds=0.3 HTTP/1.1\r\nHost: a\r\n\r\n")
    until(lambda: host.seen().count({"slow": "ended"}) == before + 1, host)


def test_the_home_page_can_be_switched_off(tmp_path: Path) -> None:
    with running(settings={"AzureWebJobsDisableHomepage": "true"}) as off:
        answer = exchange(off.client.base_url.port or 0, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (answer.status, answer.body) == ("204 No Content", b"")


def test_headers_of_the_host_file_are_on_every_answer_that_has_not_set_them(app: Path) -> None:
    told = json.loads((app / "host.json").read_text())
    told["extensions"]["http"]["customHeaders"] = {"X-Content-Type-Options": "nosniff", "x-test": "host's"}
    (app / "host.json").write_text(json.dumps(told))
    with running(app) as host:
        for path, status in (("noop", 200), ("nowhere", 404), ("guarded", 401), ("fail", 500)):
            answer = host.get(path)
            assert (answer.status_code, answer.headers["x-content-type-options"]) == (status, "nosniff")
            assert answer.headers["x-test"] == "host's"
        assert host.post("items/1").headers["x-test"] == "1"
        assert host.client.get("/admin/host/status").headers["x-content-type-options"] == "nosniff"


def test_synchronous_functions_run_beside_each_other(host: HostProcess) -> None:
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: host.get("sleepsync"), range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4, "each waits until all four are there"
    assert len({answer.text for answer in answers}) == 4


def test_the_host_tells_its_state_and_its_functions(host: HostProcess) -> None:
    assert host.client.get("/admin/host/status").status_code == 401
    assert host.client.get("/runtime/webhooks/durabletask/instances").headers["www-authenticate"] == "Bearer"
    key = {"x-functions-key": "open sesame"}
    status = host.client.get("/admin/host/status", headers=key).json()
    names = [function["name"] for function in host.client.get("/admin/functions", headers=key).json()]
    assert status["state"] == "Running"
    assert status["functionCount"] == len(names)
    assert {"noop", "SampleLock", "ingest", "tick"} <= set(names)
