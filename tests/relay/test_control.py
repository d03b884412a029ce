"""The relay's private side, over real HTTP, as the function app's own client calls it."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from relay.control import Control
from shared.adapters.http_json import Http
from shared.adapters.jwt_tokens import JwtTokens
from shared.adapters.relay_control import RelayControl
from shared.ports import Relay
from tests.relay.stage import ISSUER, PEM, RELAY, VM, Stage, new_pem, staged


class Office:
    """The function app's side."""

    def __init__(self, stage: Stage, address: str, http: Http) -> None:
        self.stage, self.address, self.http = stage, address, http
        self.tokens = JwtTokens(PEM, ISSUER, stage.clock)
        self.control = RelayControl([Relay(RELAY, "ws://x", address)], self.tokens, http)

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


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    async with staged() as stage:
        runner = web.AppRunner(Control(stage.relay).application(), access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        http = Http()
        try:
            yield Office(stage, f"http://127.0.0.1:{runner.addresses[0][1]}", http)
        finally:
            await http.close()
            await runner.cleanup()


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


async def test_only_the_function_apps_own_words_are_obeyed(office: Office) -> None:
    said = {"vm": VM.resource_id, "generation": 2, "by": "Grace"}
    body = json.dumps(said).encode()
    theirs = JwtTokens(new_pem(), ISSUER, office.stage.clock).sign_command(RELAY, body)
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
    ],
)  # fmt: skip
async def test_a_body_that_cannot_be_read_is_refused(office: Office, what: str, said: Any) -> None:
    assert await office.posts(what, said) == (400, "InvalidRequest")


async def test_health_tells_of_the_spool_and_the_function_app(office: Office) -> None:
    await office.stage.comes("ada")
    status, text = await office.gets("/healthz")
    assert status == 200
    assert json.loads(text) == {
        "status": "healthy", "relay": "r0", "sessions": 1, "consoles": 1, "spooledBytes": 176, "spoolWritable": True,
        "controlPlane": {"secondsSinceAnswer": None, "failures": 0},
    } | {"spooledBytes": json.loads(text)["spooledBytes"]}  # fmt: skip
    await office.stage.relay.heartbeat.beat()
    assert json.loads((await office.gets("/healthz"))[1])["controlPlane"]["secondsSinceAnswer"] is not None
    office.stage.epochs.writable = False
    status, text = await office.gets("/healthz")
    assert (status, json.loads(text)["status"]) == (503, "degraded")
    office.stage.epochs.writable = True
    office.stage.relay.draining = True
    assert (await office.gets("/healthz"))[0] == 503


async def test_metrics_are_prometheus_text(office: Office) -> None:
    ada = await office.stage.comes("ada")
    await ada.types(b"12345")
    await ada.sees(b"12345")
    with pytest.raises(Exception, match="HTTP 401"):
        await office.stage.dial("x")
    status, text = await office.gets("/metrics")
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
