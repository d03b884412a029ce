import concurrent.futures
import http.client
import re
import statistics
import time

import pytest

from dev.functions_host.http_triggers import BODY_LIMIT
from tests.dev.functions_host.host_process import HostProcess


def test_a_request_reaches_its_function_and_the_answer_comes_back(host: HostProcess) -> None:
    answer = host.client.post("/api/items/a%20b%252F?x=1&x=2&y=%C3%BC&z=", content=b"12345")
    assert answer.status_code == 201
    assert answer.headers["x-test"] == "1"
    assert answer.headers["content-type"] == "application/json"
    told = answer.json()
    assert told["id"] == "a b%2F"
    assert told["size"] == 5
    assert told["query"] == {"x": "1,2", "y": "ü", "z": ""}
    assert told["url"] == f"{host.client.base_url}/api/items/a%20b%252F?x=1&x=2&y=%C3%BC&z=".replace("//api", "/api")


def test_whom_the_host_sees_comes_last_whatever_a_client_claims(host: HostProcess) -> None:
    claimed = {"X-Forwarded-For": "203.0.113.7, 10.0.0.1", "Forwarded": "for=203.0.113.7"}
    told = host.client.post("/api/items/1", headers=claimed).json()["forwarded"]
    assert re.fullmatch(r"203\.0\.113\.7, 10\.0\.0\.1,127\.0\.0\.1:\d+", told)
    assert re.fullmatch(r"127\.0\.0\.1:\d+", host.post("items/1").json()["forwarded"])


def test_a_path_with_a_line_end_reaches_its_function_too(host: HostProcess) -> None:
    assert host.client.post("/api/items/a%0Ab").json()["id"] == "a\nb"


def test_every_cookie_arrives(host: HostProcess) -> None:
    cookies = host.post("items/1").headers.get_list("set-cookie")
    assert len(cookies) == 2
    for part in ("a=b", "HttpOnly", "SameSite=lax", "expires=Wed, 21 Oct 2099 07:28:00 GMT"):
        assert part in cookies[0]
    for part in ("c=d", "Path=/x", "Secure", "Max-Age=60"):
        assert part in cookies[1]


def test_the_method_chooses_among_functions_on_one_route(host: HostProcess) -> None:
    assert host.post("items/1").status_code == 201
    assert host.get("items/1").json() == {"item_id": "1"}


def test_a_literal_route_wins(host: HostProcess) -> None:
    assert host.get("items/special").text == "special"


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


def test_a_body_above_the_limit_is_refused(host: HostProcess) -> None:
    connection = http.client.HTTPConnection(str(host.client.base_url.host), host.client.base_url.port)
    connection.request("POST", "/api/items/1", headers={"Content-Length": str(BODY_LIMIT + 1)})
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (413, b"")
    connection.close()


def test_synchronous_functions_run_beside_each_other(host: HostProcess) -> None:
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        began = time.monotonic()
        ids = {answer.text for answer in threads.map(lambda _: host.get("sleepsync"), range(4))}
    assert len(ids) == 4
    assert time.monotonic() - began < 0.7  # four times 0.2 s one after the other, and a margin


def test_the_host_tells_its_state_and_its_functions(host: HostProcess) -> None:
    status = host.client.get("/admin/host/status").json()
    names = [function["name"] for function in host.client.get("/admin/functions").json()]
    assert status["state"] == "Running"
    assert status["functionCount"] == len(names)
    assert {"noop", "SampleLock", "ingest", "tick"} <= set(names)


def test_a_call_costs_little(host: HostProcess) -> None:
    connection = http.client.HTTPConnection(str(host.client.base_url.host), host.client.base_url.port)
    took = []
    for _ in range(200):
        began = time.perf_counter()
        connection.request("GET", "/api/noop")
        connection.getresponse().read()
        took.append(time.perf_counter() - began)
    connection.close()
    assert statistics.median(took) < 0.003  # 0.2 ms alone on the machine; this only notices a blunder
