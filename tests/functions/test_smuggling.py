"""Requests that two readers may read differently: a header twice, a body in other clothes, a field that hides."""

import gzip
import json
import uuid

import pytest

from dev.demo import ADA, GRACE, group
from dev.entra.tokens import user_token
from tests.dev.functions_host.host_process import until
from tests.functions.control_plane import ControlPlane
from tests.functions.raw_requests import received, sent

VM = f"/api{group('rg-web')}/providers/Microsoft.Compute/virtualMachines/web-01"
CONSOLE = f"{VM}/serialConsole"
SESSIONS = f"{CONSOLE}/sessions"
POLICY = f"{CONSOLE}/policy"
PORT = f"{VM}/providers/Microsoft.SerialConsole/serialPorts/0"
JSON = b"Content-Type: application/json"


@pytest.fixture(scope="module")
def adas(plane: ControlPlane) -> bytes:
    """Ada's Authorization header."""
    return f"Authorization: Bearer {user_token(plane.stack, ADA)}".encode()


def test_two_tokens_are_no_token(plane: ControlPlane, adas: bytes) -> None:
    graces = f"Authorization: Bearer {user_token(plane.stack, GRACE)}".encode()
    for lines in ([adas, graces], [graces, adas], [adas, adas], [adas, b"authorization: "], [b"Authorization:", adas]):
        answer = sent(plane, CONSOLE.encode(), lines)
        assert (answer.status, answer.code) == (401, "CallerNotAuthenticated")


@pytest.mark.parametrize(
    "value",
    [b"", b"Bearer", b"Bearer ", b"Basic YTpi", b"Bearer a b", b"Bearer\ta", b"Bearer null",
     b"Bearer " + b"a" * 20000, b"Bearer e30.e30.", b"Bearer ..", b"Bearer e30.e30.e30.e30.e30"],
)  # fmt: skip
def test_what_is_no_token_is_401_and_a_challenge(plane: ControlPlane, value: bytes) -> None:
    answer = sent(plane, CONSOLE.encode(), [b"Authorization: " + value])
    assert (answer.status, answer.code) == (401, "CallerNotAuthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer ")


@pytest.mark.parametrize(
    "line",
    [b"X-MS-CLIENT-PRINCIPAL: e30=", b"X-MS-CLIENT-PRINCIPAL-ID: 0a0c0000-0000-4000-8000-000000000001",
     b"X-MS-TOKEN-AAD-ID-TOKEN: x", b"x-functions-key: x", b"Cookie: AppServiceAuthSession=x",
     b"X-Forwarded-User: ada"],
)  # fmt: skip
def test_nothing_but_a_token_says_who_asks(plane: ControlPlane, line: bytes) -> None:
    assert sent(plane, CONSOLE.encode(), [line]).code == "CallerNotAuthenticated"


def test_a_method_is_the_one_of_the_first_line(plane: ControlPlane, adas: bytes) -> None:
    override = [adas, b"X-HTTP-Method-Override: POST", b"X-HTTP-Method: POST", b"X-Method-Override: POST"]
    assert "value" in sent(plane, SESSIONS.encode(), override).json
    for method in (b"PATCH", b"PUT", b"TRACE", b"CONNECT", b"PROPFIND"):
        assert sent(plane, SESSIONS.encode(), [adas], method=method).status in (400, 404)


@pytest.mark.parametrize(
    "lines",
    [
        [b"X-A: b\r\n folded"], [b"X-A: \xff"], [b"Authorization: Bearer \xc5\xbf"], [b"X-A: b\x00c"],
        [b"X-A: b\nAuthorization: Bearer x"], [b"X-A : b"], [b": x"],
        [b"Content-Length: 5", b"Content-Length: 6"], [b"Content-Length: -1"], [b"Content-Length: 0x5"],
        [b"Transfer-Encoding: chunked", b"Content-Length: 5"], [b"Transfer-Encoding: xchunked"],
    ],
)  # fmt: skip
def test_a_head_that_two_readers_may_read_differently_opens_nothing(plane: ControlPlane, lines: list[bytes]) -> None:
    """Nobody is signed in here: all that may come is a refusal, and one only."""
    answer = received(
        plane,
        b"\r\n".join([b"POST " + SESSIONS.encode() + b" HTTP/1.1", b"Host: localhost", b"Connection: close", *lines])
        + b"\r\n\r\n0\r\n\r\nGET /api/consoles HTTP/1.1\r\nHost: localhost\r\n\r\n",
    )
    assert answer.status in (400, 401)


@pytest.mark.parametrize(
    "line",
    [b'If-Match: "x"', b"If-Match: *", b'If-Match: "W/x"', b'If-Match: "%00"', b'If-Match: "%ff%0d%0aX: y"',
     b'If-Match: "%E2%84%AA"', b"If-Match: " + b"a" * 9000, b'If-Match: ""', b'If-None-Match: "x"',
     b'If-Match: W/"datetime\'2020-01-01T00%3A00%3A00.0000000Z\'"', b'If-Match: "a", "b"'],
)  # fmt: skip
def test_a_condition_that_does_not_hold_changes_nothing(plane: ControlPlane, adas: bytes, line: bytes) -> None:
    for _ in ("no policy is there yet", "one is"):
        before = sent(plane, POLICY.encode(), [adas]).json
        answer = sent(plane, POLICY.encode(), [adas, JSON, line], method=b"PUT", body=b'{"reason":true}')
        assert (answer.status, answer.code) in ((400, "InvalidRequest"), (412, "PolicyChanged")), answer
        assert sent(plane, POLICY.encode(), [adas]).json == before
        sent(plane, POLICY.encode(), [adas, JSON], method=b"PUT", body=b"{}")
    assert sent(plane, POLICY.encode(), [adas], method=b"DELETE").status == 204


def test_a_claimed_address_is_not_believed_before_that_of_the_front_end(plane: ControlPlane, adas: bytes) -> None:
    mine = str(uuid.uuid4())
    lines = [b"X-Forwarded-For: 192.0.2.1", b"X-Forwarded-For: 203.0.113.9:80", b"X-Real-IP: 192.0.2.2", adas]
    sent(plane, CONSOLE.encode(), [*lines, f"x-ms-correlation-request-id: {mine}".encode()])
    until(lambda: mine in plane.host.log, plane.host)
    (line,) = (line for line in plane.host.lines if mine in line)
    assert json.loads(line.partition("serial_console.audit ")[2])["address"] == "203.0.113.9"


def test_an_id_that_is_sent_twice_is_replaced(plane: ControlPlane) -> None:
    one = f"x-ms-correlation-request-id: {uuid.uuid4()}".encode()
    answered = sent(plane, CONSOLE.encode(), [one, one]).headers["x-ms-correlation-request-id"]
    assert answered not in one.decode()


DEEP = b'{"reason":' * 9000


@pytest.mark.parametrize(
    ("lines", "body"),
    [
        ([JSON], b"\xef\xbb\xbf{}"), ([JSON], "{}".encode("utf-16")), ([JSON], b'{"mode":NaN}'), ([JSON], DEEP[:16000]),
        ([JSON], b"[" * 16000), ([JSON], b'{"reason":-Infinity}'), ([JSON], b'{"reason":' + b"9" * 9000 + b"}"),
        ([JSON], b'{"reason":"\\ud800"}'), ([JSON], b'{"reason":"\\u0000"}'), ([JSON], b'{"reason":"\xed\xa0\x80"}'),
        ([JSON], b'{"mode":"watch","mode":"write"}'), ([JSON], b'{"mode":"watch","m\\u006fde":"write"}'),
        ([JSON], b'{"Mode":"watch"}'), ([JSON], b'{"__proto__":{}}'), ([JSON], b'{"mode":["write"]}'), ([JSON],
        b"{}{}"),
        ([JSON], b'{"mode":{"$ne":1}}'), ([JSON], b"null"), ([JSON], b'""'), ([JSON], b" "), ([JSON], b"{'mode':1}"),
        ([JSON, b"Content-Encoding: gzip"], gzip.compress(b"{}", mtime=0)),
        ([], b"{}"), ([b"Content-Type: text/json"], b"{}"),
        ([b"Content-Type: application/x-www-form-urlencoded"], b"mode=watch"), ([JSON,
        b"Content-Type: text/plain"], b"{}"),
        ([b"Content-Type: multipart/form-data; boundary=x"], b"--x--"), ([b"Content-Type: application/jsonp"], b"{}"),
    ],
)  # fmt: skip
def test_a_body_that_two_readers_may_read_differently_is_refused(
    plane: ControlPlane, adas: bytes, lines: list[bytes], body: bytes
) -> None:
    answer = sent(plane, SESSIONS.encode(), [adas, *lines], method=b"POST", body=body)
    assert (answer.status, answer.code) == (400, "InvalidRequest"), answer


@pytest.mark.parametrize("length", [b"", b"Content-Length: 16\r\n"])
def test_a_body_in_chunks_is_never_one_that_says_nothing(plane: ControlPlane, adas: bytes, length: bytes) -> None:
    """It said watch; lost, it would write and displace whoever is there."""
    head = b"POST " + SESSIONS.encode() + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    chunks = JSON + b"\r\n" + length + b"Transfer-Encoding: chunked\r\n\r\n10\r\n" + b'{"mode":"watch"}\r\n0\r\n\r\n'
    answer = received(plane, head + adas + b"\r\n" + chunks)
    assert (answer.status, answer.code) == (400, "InvalidRequest")
    assert "Content-Length" in answer.json["error"]["message"]


@pytest.mark.parametrize(
    "policy",
    [
        b'{"tags":{"\\u0000":["a"]}}', b'{"tags":{"a":["\\ud800"]}}', b'{"tags":{"\\udfff":[]}}',
        b'{"tickets":["\\ud800"]}',
        b'{"tags":{"a":["x"],"a":[]}}', b'{"networks":["0.0.0.0/0 "]}', b'{"networks":["1"]}',
        b'{"approvalSeconds":6e1}',
        b'{"approvalSeconds":1e999}', b'{"regions":[[]]}', b'{"signIn":{"write":"c1\\n"}}', b'{"console":null}',
        b'{"regions":["\\ud83d"]}', b'{"":1}',
    ],
)  # fmt: skip
def test_a_policy_that_could_not_be_kept_is_refused(plane: ControlPlane, adas: bytes, policy: bytes) -> None:
    answer = sent(plane, POLICY.encode(), [adas, JSON], method=b"PUT", body=policy)
    assert (answer.status, answer.code) == (400, "InvalidRequest"), answer
    assert sent(plane, POLICY.encode(), [adas]).json["policy"] is None


@pytest.mark.parametrize("keys", ["", "b" * 17, "b\\n", "b c", "\\u0661", "\\u212a", "b;c", "\\u0000", "../b"])
def test_keys_are_letters_and_digits(plane: ControlPlane, adas: bytes, keys: str) -> None:
    plane.relay.told.clear()
    answer = sent(
        plane, f"{CONSOLE}/sysrq".encode(), [adas, JSON], method=b"POST", body=f'{{"keys":"{keys}"}}'.encode()
    )
    assert (answer.status, answer.code) == (400, "InvalidRequest")
    assert "keys" in answer.json["error"]["message"]
    assert not plane.relay.told


@pytest.mark.parametrize("target", [SESSIONS, f"{CONSOLE}/restart", POLICY, f"{CONSOLE}/approvals", PORT])
def test_a_large_body_is_refused_whatever_is_in_it(plane: ControlPlane, adas: bytes, target: str) -> None:
    body = b'{"reason":"' + b"a" * (64 * 1024) + b'"}'
    method = b"PUT" if target in (POLICY, PORT) else b"POST"
    answer = sent(plane, target.encode(), [adas, JSON], method=method, body=body)
    assert (answer.status, answer.code) == (413, "RequestTooLarge")
