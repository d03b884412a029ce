"""Clients of Azure's own serial console at the relay, as they are today: the token comes in the first frame."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from relay.handshake import azure_viewer, unproven_sockets
from relay.handshake.azure_viewer import BANNER
from relay.handshake.azure_viewer_current import EARLY_BYTES
from shared.access.compatibility import Compatibility
from shared.base.refusals import Code, refuse
from shared.session.grant import Mode
from tests.patience import PATIENCE
from tests.relay.bare_client import client_path, closed, dial_path, refused, runner, sees
from tests.relay.public_clients import Client2021, Client2024, ClientToday, PublicClient
from tests.relay.stage import PAGE, Stage, staged


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged() as running:
        yield running


def address(stage: Stage) -> str:
    return f"ws://127.0.0.1:{stage.port}{client_path()}"


async def dial(stage: Stage, *, session: str = "ada", query: str = "", **how: Any) -> ClientConnection:
    return await dial_path(stage, client_path(session) + query, **how)


async def asked(stage: Stage, **how: Any) -> ClientConnection:
    """Asked for the token."""
    client = await dial(stage, **how)
    assert await client.recv() == BANNER
    return client


async def comes(stage: Stage, session: str = "ada", **changes: Any) -> ClientConnection:
    client = await asked(stage, session=session)
    await client.send(stage.token(session, **changes))
    await stage.until(lambda: stage.relay.runners and session in runner(stage).viewers)
    return client


@pytest.mark.parametrize("generation", [Client2021, Client2024, ClientToday])
async def test_each_public_generation_is_served_and_types_what_it_types(generation: type[PublicClient]) -> None:
    async with (
        staged(compatibility=Compatibility.OLDER) as stage,
        generation(address(stage), stage.token()) as client,
    ):
        await stage.until(lambda: stage.relay.runners and runner(stage).viewers)
        stage.ports.last.listener.printed(b"login: ")
        await client.sees(b"login: ")
        await client.types("root\r")
        await client.sees(b"root\r")
        assert client.shown == b"login: root\r"
        assert stage.ports.last.typed == b"root\r"


async def test_today_bytes_are_bare_both_ways_and_the_address_holds_nothing(stage: Stage) -> None:
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
    assert stage.relay.acceptor.quota.taken == 0


async def test_what_is_typed_right_behind_the_token_is_typed_once_the_console_is_there(stage: Stage) -> None:
    stage.ports.gate.clear()
    client = await asked(stage)
    await client.send(stage.token())
    await client.send("\r")
    await client.send(b"ls\r")
    await stage.until(lambda: stage.ports.dials)
    stage.ports.gate.set()
    await stage.until(lambda: stage.ports.opened and stage.ports.last.typed == b"\rls\r")
    await client.close()


async def test_a_token_and_keys_in_one_read_are_both_taken(stage: Stage) -> None:
    client = await asked(stage)
    token = stage.token()
    client.transport.write(frame(token.encode()) + frame(b"x\r"))
    await stage.until(lambda: stage.ports.opened and stage.ports.last.typed == b"x\r")
    await client.close()


def frame(payload: bytes) -> bytes:
    """A masked text frame, by a mask of zeros."""
    size = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + len(payload).to_bytes(2)
    return b"\x81" + size + bytes(4) + payload


async def test_more_than_some_lines_before_the_console_is_there_is_too_much(stage: Stage) -> None:
    stage.ports.gate.clear()
    client = await asked(stage)
    await client.send(stage.token())
    await client.send("x" * EARLY_BYTES)
    await stage.until(lambda: stage.ports.dials)
    await client.send("x")
    assert (await closed(client))[:2] == (4400, "InvalidRequest")
    await stage.until(lambda: stage.control_plane.detached == [("ada", "ConnectionLost", 0, 0)])
    stage.ports.gate.set()


async def test_nothing_is_shown_before_the_token_came_and_nothing_is_lost(stage: Stage) -> None:
    other = await stage.comes("bob", Mode.WATCH)
    stage.ports.last.listener.printed(b"before, ")
    client = await asked(stage)
    stage.ports.last.listener.printed(b"between, ")
    await other.sees(b"between, ")
    await client.send(stage.token())
    await stage.until(lambda: "ada" in runner(stage).viewers)
    stage.ports.last.listener.printed(b"after")
    await sees(client, b"before, between, after")
    await client.close()


@pytest.mark.parametrize("said", ["", "x" * 5000, b"{token}", ["{token}", "x"], "{token}\r", "Bearer {token}", "\r"])
async def test_what_is_not_the_token_to_the_byte_closes(stage: Stage, said: str | bytes | list[str]) -> None:
    token = stage.token()
    client = await asked(stage)
    match said:
        case bytes():
            await client.send(token.encode())
        case str():
            await client.send(said.replace("{token}", token))
        case _:
            await client.send([part.replace("{token}", token) for part in said])
    assert await closed(client) == (4401, "TokenInvalid", [])
    assert not stage.control_plane.attached
    await stage.until(lambda: not stage.relay.acceptor.quota.taken)


async def test_every_refusal_of_a_token_closes_with_its_code(stage: Stage) -> None:
    spent, late = stage.token(), stage.token(issued_at=1_000, expires_at=1_030)
    await (await stage.dial(spent)).leave()
    for token, reason in ((late, "TokenExpired"), (spent, "TokenReplayed"), (stage.token("bob"), "TokenInvalid")):
        client = await asked(stage)
        await client.send(token)
        assert await closed(client) == (4401, reason, [])
    stage.control_plane.refusal = refuse(Code.CONSOLE_DISABLED_BY_POLICY)
    client = await asked(stage)
    await client.send(stage.token())
    code, why, _ = await closed(client)
    assert why == "ConsoleDisabledByPolicy"
    assert code is not None
    assert 4000 <= code < 5000
    assert [line["code"] for line in stage.log if line["event"] == "refused"][-4:] == [
        "TokenExpired", "TokenReplayed", "TokenInvalid", "ConsoleDisabledByPolicy",
    ]  # fmt: skip


async def test_a_vm_that_cannot_be_reached_closes_with_the_reason_and_frees_the_console(stage: Stage) -> None:
    stage.ports.refusal = refuse(Code.VM_NOT_RUNNING)
    client = await asked(stage)
    await client.send(stage.token())
    assert (await closed(client))[1] == "VmNotRunning"
    await stage.until(lambda: stage.control_plane.detached == [("ada", "VmNotRunning", 0, 0)])


async def test_a_proof_that_takes_too_long_is_given_up(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unproven_sockets, "PROOF_SECONDS", 0.05)
    stage.ports.gate.clear()
    client = await asked(stage)
    await client.send(stage.token())
    assert (await closed(client))[1] == "GatewayTimeout"
    await stage.until(lambda: stage.control_plane.detached == [("ada", "ConnectionLost", 0, 0)])
    stage.ports.gate.set()


async def test_silence_has_a_deadline_and_gives_its_place_back(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert azure_viewer.EXCHANGE_SECONDS == 10
    monkeypatch.setattr(azure_viewer, "EXCHANGE_SECONDS", 0.05)
    client = await dial(stage)
    assert await closed(client) == (4401, "TokenInvalid", [BANNER])
    await stage.until(lambda: not stage.relay.acceptor.quota.taken)


async def test_a_token_that_trickles_in_has_the_same_deadline(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(azure_viewer, "EXCHANGE_SECONDS", 0.2)
    client = await asked(stage)

    async def trickle() -> AsyncIterator[str]:
        while True:
            yield "x"
            await asyncio.sleep(0.02)

    with pytest.raises(ConnectionClosed):
        await client.send(trickle())
    assert (client.close_code, client.close_reason) == (4401, "TokenInvalid")


async def test_one_peer_has_so_many_places_and_another_is_served(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unproven_sockets, "MOST_OF_A_PEER", 2)
    held = [await asked(stage, seen_as="10.0.0.9, 192.0.2.1") for _ in range(2)]
    assert await refused(dial(stage, seen_as="192.0.2.1")) == (429, "TooManyRequests")
    assert await refused(dial(stage, seen_as="forged, 192.0.2.1")) == (429, "TooManyRequests")
    other = await asked(stage, seen_as="192.0.2.2")
    await held[0].send(stage.token())
    await stage.until(lambda: stage.relay.acceptor.quota.taken == 2)
    again = await asked(stage, seen_as="192.0.2.1")
    for client in (*held, other, again):
        await client.close()
    await stage.until(lambda: not stage.relay.acceptor.quota.taken)
    assert not stage.relay.acceptor.quota._peers


async def test_all_peers_together_have_so_many_places_and_our_own_dialect_needs_none(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unproven_sockets, "MOST", 1)
    held = await asked(stage, seen_as="192.0.2.1")
    assert await refused(dial(stage, seen_as="192.0.2.2")) == (429, "TooManyRequests")
    assert await stage.comes("bob")
    await held.close()


async def test_who_leaves_while_it_is_proved_frees_the_console(stage: Stage) -> None:
    stage.ports.gate.clear()
    client = await asked(stage)
    await client.send(stage.token())
    await stage.until(lambda: stage.ports.dials)
    client.transport.abort()
    await stage.until(lambda: stage.control_plane.detached == [("ada", "ConnectionLost", 0, 0)])
    stage.ports.gate.set()
    assert not stage.relay.grants
    assert not stage.relay.acceptor.quota.taken


async def test_who_is_fenced_while_it_is_proved_hears_why(stage: Stage) -> None:
    stage.ports.gate.clear()
    client = await asked(stage)
    await client.send(stage.token())
    await stage.until(lambda: stage.ports.dials)
    stage.relay.fence(stage.grant("x").vm, 3, "Alan")
    stage.ports.gate.set()
    assert await closed(client) == (4001, "SessionSuperseded", [])


@pytest.mark.parametrize("proving", [False, True])
async def test_while_the_relay_drains_nobody_is_kept_waiting(stage: Stage, *, proving: bool) -> None:
    client = await asked(stage)
    if proving:
        stage.ports.gate.clear()
        await client.send(stage.token())
        await stage.until(lambda: stage.ports.dials)
    draining = asyncio.create_task(stage.relay.drain())
    assert await closed(client) == (4009, "RelayDraining", [])
    stage.ports.gate.set()
    await draining


async def test_the_request_has_one_correlation_id_from_the_door_to_the_end(stage: Stage) -> None:
    wanted = "7d1f0000-0000-4000-8000-000000000001"
    client = await connect(
        address(stage),
        compression=None,
        proxy=None,
        open_timeout=PATIENCE,
        additional_headers={"x-ms-correlation-request-id": wanted},
    )
    await client.send(stage.token())
    await stage.until(lambda: stage.relay.runners and runner(stage).viewers)
    await client.close()
    await stage.until(lambda: len(stage.control_plane.correlations) == 2)
    assert stage.control_plane.correlations == [("attach", wanted), ("detach", wanted)]


@pytest.mark.parametrize("origin", ["http://evil", "null", "http://127.0.0.1:1"])
async def test_a_page_of_another_origin_is_not_even_asked(stage: Stage, origin: str) -> None:
    assert await refused(dial(stage, origin=origin)) == (403, "CallerNotPermitted")


@pytest.mark.parametrize("origin", [PAGE, "http://127.0.0.1:{port}", "https://127.0.0.1:{port}"])
async def test_our_page_and_clients_that_write_the_address_as_origin_are_asked(stage: Stage, origin: str) -> None:
    await (await asked(stage, origin=origin.replace("{port}", str(stage.port)))).close()


async def test_where_the_dialect_is_off_there_is_nothing_at_the_address() -> None:
    async with staged(compatibility=Compatibility.OFF) as off:
        assert await refused(dial(off)) == (404, "NotFound")


async def test_a_token_in_the_subprotocols_is_none_here(stage: Stage) -> None:
    client = await connect(
        address(stage),
        compression=None,
        proxy=None,
        open_timeout=PATIENCE,
        subprotocols=["console.v1"],  # type: ignore[list-item]
    )
    assert client.subprotocol is None
    assert await client.recv() == BANNER
    await client.close()


async def test_the_token_is_in_no_log(
    stage: Stage, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(1)
    for name in ("picows.server", "picows.client", "asyncio"):
        caplog.set_level(1, name)
    caplog.set_level(logging.CRITICAL, "websockets")  # the test's own client may say what it sends
    token, wrong = stage.token(), stage.token("bob")
    client = await asked(stage)
    await client.send(token)
    await stage.until(lambda: stage.relay.runners and runner(stage).viewers)
    await client.close()
    other = await asked(stage)
    await other.send(wrong)
    await closed(other)
    said = json.dumps(stage.log) + caplog.text + "".join(capfd.readouterr())
    for each in (token, wrong):
        assert each[-20:] not in said
