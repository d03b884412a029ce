"""What each generation asks before bytes flow, spoken as the public clients of its time speak."""

import asyncio
from contextlib import suppress
from http import HTTPStatus

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from dev.gateway import handshake
from dev.gateway.behaviour import TEXTS, Refusing
from dev.gateway.handshake import BANNER
from dev.machines.machine import State
from tests.dev.gateway.conftest import TOKEN, Bench, read
from tests.patience import PATIENCE

NOT_TRUSTED = (1011, "Connection not trusted")
IN_ADDRESS = f"?authorization={TOKEN}"


async def goodbye(socket: ClientConnection) -> tuple[int, str, list[str | bytes]]:
    """Code, reason, and what came before."""
    before: list[str | bytes] = []
    async with asyncio.timeout(PATIENCE):
        while (message := await next_of(socket)) is not None:
            before.append(message)
    return socket.close_code or 0, socket.close_reason or "", before


async def next_of(socket: ClientConnection) -> str | bytes | None:
    with suppress(ConnectionClosed):
        return await socket.recv()
    return None


async def refused(bench: Bench, query: str = "", machine: str = "web-01") -> int:
    with pytest.raises(InvalidStatus) as caught:
        async with bench.dial(machine, query):
            pass
    return caught.value.response.status_code


@pytest.mark.parametrize(
    "said", ["\r", "forged", "for-somebody-else", "no-keys", TOKEN.encode(), f"{TOKEN}\r", f" {TOKEN}", ""]
)
async def test_what_is_no_good_token_is_not_trusted(bench: Bench, said: str | bytes) -> None:
    async with bench.dial() as socket:
        assert await socket.recv() == BANNER
        await socket.send(said)
        assert (await goodbye(socket))[:2] == NOT_TRUSTED
    assert bench.machines["web-01"].acts == []


async def test_a_token_that_never_comes_is_waited_for_so_long(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshake, "TOKEN_SECONDS", 0.05)
    async with bench.dial() as socket:
        assert await goodbye(socket) == (*NOT_TRUSTED, [BANNER])


async def test_who_speaks_before_the_gateway_is_not_trusted(bench: Bench) -> None:
    await bench.behaves(banner_seconds=PATIENCE)
    async with bench.dial() as socket:
        await socket.send(TOKEN)
        assert await goodbye(socket) == (*NOT_TRUSTED, [])


async def test_a_gateway_may_take_its_time_to_speak(bench: Bench) -> None:
    await bench.behaves(banner_seconds=0.05)
    async with bench.connected():
        await bench.until_attached()


async def test_a_second_token_is_typed_into_the_vm(bench: Bench) -> None:
    async with bench.connected() as socket:
        await socket.send(TOKEN)
        await bench.machines["web-01"].wait_for_typing(TOKEN.encode())


async def test_the_first_generation_takes_the_address_for_proof_and_types_what_comes(bench: Bench) -> None:
    await bench.behaves(generation="2021")
    async with bench.dial(query=f"{IN_ADDRESS}&new=1") as socket:
        await bench.until_attached()
        bench.machines["web-01"].print(b"login: ")
        assert await read(socket, 7) == b"login: "
        await socket.send(TOKEN)
        await bench.machines["web-01"].wait_for_typing(TOKEN.encode())


@pytest.mark.parametrize("generation", ["2021", "2024"])
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", HTTPStatus.UNAUTHORIZED),
        ("?authorization=forged", HTTPStatus.UNAUTHORIZED),
        ("?authorization=for-somebody-else&new=1", HTTPStatus.FORBIDDEN),
        ("?authorization=no-keys&new=1", HTTPStatus.SERVICE_UNAVAILABLE),
    ],
)
async def test_the_older_generations_refuse_an_address_without_a_good_token(
    bench: Bench, generation: str, query: str, status: HTTPStatus
) -> None:
    await bench.behaves(generation=generation)
    assert await refused(bench, query) == status


async def test_spring_2024_wants_the_token_twice_more_and_nothing_of_that_is_typed(bench: Bench) -> None:
    await bench.behaves(generation="2024")
    async with bench.dial(query=f"{IN_ADDRESS}&new=1") as socket:
        await socket.send(TOKEN)
        assert await socket.recv() == BANNER
        assert (await bench.listed())["connected"] is False
        await socket.send(TOKEN)
        await bench.until_attached()
        await socket.send("x")
        await bench.machines["web-01"].wait_for_typing(b"x")
    assert bench.machines["web-01"].typed == b"x"


@pytest.mark.parametrize("times", [0, 1])
async def test_spring_2024_does_not_trust_another_token_than_that_of_the_address(bench: Bench, times: int) -> None:
    await bench.behaves(generation="2024")
    async with bench.dial(query=f"{IN_ADDRESS}&new=1") as socket:
        for _ in range(times):
            await socket.send(TOKEN)
        await socket.send("something else")
        assert (await goodbye(socket))[:2] == NOT_TRUSTED


async def test_spring_2024_serves_the_clients_before_it_too(bench: Bench) -> None:
    await bench.behaves(generation="2024")
    async with bench.dial(query=IN_ADDRESS) as socket:
        await bench.until_attached()
        bench.machines["web-01"].print(b"$ ")
        assert await read(socket, 2) == b"$ "


@pytest.mark.parametrize("why", [Refusing.IN_PROGRESS, Refusing.PROVISIONING, Refusing.STOPPED])
async def test_a_good_token_may_be_refused_in_three_ways(bench: Bench, why: Refusing) -> None:
    await bench.behaves(refusing=why, telling="close")
    async with bench.connected() as socket:
        assert await goodbye(socket) == (1011, TEXTS[why][:123], [])
    await bench.behaves(telling="frame")
    async with bench.connected() as socket:
        assert await goodbye(socket) == (1011, "", [f"{TEXTS[why]}\r\n"])
    await bench.behaves(telling="status")
    assert await refused(bench) == HTTPStatus.CONFLICT


async def test_a_machine_that_is_off_is_refused_and_not_booted(bench: Bench) -> None:
    async with bench.connected("web-02") as socket:
        assert await goodbye(socket) == (1011, TEXTS[Refusing.STOPPED][:123], [])
    assert bench.machines["web-02"].state is State.STOPPED
    assert bench.machines["web-02"].acts == []


async def test_a_second_connection_is_refused_where_the_port_is_so(bench: Bench) -> None:
    await bench.behaves(second="is-refused")
    async with bench.connected() as first:
        await bench.until_attached()
        async with bench.connected() as second:
            assert await goodbye(second) == (1011, TEXTS[Refusing.IN_PROGRESS], [])
        bench.machines["web-01"].print(b"still there")
        assert await read(first, 11) == b"still there"
    await bench.until_attached(attached=False)
    async with bench.connected():
        await bench.until_attached()


def passes(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """For every timer of this process, all at once."""
    loop = asyncio.get_running_loop()
    before = loop.time
    monkeypatch.setattr(loop, "time", lambda: before() + seconds)


async def test_a_silent_client_is_let_go_without_a_word_and_a_typing_one_is_not(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.behaves(idle_seconds=PATIENCE)
    async with bench.connected() as socket:
        for count in range(1, 5):
            await socket.send("x")
            await bench.machines["web-01"].wait_for_typing(b"x" * count)
            passes(monkeypatch, PATIENCE / 2)
        assert (await bench.listed())["connected"] is True
        passes(monkeypatch, PATIENCE)
        assert await goodbye(socket) == (1000, "", [])


async def test_maintenance_closes_without_a_word(bench: Bench) -> None:
    async with bench.connected() as socket:
        await bench.until_attached()
        await bench.control("/machines/web-01/break-port", mode="maintain")
        assert await goodbye(socket) == (1001, "", [])
