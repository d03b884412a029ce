import json

import pytest

from dev.functions_host.answers import response
from dev.functions_host.http_answer import Answer, encoded
from dev.functions_host.http_head import Head
from dev.functions_host.messages import RpcHttp, TypedData

HEAD = Head("GET", "/", is_old=False, headers={})


def http(status: str, headers: dict[str, str], body: TypedData) -> Answer:
    return response(TypedData(http=RpcHttp(status_code=status, headers=headers, cookies=None, body=body)))


def test_an_answer_without_a_body_is_sent_as_the_object_it_is() -> None:
    answer = http("200", {"X-Echo": "1", "content-type": "application/json"}, TypedData())
    assert answer.headers == [("Content-Type", "text/plain; charset=utf-8")]
    assert json.loads(answer.body or b"")["headers"] == {"X-Echo": "1", "content-type": "application/json"}
    begin = b'{"method":"","query":{},"statusCode":"200","headers":{"X-Echo":"1","content-type":"application/json"},'
    assert (answer.body or b"").startswith(begin + b'"enableContentNego')


def test_a_function_without_a_result_is_204() -> None:
    assert response(None).status == 204


@pytest.mark.parametrize(("said", "status"), [("201", 201), ("20", 20), ("0", 0), ("abc", 200), ("", 200)])
def test_any_number_is_a_status(said: str, status: int) -> None:
    assert http(said, {}, TypedData(bytes=b"x")).status == status


def test_a_header_that_cannot_be_written_is_500_and_keeps_those_before_it() -> None:
    for value in ("a\r\nInjected: 1", "caf\u00e9"):
        answer = http("200", {"A": "1", "B": value, "C": "2"}, TypedData(bytes=b"x"))
        assert (answer.status, answer.headers, answer.body) == (500, [("A", "1")], None)


def test_an_empty_body_is_chunks_without_one() -> None:
    assert encoded(http("200", {}, TypedData(bytes=b"")), HEAD).endswith(b"\r\n\r\n0\r\n\r\n")
