"""Clients of spring 2024 and before at the relay, whose tokens travel in addresses, over real sockets."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest
from websockets.asyncio.client import ClientConnection

from relay.handshake import azure_viewer
from relay.handshake.azure_viewer import BANNER
from shared.access.compatibility import Compatibility
from shared.base.refusals import Code
from shared.session.grant import Mode
from tests.relay.bare_client import client_path, closed, dial_path, refused, runner, sees
from tests.relay.stage import PAGE, Stage, staged


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged(compatibility=Compatibility.OLDER) as running:
        yield running


async def dial(
    stage: Stage, token: str, *, session: str = "ada", relay: str = "r0", query: str | None = None,
    origin: str | None = None, path: str | None = None,
) -> ClientConnection:  # fmt: skip
    """The bare socket, before the token is repeated."""
    asked = f"?authorization={quote(token)}&new=1" if query is None else query
    return await dial_path(stage, (path or client_path(session, relay)) + asked, origin=origin)


async def exchange(client: ClientConnection, token: str) -> None:
    """What a public client does first: the token, whatever comes first, the token."""
    await client.send(token)
    assert await client.recv() == BANNER
    await client.send(token)


async def comes(stage: Stage, session: str = "ada", **changes: Any) -> ClientConnection:
    token = stage.token(session, **changes)
    client = await dial(stage, token, session=session)
    await exchange(client, token)
    await stage.until(lambda: session in runner(stage).viewers)
    return client


async def test_after_the_exchange_frames_are_bare_bytes_both_ways(stage: Stage) -> None:
    ada = await comes(stage)
    assert ada.subprotocol is None
    stage.ports.last.listener.printed(b"login: \xff\x00")
    await sees(ada, b"login: \xff\x00")
    stage.ports.last.echo = False
    await ada.send("naïve ")
    await ada.send(b"\x03\xff")
    await ada.send(["l", "s"])
    await stage.until(lambda: stage.ports.last.typed == "naïve ".encode() + b"\x03\xffls")
    await ada.close()
    await stage.until(lambda: stage.control_plane.detached == [("ada", "Goodbye", 11, 9)])


async def test_a_fragmented_token_is_a_token(stage: Stage) -> None:
    token = stage.token()
    client = await dial(stage, token)
    await client.send([token[:9], token[9:]])
    await client.recv()
    await client.send(token)
    await stage.until(lambda: runner(stage).viewers)
    await client.close()


async def test_without_new_the_address_is_proof_enough_and_the_first_frame_is_the_vms(stage: Stage) -> None:
    token = stage.token()
    client = await dial(stage, token, query=f"?authorization={token}")
    await stage.until(lambda: runner(stage).viewers)
    stage.ports.last.listener.printed(b"login: ")
    await sees(client, b"login: ")
    await client.send("root\r")
    await stage.until(lambda: stage.ports.last.typed == b"root\r")
    await client.close()


async def test_nothing_is_shown_or_typed_before_the_exchange_is_done_and_nothing_is_lost(stage: Stage) -> None:
    other = await stage.comes("bob", Mode.WATCH)
    stage.ports.last.listener.printed(b"long before, ")
    token = stage.token()
    client = await dial(stage, token)
    stage.ports.last.listener.printed(b"before, ")
    await other.sees(b"before, ")
    await client.send(token)
    assert await client.recv() == BANNER
    stage.ports.last.listener.printed(b"between, ")
    await client.send(token)
    await stage.until(lambda: "ada" in runner(stage).viewers)
    stage.ports.last.listener.printed(b"after")
    await sees(client, b"long before, before, between, after")
    assert not stage.ports.last.typed
    await client.close()


@pytest.mark.parametrize("second", [False, True])
async def test_a_token_that_is_repeated_wrongly_ends_it(stage: Stage, *, second: bool) -> None:
    token = stage.token()
    client = await dial(stage, token)
    stage.ports.last.listener.printed(b"secret")
    if second:
        await client.send(token)
        await client.recv()
    await client.send(stage.token())
    assert await closed(client) == (4401, "TokenInvalid", [])
    await stage.until(lambda: stage.control_plane.detached == [("ada", "TokenInvalid", 0, 0)])
    assert not stage.ports.last.typed
    assert not stage.relay.grants


@pytest.mark.parametrize("said", ["", "x" * 5000, b"{token}", ["{token}", "x"], "{token}\r"])
async def test_only_the_very_token_is_the_token(stage: Stage, said: str | bytes | list[str]) -> None:
    token = stage.token()
    client = await dial(stage, token)
    match said:
        case bytes():
            await client.send(token.encode())
        case str():
            await client.send(said.replace("{token}", token))
        case _:
            await client.send([part.replace("{token}", token) for part in said])
    assert (await closed(client))[:2] == (4401, "TokenInvalid")
    await stage.until(lambda: stage.control_plane.detached)


async def test_an_exchange_that_takes_too_long_ends_it(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert azure_viewer.EXCHANGE_SECONDS == 10
    monkeypatch.setattr(azure_viewer, "EXCHANGE_SECONDS", 0.05)
    client = await dial(stage, stage.token())
    assert await closed(client) == (4401, "TokenInvalid", [])
    await stage.until(lambda: stage.control_plane.detached == [("ada", "TokenInvalid", 0, 0)])


async def test_one_who_leaves_during_the_exchange_frees_the_console(stage: Stage) -> None:
    client = await dial(stage, stage.token())
    await client.close()
    await stage.until(lambda: stage.control_plane.detached == [("ada", "Goodbye", 0, 0)])
    stage.relay.tick()
    stage.clock.ahead += 21
    stage.relay.tick()
    await stage.until(lambda: stage.ports.last.closed)


async def test_one_who_is_ended_or_displaced_during_the_exchange_hears_why(stage: Stage) -> None:
    first, grace = await dial(stage, stage.token()), stage.token("grace", generation=2)
    stage.relay.end(stage.grant("x").vm, "ada", Code.ACCESS_REVOKED, None)
    assert await closed(first) == (4004, "AccessRevoked", [])
    second = await dial(stage, grace, session="grace")
    stage.relay.fence(stage.grant("x").vm, 3, "Alan")
    await exchange(second, grace)
    assert await closed(second) == (4001, "SessionSuperseded", [])
    await stage.until(lambda: not stage.relay.grants)
    assert [each[:2] for each in stage.control_plane.detached] == [
        ("ada", "AccessRevoked"), ("grace", "SessionSuperseded"),
    ]  # fmt: skip


async def test_one_who_is_there_while_the_relay_drains_hears_it_at_once(stage: Stage) -> None:
    client = await dial(stage, stage.token())
    draining = asyncio.create_task(stage.relay.drain())
    assert await closed(client) == (4009, "RelayDraining", [])
    await draining
    assert stage.control_plane.detached == [("ada", "RelayDraining", 0, 0)]


async def test_a_takeover_closes_with_its_code_and_says_nothing_in_text(stage: Stage) -> None:
    ada = await comes(stage)
    grace = await stage.comes("grace", generation=2)
    assert await closed(ada) == (4001, "SessionSuperseded", [])
    back = await comes(stage, "ada2", generation=3)
    assert await grace.closed() == (4001, "SessionSuperseded")
    await back.close()


async def test_silence_is_the_only_answer_to_a_question(stage: Stage) -> None:
    ada = await comes(stage)
    asking = asyncio.create_task(stage.relay.ask(stage.grant("x").vm, 1, "Grace", 20))
    await stage.until(lambda: "ask" in stage.epochs.notes())
    await ada.send('{"type":"answer","ask":"q","allow":false}')
    await stage.until(lambda: b"answer" in stage.ports.last.typed)
    stage.clock.ahead += 21
    stage.relay.tick()
    assert await asking is True
    await ada.close()


async def test_a_watcher_types_nothing(stage: Stage) -> None:
    bob = await comes(stage, "bob", mode=Mode.WATCH)
    await bob.send("rm -rf /\r")
    stage.ports.last.listener.printed(b"still here")
    await sees(bob, b"still here")
    assert not stage.ports.last.typed
    await bob.close()


async def test_a_lost_port_goes_on_with_bare_bytes(stage: Stage) -> None:
    ada = await comes(stage)
    stage.ports.last.listener.lost(False, "reset")  # noqa: FBT003 - the port's words
    await stage.until(lambda: len(stage.ports.opened) == 2)
    await stage.until(lambda: len(stage.epochs.records) == 2)
    stage.ports.last.listener.printed(b"again")
    await sees(ada, b"again")
    await ada.close()


@pytest.mark.parametrize(
    ("served", "answer"),
    [(Compatibility.OFF, (404, "NotFound")), (Compatibility.CURRENT, (400, "InvalidRequest"))],
)
async def test_where_they_are_not_served_a_token_in_an_address_opens_nothing(
    served: Compatibility, answer: tuple[int, str]
) -> None:
    async with staged(compatibility=served) as other:
        assert await refused(dial(other, other.token())) == answer
        assert not other.control_plane.attached


@pytest.mark.parametrize(
    "path",
    [
        "/n/connector/r1/sessions/ada/client", "/n/connector/R0/sessions/ada/client", "/n/connector/r0/sessions/ada",
        "/n/connector/r0/sessions/ada/client/", "/n/connector/r0/sessions/a/da/client",
        "/n/connector/r0/sessions//client",
        "/n/connector/r0/sessions/client", "/n/connector/r%30/sessions/ada/client", "/n/connector//sessions/ada/client",
        "//n/connector/r0/sessions/ada/client", "/n/connector/r0/sessions/ada/adminCommand/reset",
    ],
)  # fmt: skip
async def test_other_addresses_are_nothing(stage: Stage, path: str) -> None:
    assert await refused(dial(stage, stage.token(), path=path)) == (404, "NotFound")
    assert not stage.control_plane.attached


@pytest.mark.parametrize("session", ["bob", "ADA", "ad%61", "ada%20", "ada,ada"])
async def test_the_session_of_the_address_is_the_tokens(stage: Stage, session: str) -> None:
    assert await refused(dial(stage, stage.token(), session=session)) == (401, "TokenInvalid")
    assert not stage.control_plane.attached


async def test_a_token_opens_a_console_once_in_whichever_dialect(stage: Stage) -> None:
    first, second = stage.token(), stage.token("bob", mode=Mode.WATCH)
    client = await dial(stage, first)
    assert await refused(dial(stage, first)) == (401, "TokenReplayed")
    await stage.dial(second)
    assert await refused(dial(stage, second, session="bob")) == (401, "TokenReplayed")
    stage.clock.ahead += 60
    assert await refused(dial(stage, stage.token(issued_at=1_000, expires_at=1_030))) == (401, "TokenExpired")
    await client.close()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?authorization=", (401, "TokenInvalid")),
        ("?authorization={token}&authorization={token}", (401, "TokenInvalid")),
        ("?authorization={token}" + "x" * 4096, (401, "TokenInvalid")),
        ("?authorization={token}" + "&a=1" * 20, (400, "InvalidRequest")),
        ("?authorization=Bearer%20{token}", (401, "TokenInvalid")),
    ],
)  # fmt: skip
async def test_the_query_holds_one_token(stage: Stage, query: str, expected: tuple[int, str]) -> None:
    assert await refused(dial(stage, "", query=query.replace("{token}", stage.token()))) == expected
    assert not stage.control_plane.attached


@pytest.mark.parametrize("origin", ["http://evil", "null", "http://127.0.0.1", "http://127.0.0.1:1", "{own}.evil"])
async def test_a_page_of_another_origin_is_refused_as_on_our_own_path(stage: Stage, origin: str) -> None:
    own = f"http://127.0.0.1:{stage.port}"
    assert await refused(dial(stage, stage.token(), origin=origin.replace("{own}", own))) == (403, "CallerNotPermitted")
    assert not stage.control_plane.attached


@pytest.mark.parametrize("origin", [PAGE, "http://127.0.0.1:{port}", "https://127.0.0.1:{port}"])
async def test_our_page_and_clients_that_write_the_address_as_origin_may_come_in(stage: Stage, origin: str) -> None:
    client = await dial(stage, stage.token(), origin=origin.replace("{port}", str(stage.port)))
    await client.close()


async def test_the_token_is_in_no_log(
    stage: Stage, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(1)
    for name in ("picows.server", "picows.client", "asyncio"):
        caplog.set_level(1, name)
    caplog.set_level(logging.CRITICAL, "websockets")  # the test's own client may say what it sends
    token = stage.token()
    client = await dial(stage, token)
    await exchange(client, token)
    await stage.until(lambda: runner(stage).viewers)
    await client.close()
    wrong = stage.token("bob")
    other = await dial(stage, wrong, session="bob")
    await other.send("wrong")
    await closed(other)
    await refused(dial(stage, wrong, session="bob"))
    await refused(dial(stage, wrong, query=f"?authorization={wrong}" + "&a=1" * 20))
    said = json.dumps(stage.log) + caplog.text + "".join(capfd.readouterr())
    for each in (token, wrong):
        assert each[-20:] not in said
    assert "authorization=" not in said
