"""The relay's private side, over real HTTP, as the function app's own client calls it."""

import asyncio
import json
import socket
import struct
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from relay.console.pending_writes import PENDING_WRITE_SECONDS
from relay.control.commands import ControlServer
from relay.handshake.control_proxy import MOST, ControlProxy
from shared.access.commands import Command
from shared.base import correlation
from shared.base.archive_progress import RecordedLast
from shared.base.http_json import Http
from shared.base.refusals import Code, refuse
from shared.session.grant import Mode
from shared.session.http.relay_control import RelayControl
from shared.session.ports import Relay
from tests.relay.stage import ISSUER, PEM, RELAY, VM, Stage, staged
from tests.signing import PemTokens, new_pem


class Office:
    """The function app's side."""

    def __init__(self, stage: Stage, address: str, http: Http) -> None:
        self.stage, self.address, self.http = stage, address, http
        self.tokens = PemTokens(PEM, ISSUER, stage.clock)
        self.control = RelayControl([Relay(RELAY, "ws://x", address)], self.tokens.tokens, http)

    async def posts(self, what: str, said: Any, **changes: Any) -> tuple[int, str]:
        """Status and error code; `changes`: body and token as they should not be."""
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        token = changes.get("token") or self.tokens.sign_command(RELAY, body)
        headers = {"Authorization": f"Bearer {token}"} if token != "none" else {}
        async with self.http.session.post(
            f"{self.address}/control/{what}", data=changes.get("body", body), headers=headers
        ) as answer:
            return answer.status, answer.headers.get("x-ms-error-code", "")

    async def gets(self, path: str) -> tuple[int, str]:
        async with self.http.session.get(self.address + path) as answer:
            return answer.status, await answer.text()


@asynccontextmanager
async def offices(*, observed: bool) -> AsyncIterator[Office]:
    async with staged() as stage:
        runner = web.AppRunner(ControlServer(stage.relay).application(observed=observed), access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        http, port = Http(), runner.addresses[0][1]
        if not observed:
            stage.relay.listener.control_proxy = ControlProxy(port)
            port = stage.port
        try:
            yield Office(stage, f"http://127.0.0.1:{port}", http)
        finally:
            await http.close()
            await runner.cleanup()


@pytest.fixture(params=["control address", "public door"])
async def office(request: pytest.FixtureRequest) -> AsyncIterator[Office]:
    """Commands are the same wherever they come in."""
    async with offices(observed=request.param == "control address") as made:
        yield made


@pytest.fixture
async def inside() -> AsyncIterator[Office]:
    """Where the platform looks."""
    async with offices(observed=True) as made:
        yield made


@pytest.fixture
async def outside() -> AsyncIterator[Office]:
    """Where anybody knocks."""
    async with offices(observed=False) as made:
        yield made


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/control/../metrics", "/control", "/control/"])
async def test_nobody_looks_inside_from_the_public_door(outside: Office, path: str) -> None:
    await outside.posts("note", {"vm": VM.resource_id, "act": "restart", "by": "Grace"})
    status, text = await outside.gets(path)
    assert status in (400, 401, 404, 405)
    assert "serial_console" not in text
    reader, writer = await asyncio.open_connection("127.0.0.1", outside.stage.port)
    writer.write(f"GET /control/x HTTP/1.1\r\nHost: x\r\n\r\nGET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    writer.write_eof()
    assert b"serial_console" not in await reader.read()
    writer.close()


async def test_a_private_side_that_is_away_closes_the_door(outside: Office) -> None:
    outside.stage.relay.listener.control_proxy = ControlProxy(1)  # nothing listens there
    with pytest.raises(aiohttp.ClientError):
        await outside.posts("note", {})


async def test_commands_take_a_bounded_number_of_connections(outside: Office) -> None:
    control_proxy = outside.stage.relay.listener.control_proxy
    assert control_proxy
    held = [await asyncio.open_connection("127.0.0.1", outside.stage.port) for _ in range(MOST)]
    for _, writer in held:
        writer.write(b"GET /control/x HTTP/1.1\r\nHost: x\r\n\r\n")
    for reader, _ in held:
        assert await reader.readuntil(b"\r\n") == b"HTTP/1.1 404 Not Found\r\n"
    with pytest.raises(aiohttp.ClientError):
        await outside.posts("note", {})
    for _, writer in held:
        writer.close()
    await outside.stage.until(lambda: not control_proxy.open)
    assert (await outside.posts("note", {}))[0] == 400


async def test_half_a_command_holds_no_place(outside: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relay.control.commands.BODY_SECONDS", 0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", outside.stage.port)
    writer.write(b"POST /control/end HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
    assert (await reader.readuntil(b"did not come")).startswith(b"HTTP/1.1 400 ")
    writer.close()


async def test_who_waits_for_no_answer_is_shown_out(outside: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relay.handshake.control_proxy.SILENT_SECONDS", 0.2)
    control_proxy = outside.stage.relay.listener.control_proxy
    assert control_proxy
    reader, writer = await asyncio.open_connection("127.0.0.1", outside.stage.port)
    writer.write(b"GET /control/x HTTP/1.1\r\nHost: x\r\n\r\nGET /control/y HTTP/1.1\r\nHo")
    assert await reader.readuntil(b"\r\n") == b"HTTP/1.1 404 Not Found\r\n"
    await reader.read()
    await outside.stage.until(lambda: not control_proxy.open)
    writer.close()


async def test_visitors_who_vanish_hold_no_place(outside: Office) -> None:
    control_proxy = outside.stage.relay.listener.control_proxy
    assert control_proxy
    for _ in range(3 * MOST):
        visitor = socket.create_connection(("127.0.0.1", outside.stage.port))
        visitor.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        visitor.send(b"GET /control/x HTTP/1.1\r\nHost: x\r\n\r\n")
        visitor.close()
        await asyncio.sleep(0)
    await outside.stage.until(lambda: not outside.stage.relay.listener.pending and not control_proxy.open)
    assert (await outside.posts("note", {}))[0] == 400


async def test_a_fence_displaces_the_older_writer(office: Office) -> None:
    ada = await office.stage.comes("ada", generation=1)
    assert await office.control.fence(VM, 2, "Grace")
    assert await ada.closed() == (4001, "SessionSuperseded")
    assert ada.texts[-1]["by"] == {"name": "Grace"}


async def test_an_end_closes_one_session_with_its_code(office: Office) -> None:
    ada = await office.stage.comes("ada")
    assert await office.control.end(VM, "ada", "SessionEnded", "Alan")
    assert await ada.closed() == (4008, "SessionEnded")


@pytest.mark.parametrize("allow", [True, False])
async def test_an_ask_is_answered_by_the_writer(office: Office, *, allow: bool) -> None:
    ada = await office.stage.comes("ada")
    asking = asyncio.create_task(office.control.ask(VM, 1, "Grace", 20))
    asked = await ada.heard("ask", by={"name": "Grace"}, seconds=20)
    await ada.connection.send(json.dumps({"type": "answer", "ask": asked["ask"], "allow": allow}))
    assert await asking is allow


async def test_nobody_there_means_yes_to_an_ask_and_nothing_to_the_others(office: Office) -> None:
    assert await office.control.ask(VM, 1, "Grace", 20)
    assert await office.control.fence(VM, 2, "Grace")
    assert await office.control.end(VM, "ada", "SessionEnded", "Alan")


async def test_an_act_goes_down_the_open_line_recorded_and_told_to_everybody(office: Office) -> None:
    ada, bob = await office.stage.comes("ada"), await office.stage.comes("bob", Mode.WATCH)
    assert await office.control.command(VM, Command.SYSRQ, "reisub", "Grace") is None
    assert office.stage.ports.last.acts == [(Command.SYSRQ, "reisub")]
    for viewer in (ada, bob):
        await viewer.heard("act", act="sysrq", by={"name": "Grace"})
    assert office.stage.epochs.said()[-1] == {"event": "command", "command": "sysrq", "keys": "reisub", "by": "Grace"}


async def test_an_act_is_in_the_record_before_the_vm_hears_of_it(office: Office) -> None:
    await office.stage.comes("ada")
    office.stage.ports.last.obeys.clear()
    sending = asyncio.create_task(office.control.command(VM, Command.RESET, "", "Grace"))
    await office.stage.until(lambda: office.stage.epochs.notes()[-1] == "command")
    assert not sending.done()
    assert not office.stage.ports.last.acts
    office.stage.ports.last.obeys.set()
    assert await sending is None


async def test_an_act_needs_an_open_console(office: Office) -> None:
    refusal = await office.control.command(VM, Command.RESET, "", "Grace")
    assert refusal is not None
    assert refusal.code is Code.CONSOLE_NOT_OPEN
    await office.stage.comes("ada")
    office.stage.ports.refusal = refuse(Code.GATEWAY_TIMEOUT)
    office.stage.ports.last.listener.lost(False, "reset")  # noqa: FBT003 - the port's words
    refusal = await office.control.command(VM, Command.RESET, "", "Grace")
    assert refusal is not None
    assert refusal.code is Code.CONSOLE_NOT_OPEN


@pytest.mark.parametrize("code", [Code.CONSOLE_FAULT, Code.GATEWAY_TIMEOUT])
async def test_an_act_that_the_gateway_did_not_do_is_said_to_all(office: Office, code: Code) -> None:
    ada = await office.stage.comes("ada")
    office.stage.ports.last.act_refusal = refuse(code)
    refusal = await office.control.command(VM, Command.NMI, "", "Grace")
    assert refusal is not None
    assert (refusal.code, refusal.status) == (code, refuse(code).status)
    await ada.heard("warning", code=code.value)
    assert office.stage.epochs.notes()[-2:] == ["command", "command-failed"]


async def test_an_act_that_cannot_be_recorded_is_not_sent(office: Office) -> None:
    ada = await office.stage.comes("ada")
    office.stage.epochs.failing = True
    asked = asyncio.create_task(office.control.command(VM, Command.RESET, "", "Grace"))
    await office.stage.until(lambda: office.stage.relay.runners[VM.console].has_pending_writes)
    office.stage.passes(PENDING_WRITE_SECONDS)
    refusal = await asked
    assert refusal is not None
    assert refusal.code is Code.AUDIT_UNAVAILABLE
    assert not office.stage.ports.last.acts
    assert await ada.closed() == (4007, "AuditUnavailable")


async def test_an_act_that_breaks_the_adapter_is_a_fault_and_nobody_waits_for_ever(office: Office) -> None:
    await office.stage.comes("ada")

    async def broken(_act: Command, _keys: str) -> None:
        raise KeyError

    office.stage.ports.last.command = broken  # type: ignore[assignment, method-assign]  # this port is broken
    refusal = await office.control.command(VM, Command.RESET, "", "Grace")
    assert refusal is not None
    assert refusal.code is Code.CONSOLE_FAULT
    await office.stage.until(lambda: any(line["event"] == "fault" for line in office.stage.log))
    office.stage.log[:] = [line for line in office.stage.log if line["event"] != "fault"]


async def test_an_act_that_went_another_way_is_recorded_where_the_console_is_open(office: Office) -> None:
    assert await office.control.note(VM, Command.START, "Grace")
    ada = await office.stage.comes("ada")
    assert await office.control.note(VM, Command.RESTART, "Grace")
    await ada.heard("act", act="restart", by={"name": "Grace"})
    assert office.stage.epochs.said()[-1] == {"event": "power", "act": "restart", "by": "Grace"}


@pytest.mark.parametrize("code", ["ReasonRequired", "ConsoleDisabledByPolicy", "TagNotAllowed"])
async def test_a_session_is_ended_for_whatever_reason_the_function_app_has(office: Office, code: str) -> None:
    ada = await office.stage.comes("ada")
    assert await office.control.end(VM, "ada", code, "Alan")
    assert await ada.closed() == (4000 if code == "ReasonRequired" else 4012, code)


async def test_a_command_keeps_the_id_of_its_request_and_a_session_that_of_its_own(office: Office) -> None:
    asked, began = "5b5c0000-0000-4000-8000-0000000000aa", "5b5c0000-0000-4000-8000-0000000000bb"
    ada = await office.stage.dial(office.stage.token(), additional_headers={"x-ms-correlation-request-id": began})
    await ada.heard("hello")
    correlation.current.set(asked)
    assert await office.control.command(VM, Command.NMI, "", "Grace") is None
    assert await office.control.end(VM, "ada", "SessionEnded", "Alan")
    await office.stage.until(lambda: len(office.stage.control_plane.correlations) == 2)
    assert office.stage.control_plane.correlations == [("attach", began), ("detach", began)]
    known = {(line["event"], line.get("call")): line.get("correlation") for line in office.stage.log}
    assert known[("act", None)] == known[("control", "command")] == known[("control", "end")] == asked
    assert known[("attach", None)] == known[("detach", None)] == began


@pytest.mark.parametrize(
    "header", ["", "x", "5b5c0000-0000-4000-8000-0000000000aa,5b5c0000-0000-4000-8000-0000000000bb"]
)
async def test_an_id_that_is_no_uuid_is_replaced_by_one(office: Office, header: str) -> None:
    async with office.http.session.post(
        f"{office.address}/control/fence", data=b"", headers={"x-ms-correlation-request-id": header}
    ) as answer:
        known = answer.headers["x-ms-correlation-request-id"]
    assert known == str(uuid.UUID(known)) == office.stage.log[-1]["correlation"]
    assert known not in header.split(",")


async def test_only_the_function_apps_own_words_are_obeyed(office: Office) -> None:
    said = {"vm": VM.resource_id, "generation": 2, "by": "Grace"}
    body = json.dumps(said).encode()
    theirs = PemTokens(new_pem(), ISSUER, office.stage.clock).sign_command(RELAY, body)
    another = office.tokens.sign_command("r1", body)
    session = office.stage.token()
    old = office.tokens.sign_command(RELAY, body)
    ada = await office.stage.comes("ada")
    for token in ("none", "nonsense", theirs, another, session, office.tokens.sign_command(RELAY, b"{}")):
        assert await office.posts("fence", said, token=token) == (401, "CallerNotAuthenticated")
    office.stage.clock.ahead += 40
    assert await office.posts("fence", said, token=old) == (401, "CallerNotAuthenticated")
    assert len(office.stage.relay.grants) == 1
    assert await office.posts("fence", said) == (204, "")
    await ada.closed()


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("fence", b"nonsense"), ("fence", b"[]"), ("fence", {}), ("fence", {"vm": "x"}),
        ("fence", {"vm": VM.resource_id, "generation": "1", "by": "x"}),
        ("fence", {"vm": VM.resource_id, "generation": True, "by": "x"}),
        ("end", {"vm": VM.resource_id, "session": "s", "code": "Nonsense"}),
        ("ask", {"vm": VM.resource_id, "generation": 1, "by": "x", "seconds": 1e9}),
        ("command", {"vm": VM.resource_id, "command": "restart", "keys": "", "by": "x"}),
        ("command", {"vm": VM.resource_id, "command": "melt", "keys": "", "by": "x"}),
        ("command", {"vm": VM.resource_id, "command": "reset", "keys": "b", "by": "x"}),
        ("command", {"vm": VM.resource_id, "command": "sysrq", "keys": "", "by": "x"}),
        ("command", {"vm": VM.resource_id, "command": "sysrq", "keys": "b" * 17, "by": "x"}),
        ("command", {"vm": VM.resource_id, "command": "sysrq", "keys": "b\n", "by": "x"}),
        ("command", {"vm": VM.resource_id, "command": "sysrq", "keys": "\u0662", "by": "x"}),
        ("command", {"vm": VM.resource_id, "command": "sysrq", "by": "x"}),
        ("command", {"vm": VM.resource_id, "command": "nmi", "keys": ""}),
        ("note", {"vm": VM.resource_id, "act": "melt", "by": "x"}),
        ("note", {"vm": "x", "act": "stop", "by": "x"}),
    ],
)  # fmt: skip
async def test_a_body_that_cannot_be_read_is_refused(office: Office, what: str, said: Any) -> None:
    assert await office.posts(what, said) == (400, "InvalidRequest")


async def test_health_tells_of_the_spool_and_the_function_app(inside: Office) -> None:
    await inside.stage.comes("ada")
    status, text = await inside.gets("/healthz")
    assert status == 200
    assert json.loads(text) == {
        "status": "healthy", "relay": "r0", "sessions": 1, "consoles": 1, "spooledBytes": 176, "spoolWritable": True,
        "controlPlane": {"secondsSinceAnswer": None, "failures": 0},
    } | {"spooledBytes": json.loads(text)["spooledBytes"]}  # fmt: skip
    await inside.stage.relay.heartbeat.beat()
    assert json.loads((await inside.gets("/healthz"))[1])["controlPlane"]["secondsSinceAnswer"] is not None
    inside.stage.epochs.writable = False
    status, text = await inside.gets("/healthz")
    assert (status, json.loads(text)["status"]) == (503, "degraded")
    inside.stage.epochs.writable = True
    inside.stage.relay.draining = True
    assert (await inside.gets("/healthz"))[0] == 503


async def test_metrics_are_prometheus_text(inside: Office) -> None:
    ada = await inside.stage.comes("ada")
    await ada.types(b"12345")
    await ada.sees(b"12345")
    with pytest.raises(Exception, match="HTTP 401"):
        await inside.stage.dial("x")
    status, text = await inside.gets("/metrics")
    assert status == 200
    lines = text.splitlines()
    assert "serial_console_sessions 1" in lines
    assert "serial_console_typed_bytes 5" in lines
    assert 'serial_console_refused_total{code="TokenInvalid"} 1' in lines
    assert all(line.startswith(("#", "serial_console_")) for line in lines)


async def test_commands_wait_for_keys_that_cannot_be_had(office: Office) -> None:
    office.stage.keys.pem = None
    assert await office.posts("fence", {}) == (503, "AzureUnavailable")


async def test_a_body_that_is_too_large_is_refused(office: Office) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{office.address}/control/fence", data=b"x" * 20_000) as answer,
    ):
        assert answer.status == 413


async def test_the_newest_record_of_a_console_is_told(office: Office) -> None:
    assert await office.control.recorded_last(VM) is None
    await office.stage.comes("ada")
    last = await office.control.recorded_last(VM)
    ((epoch, records),) = office.stage.epochs.records.items()
    assert last == RecordedLast(epoch, records[-1].seq, records[-1].time_us / 1e6)
