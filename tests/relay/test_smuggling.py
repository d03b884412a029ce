"""Requests and frames that two readers may read differently: the relay reads them strictly, or not at all."""

from collections.abc import AsyncIterator

import pytest

from relay.console import viewer
from shared.access.compatibility import Compatibility
from shared.console.frames import PROTOCOL, TOKEN_PREFIX
from tests.relay.raw_visits import opened, sends, status, untouched, upgrade
from tests.relay.stage import PAGE, Stage, staged


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """Both dialects are open: what one refuses, the other must."""
    async with staged(compatibility=Compatibility.OLDER) as running:
        yield running


async def test_the_request_that_the_others_bend_is_a_good_one(stage: Stage) -> None:
    async with opened(stage, upgrade(stage)) as (reader, _):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
    await stage.until(lambda: stage.control_plane.detached)


@pytest.mark.parametrize(
    "line",
    [
        "Host: relay", "Host: evil", "hOST: evil", f"Origin: {PAGE}", "Origin: http://evil", "Origin:",
        f"Sec-WebSocket-Protocol: {PROTOCOL}", "Sec-WebSocket-Protocol: x", f"Sec-WebSocket-Protocol: {TOKEN_PREFIX}x",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8",
        "Content-Length: 5", "Content-Length: 0x0", "Content-Length: -1", "Content-Length: +0", "Content-Length: 0, 0",
        "Transfer-Encoding: chunked", "Transfer-Encoding: identity", "Transfer-Encoding:",
        "Transfer-Encoding: xchunked",
        " folded: on", "\tfolded", " ", "X-A: b\r\n continued", "Origin : http://page", "Origin\t: http://page",
        ": nameless", "no colon", "X\x00Y: z", "X-A: b\x00c", "X-A: b\rX-B: c",
        "X-A: b\nOrigin: http://evil", "X\x0b: y",
        "X-A: \x7f", "X-A: \x1b[2J", "Käse: x", "X(Y): z",
    ],
)  # fmt: skip
async def test_a_head_that_two_readers_may_read_differently_is_refused(stage: Stage, line: str) -> None:
    assert status(await sends(stage, upgrade(stage, line))) == (400, "InvalidRequest")
    assert untouched(stage)


async def test_a_body_is_not_taken_for_frames(stage: Stage) -> None:
    typed = b"\x82\x82\x00\x00\x00\x00rm"
    for lines in (
        ["Content-Length: 8"],
        ["Transfer-Encoding: chunked"],
        ["Content-Length: 8", "Transfer-Encoding: chunked"],
    ):
        assert status(await sends(stage, upgrade(stage, *lines) + typed)) == (400, "InvalidRequest")
    assert untouched(stage)


@pytest.mark.parametrize("name", ["Host", "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version"])
async def test_a_head_that_lacks_what_an_upgrade_needs_is_refused(stage: Stage, name: str) -> None:
    assert status(await sends(stage, upgrade(stage, changes={name: None}))) == (400, "InvalidRequest")
    assert status(await sends(stage, upgrade(stage, changes={name: ""}))) == (400, "InvalidRequest")
    assert untouched(stage)


@pytest.mark.parametrize(
    "protocols", [f"{PROTOCOL}, {PROTOCOL}, {{}}", f"{PROTOCOL}, {{}}, {{}}", "{}", PROTOCOL, "{}, x"]
)
async def test_the_subprotocols_are_said_once_each(stage: Stage, protocols: str) -> None:
    token = TOKEN_PREFIX + stage.token()
    answer = status(await sends(stage, upgrade(stage, protocols=protocols.replace("{}", token))))
    assert answer in ((400, "InvalidRequest"), (401, "TokenInvalid"))
    assert untouched(stage)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("http://relay/v1/console", 400), ("ws://relay/v1/console", 400), ("relay:443", 400), ("*", 400),
        ("v1/console", 400),
        ("//evil/v1/console", 404), ("/v1/%63onsole", 404), ("/v1/%2e%2e/v1/console", 404), ("/v1/../v1/console", 404),
        ("/v1/./console", 404), ("/v1//console", 404), ("/v1/console/", 404), ("/v1/console%00", 404),
        ("/V1/console", 404),
        ("/v1/console;x=1", 404), ("/v1/console#", 404), ("/v1\\console", 404), ("/v1/console%3fepoch=e", 404),
        ("/v1/cons\tole", 400), ("/v1/cons\x00ole", 400), ("/v1/console\n", 400), ("/v1/cönsole", 400),
        ("/v1/console HTTP/1.1 /x", 400), ("/control/end", 404), ("/healthz", 404), ("/metrics", 404),
    ],
)  # fmt: skip
async def test_an_address_is_read_as_it_stands(stage: Stage, target: str, expected: int) -> None:
    answer = status(await sends(stage, upgrade(stage, target=target)))
    assert answer == (expected, {400: "InvalidRequest", 404: "NotFound"}[expected])
    assert untouched(stage)


@pytest.mark.parametrize(
    "request_line",
    ["GET /v1/console HTTP/1.0", "GET /v1/console HTTP/2.0", "PRI * HTTP/2.0", "GET  /v1/console HTTP/1.1", ""],
)
async def test_a_request_line_of_another_protocol_is_refused(stage: Stage, request_line: str) -> None:
    _, rest = upgrade(stage).split(b"\r\n", 1)
    assert status(await sends(stage, request_line.encode() + b"\r\n" + rest)) == (400, "InvalidRequest")


@pytest.mark.parametrize("method", ["POST", "CONNECT", "OPTIONS", "get", "TRACE"])
async def test_only_get_upgrades(stage: Stage, method: str) -> None:
    assert status(await sends(stage, upgrade(stage).replace(b"GET", method.encode(), 1))) == (400, "InvalidRequest")
    assert untouched(stage)


async def test_very_long_heads_are_cut_off(stage: Stage) -> None:
    for request in (
        upgrade(stage, "X-Long: " + "x" * 17_000), upgrade(stage, *(f"X-{n}: {n}" for n in range(3000))),
        upgrade(stage, target="/v1/console?" + "x" * 17_000), b"GET /" + b"x" * 100_000, b"\r\n" * 9000 + b"x",
    ):  # fmt: skip
        answer = await sends(stage, request)
        assert not answer or status(answer) == (400, "InvalidRequest")
    assert untouched(stage)


async def test_a_second_request_behind_a_refused_one_is_not_read(stage: Stage) -> None:
    for first in (
        upgrade(stage, target="/"), upgrade(stage, changes={"Origin": "http://evil"}), upgrade(stage, "no colon"),
        upgrade(stage, protocols="x"), b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    ):  # fmt: skip
        status(await sends(stage, first + upgrade(stage)))  # one answer, and the end
    assert untouched(stage)


async def test_a_second_request_behind_a_good_one_is_no_request(stage: Stage) -> None:
    """Bytes behind the head are frames, and an unmasked one is a fault of the protocol."""
    answer = await sends(stage, upgrade(stage) + upgrade(stage, token=stage.token("bob")))
    assert answer.count(b"HTTP/1.1 ") == 1
    assert [grant.session for grant in stage.control_plane.attached] == ["ada"]
    assert not stage.ports.last.typed
    await stage.until(lambda: stage.control_plane.detached)


FRAMES = [
    (b"\x82\x02ls", 1002), (b"\xc2\x82____ls", 1002), (b"\xa2\x82____ls", 1002), (b"\x92\x82____ls", 1002),
    (b"\x83\x82____ls", 1002), (b"\x09\x80____", 1002), (b"\x89\xfe\x00\x7e____" + b"x" * 126, 1002),
    (b"\x80\x82____ls", 1002), (b"\x82\xff" + b"\xff" * 8 + b"____", 1002), (b"\x8b\x80____", 1002),
    (b"\x88\x81____\x03", 1002), (b"\x88\x82____\x5f\x5f", 1000), (b"\x88\x82____" + b"\x5c\xb2", 1002),
    (b"\x01\x81____l\x81\x81____s", 1002),
    (b"\x82\xff\x00\x00\x00\x00\x00\x01\x00\x01____", 1009), (b"\x88\x80____", 1000),
]  # fmt: skip
"""Masked with b"____" where masked at all."""


@pytest.mark.parametrize("compatible", [False, True])
@pytest.mark.parametrize(("frame", "code"), FRAMES)
async def test_frames_that_break_the_protocol_end_the_session_and_free_the_console(
    stage: Stage, frame: bytes, code: int, monkeypatch: pytest.MonkeyPatch, *, compatible: bool
) -> None:
    monkeypatch.setattr(viewer, "CLOSE_SECONDS", 0.01)  # this client answers no goodbye
    stage.ports.echo = False
    token = stage.token()
    path = f"/n/connector/r0/sessions/ada/client?authorization={token}"
    request = upgrade(stage, target=path, protocols="x") if compatible else upgrade(stage, token=token)
    async with opened(stage, request) as (reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        await stage.until(lambda: stage.relay.viewers)
        writer.write(frame)
        answer = await reader.read()
    assert code.to_bytes(2) in answer
    await stage.until(lambda: len(stage.control_plane.detached) == 1)
    assert b"s" not in stage.ports.last.typed
    assert not stage.relay.grants


async def test_a_refusal_repeats_nothing_of_what_it_was_sent(stage: Stage) -> None:
    for request in (
        upgrade(stage, target="/<script>alert(1)</script>"), upgrade(stage, "Evil-Header"),
        upgrade(stage, changes={"Origin": "http://<script>"}), upgrade(stage, token="evil.evil.evil"),
        upgrade(stage, "x-ms-correlation-request-id: evil"), upgrade(stage, target="/v1/console?epoch=evil"),
    ):  # fmt: skip
        async with opened(stage, request) as (reader, _):
            answer = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert b"script" not in answer
        assert b"evil" not in answer
    await stage.until(lambda: not stage.relay.viewers)
