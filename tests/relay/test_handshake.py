"""Whoever may not come in gets an HTTP answer with the error envelope, never an accepted socket."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from relay.console import serial_connection
from relay.console.output_coalescer import OutputCoalescer
from relay.console.pending_writes import PENDING_WRITE_SECONDS
from relay.console.runner import ConsoleRunner
from relay.handshake.listener import MAX_PENDING
from shared.base.ports import Dependency, Trouble, Unavailable
from shared.base.record import epoch_name
from shared.base.refusals import Code, refuse
from shared.console.frames import PROTOCOL, TOKEN_PREFIX
from shared.session.grant import Mode
from shared.session.keys.token_keys import FRESH_SECONDS
from tests.relay.stage import ISSUER, PAGE, PEM, RELAY, VM, Stage, staged
from tests.signing import PemTokens, new_pem


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged() as running:
        yield running


async def refused(stage: Stage, token: str, **how: Any) -> tuple[int, str]:
    with pytest.raises(InvalidStatus) as caught:
        await stage.dial(token, **how)
    answer = caught.value.response
    error = json.loads(answer.body)["error"]
    assert answer.headers["x-ms-error-code"] == error["code"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert error["innererror"]["correlationId"] == answer.headers["x-ms-correlation-request-id"]
    assert answer.headers.get("Retry-After") == (
        str(error["innererror"]["retryAfterSeconds"]) if error["innererror"]["retryable"] else None
    )
    return answer.status_code, error["code"]


async def test_a_good_visitor_is_greeted_under_the_first_subprotocol_only(stage: Stage) -> None:
    ada = await stage.comes("ada")
    assert ada.connection.subprotocol == PROTOCOL
    assert ada.connection.response is not None
    assert TOKEN_PREFIX not in str(ada.connection.response.headers)
    assert (await ada.heard("hello"))["writer"] == {"name": "Ada"}


async def test_a_client_that_is_no_browser_sends_no_origin_and_may_come_in(stage: Stage) -> None:
    await stage.dial(stage.token(), origin=None)


async def test_a_page_of_another_origin_is_refused(stage: Stage) -> None:
    assert await refused(stage, stage.token(), origin="http://evil") == (403, "CallerNotPermitted")
    assert not stage.control_plane.attached


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"pem": new_pem()}, "TokenInvalid"),
        ({"audience": "relay:r1"}, "TokenInvalid"),
        ({"issuer": "http://somebody"}, "TokenInvalid"),
        ({"issued_at": 1_000, "expires_at": 1_030}, "TokenExpired"),
        ({"issued_at": 9_000_000_000, "expires_at": 9_000_000_030}, "TokenInvalid"),
        ({"issued_at": 1_000, "expires_at": 9_000_000_000}, "TokenInvalid"),
    ],
)
async def test_a_token_that_is_not_for_this_relay_now_is_refused(
    stage: Stage, changes: dict[str, Any], code: str
) -> None:
    assert await refused(stage, stage.token(**changes)) == (401, code)
    assert not stage.control_plane.attached


async def test_a_command_token_is_no_session_token(stage: Stage) -> None:

    command = PemTokens(PEM, ISSUER, stage.clock).sign_command(RELAY, b"")
    assert await refused(stage, command) == (401, "TokenInvalid")
    assert await refused(stage, "no.token.atall") == (401, "TokenInvalid")


@pytest.mark.parametrize(
    ("protocols", "expected"),
    [
        ([PROTOCOL], (401, "TokenInvalid")),
        ([TOKEN_PREFIX + "a.b.c"], (400, "InvalidRequest")),
        ([PROTOCOL, TOKEN_PREFIX + "a.b.c", "other"], (400, "InvalidRequest")),
        ([PROTOCOL, TOKEN_PREFIX + "a.b.c", TOKEN_PREFIX + "d.e.f"], (401, "TokenInvalid")),
        ([PROTOCOL, TOKEN_PREFIX + "a" * 5000], (401, "TokenInvalid")),
    ],
)
async def test_subprotocols_are_ours_and_one_token(
    stage: Stage, protocols: list[str], expected: tuple[int, str]
) -> None:
    assert await refused(stage, "", protocols=protocols) == expected


@pytest.mark.parametrize("query", ["?epoch=e", "?offset=1", "?epoch=e&offset=-1", "?epoch=e&offset=x"])
async def test_a_resume_point_that_cannot_be_read_is_refused(stage: Stage, query: str) -> None:
    assert await refused(stage, stage.token(), query=query) == (400, "InvalidRequest")


@pytest.mark.parametrize("code", [Code.TOKEN_REPLAYED, Code.TOKEN_EXPIRED, Code.SESSION_SUPERSEDED])
async def test_what_the_function_app_refuses_is_refused(stage: Stage, code: Code) -> None:
    stage.control_plane.refusal = refuse(code)
    assert await refused(stage, stage.token()) == (refuse(code).status, code.value)
    assert stage.ports.dials == 0


async def test_nobody_comes_in_while_the_function_app_or_its_keys_are_away(stage: Stage) -> None:
    stage.keys.pem = None
    assert await refused(stage, stage.token()) == (503, "AzureUnavailable")
    stage.keys.pem = PEM
    stage.control_plane.away = True
    assert await refused(stage, stage.token()) == (503, "AzureUnavailable")


@pytest.mark.parametrize("code", [Code.VM_NOT_RUNNING, Code.VM_NOT_FOUND, Code.VM_PERMISSION_DENIED])
async def test_a_vm_that_cannot_be_reached_refuses_and_frees_the_console(stage: Stage, code: Code) -> None:
    stage.ports.refusal = refuse(code)
    assert await refused(stage, stage.token()) == (refuse(code).status, code.value)
    await stage.until(lambda: stage.control_plane.detached == [("ada", code.value, 0, 0)])
    assert not stage.relay.grants


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Unavailable(Dependency.SERIAL_GATEWAY, "away"), (504, "GatewayTimeout")),
        (Unavailable(Dependency.ARM, "away"), (503, "AzureUnavailable")),
        (Unavailable(Dependency.ARM, "throttles", Trouble.THROTTLED, retry_after=9), (429, "AzureThrottled")),
        (Unavailable(Dependency.ENTRA, "says nothing", Trouble.SILENT), (504, "AzureTimeout")),
        (KeyError(), (502, "ConsoleFault")),
    ],
)
async def test_a_dial_that_fails_is_answered_too(stage: Stage, error: Exception, code: tuple[int, str]) -> None:
    stage.ports.error = error
    assert await refused(stage, stage.token()) == code
    stage.log[:] = [line for line in stage.log if line["event"] != "fault"]


async def test_a_fault_behind_the_door_is_answered_too(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_grant: object) -> None:
        raise KeyError

    monkeypatch.setattr(stage.control_plane, "attach", broken)
    assert await refused(stage, stage.token()) == (502, "ConsoleFault")
    assert stage.log[0]["event"] == "fault"
    stage.log.clear()


async def test_a_fault_at_the_console_frees_it(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_self: object, _grant: object) -> None:
        raise KeyError

    monkeypatch.setattr(ConsoleRunner, "expect", broken)
    assert await refused(stage, stage.token()) == (502, "ConsoleFault")
    await stage.until(lambda: stage.control_plane.detached == [("ada", "ConnectionLost", 0, 0)])
    assert not stage.relay.grants
    stage.log.clear()


async def test_no_console_is_opened_that_cannot_be_recorded(stage: Stage) -> None:
    stage.epochs.failing = True
    knock = asyncio.create_task(refused(stage, stage.token()))
    await stage.until(lambda: stage.ports.opened)
    assert not knock.done()
    stage.passes(PENDING_WRITE_SECONDS)
    assert await knock == (503, "AuditUnavailable")
    assert stage.ports.last.closed
    stage.epochs.writable = False
    assert await refused(stage, stage.token(generation=2)) == (503, "AuditUnavailable")


@pytest.mark.parametrize("fault", ["before the port is told", "after it is told"])
async def test_a_port_that_opens_into_a_fault_is_given_up_and_the_next_one_is_fine(
    monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    broken = [True]

    def named(opened_us: int, nonce: int) -> str:
        if broken and fault == "before the port is told":
            raise RuntimeError
        return epoch_name(opened_us, nonce)

    def opened(line: OutputCoalescer, early: bytes) -> None:
        if broken and fault == "after it is told":
            raise RuntimeError
        opens(line, early)

    opens = OutputCoalescer.opened
    monkeypatch.setattr(OutputCoalescer, "opened", opened)
    monkeypatch.setattr(serial_connection, "epoch_name", named)
    async with staged() as stage:
        came = asyncio.create_task(stage.dial(stage.token()))
        await stage.until(lambda: stage.ports.opened and stage.ports.last.closed)
        with suppress(InvalidStatus):  # told before it was accepted, or closed with the same words after it
            assert await (await came).closed() == (4007, "AuditUnavailable")
        assert [(line["where"], line["error"]) for line in stage.log if line["event"] == "fault"] == [
            ("opened", "RuntimeError")
        ]
        stage.log.clear()
        broken.clear()
        await stage.until(lambda: not stage.relay.runners or stage.relay.runners[VM.console].idle)
        ada = await stage.comes("grace", generation=2)
        await ada.types(b"whoami")
        await ada.sees(b"whoami")


async def test_a_visitor_is_not_accepted_before_the_port_is_open(stage: Stage) -> None:
    stage.ports.gate.clear()
    dialling = asyncio.create_task(stage.dial(stage.token()))
    await stage.until(lambda: stage.ports.dials)
    assert not dialling.done()
    stage.ports.gate.set()
    await (await dialling).heard("hello")


async def test_whoever_waits_while_the_relay_drains_is_told_to_come_again(stage: Stage) -> None:
    stage.ports.gate.clear()
    dialling = asyncio.create_task(refused(stage, stage.token()))
    await stage.until(lambda: stage.ports.dials)
    await stage.relay.drain()
    assert await dialling == (503, "RelayDraining")


async def raw(stage: Stage, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return answer


async def test_other_paths_and_methods_are_answered_as_http(stage: Stage) -> None:
    assert (await raw(stage, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")).startswith(b"HTTP/1.1 404 Not Found\r\n")
    head = await raw(stage, b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 404")
    assert head.endswith(b"\r\n\r\n")
    for request in (
        b"POST /v1/console HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /v1/console HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1/console HTTP/1.0\r\n\r\n", b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /v1/console HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
        b"GET /v1/console HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        (b"GET /v1/console HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: short\r\n\r\n"),
    ):  # fmt: skip
        assert (await raw(stage, request)).startswith(b"HTTP/1.1 400 Bad Request\r\n"), request


async def test_a_head_that_never_ends_is_refused(stage: Stage) -> None:
    assert (await raw(stage, b"GET / HTTP/1.1\r\nX: " + b"x" * 20_000)).startswith(b"HTTP/1.1 400")


async def test_too_many_handshakes_at_a_time_are_told_to_wait(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_PENDING == 1000
    monkeypatch.setattr("relay.handshake.listener.MAX_PENDING", 1)
    stage.ports.gate.clear()
    first = asyncio.create_task(stage.dial(stage.token()))
    await stage.until(lambda: stage.ports.dials)
    assert await refused(stage, stage.token("grace")) == (429, "TooManyRequests")
    stage.ports.gate.set()
    await first


async def test_firefox_and_bytes_sent_before_the_answer_are_understood(stage: Stage) -> None:
    typed = b"\x82\x82\x00\x00\x00\x00ls"
    request = (
        f"GET /v1/console HTTP/1.1\r\nHost: x\r\nOrigin: {PAGE}\r\nConnection: keep-alive, Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        f"Sec-WebSocket-Protocol: {PROTOCOL}, {TOKEN_PREFIX}{stage.token()}\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
    writer.write(request.encode() + typed)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
    await stage.until(lambda: stage.ports.opened and stage.ports.last.typed == b"ls")
    writer.close()
    await stage.until(lambda: stage.control_plane.detached)


async def test_a_visitor_of_an_older_generation_is_refused_by_the_relay_itself(stage: Stage) -> None:
    await stage.comes("ada", generation=5)
    assert await refused(stage, stage.token("bob", generation=4)) == (409, "SessionSuperseded")
    await stage.comes("eve", Mode.WATCH, generation=4)


async def test_keys_are_fetched_once_and_again_for_an_unknown_key_after_a_cool_down(stage: Stage) -> None:
    await stage.comes("ada")
    stage.keys.pem = pem = new_pem()
    assert await refused(stage, stage.token("bob", pem=pem)) == (401, "TokenInvalid")
    assert stage.keys.asked == 1
    stage.clock.ahead += 11
    await stage.dial(stage.token("bob", pem=pem, mode=Mode.WATCH))
    assert stage.keys.asked == 2


async def test_a_key_that_was_withdrawn_opens_nothing_after_five_minutes(stage: Stage) -> None:
    await stage.comes("ada")
    stage.keys.pem = new_pem()
    await stage.comes("bob", mode=Mode.WATCH)
    stage.clock.ahead += FRESH_SECONDS + 1
    assert await refused(stage, stage.token("carol")) == (401, "TokenInvalid")


async def test_no_token_is_ever_in_the_log(stage: Stage) -> None:
    token = stage.token()
    await stage.dial(token)
    await refused(stage, token + "x")
    assert token[:20] not in json.dumps(stage.log)
