import asyncio
from http import HTTPStatus
from uuid import uuid4

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from dev.gateway.handshake import BANNER
from dev.machines.machine import State
from tests.dev.gateway.conftest import TOKEN, Bench, read
from tests.patience import PATIENCE


async def test_bytes_pass_raw_in_both_directions(bench: Bench) -> None:
    async with bench.connected() as socket:
        await socket.send("uname\r")
        await socket.send(b"\x03\xff")
        await bench.machines["web-01"].wait_for_typing(b"uname\r\x03\xff")
        bench.machines["web-01"].print(b"\x00\xfe\r\nlogin: ")
        assert await read(socket, 11) == b"\x00\xfe\r\nlogin: "


async def test_the_first_connection_boots_a_machine_that_waits_for_one(bench: Bench) -> None:
    async with bench.connected():
        await bench.until_attached()
        assert bench.machines["web-01"].state is State.RUNNING
    async with bench.connected():
        assert bench.machines["web-01"].acts == ["start"]


async def test_an_unknown_machine_is_not_found(bench: Bench) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with bench.dial("web-99"):
            pass
    assert refused.value.response.status_code == HTTPStatus.NOT_FOUND


async def test_nothing_printed_is_sent_before_the_token_came(bench: Bench) -> None:
    await bench.control("/machines/web-01/start")
    bench.machines["web-01"].print(b"early")
    async with bench.dial() as socket:
        assert await socket.recv() == BANNER
        assert (await bench.listed())["connected"] is False
        await socket.send(TOKEN)
        assert await read(socket, 5) == b"early"


async def test_the_last_connection_wins(bench: Bench) -> None:
    async with bench.connected() as first:
        await bench.until_attached()
        async with bench.connected() as second:
            with pytest.raises(ConnectionClosed) as closed:
                await first.recv()
            bench.machines["web-01"].print(b"for the second")
            assert await read(second, 14) == b"for the second"
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1000, "")


async def test_where_nothing_is_replayed_what_is_printed_to_nobody_is_the_next_clients(bench: Bench) -> None:
    await bench.behaves(replay_bytes=0)
    async with bench.connected() as socket:
        bench.machines["web-01"].print(b"one ")
        assert await read(socket, 4) == b"one "
    await bench.until_attached(attached=False)
    bench.machines["web-01"].print(b"two ")
    async with bench.connected() as socket:
        assert await read(socket, 4) == b"two "
        bench.machines["web-01"].print(b"three")
        assert await read(socket, 5) == b"three"
    assert bench.witnessed() == b"one two three"


async def test_a_stopping_machine_ends_the_connection_after_its_last_byte(bench: Bench) -> None:
    async with bench.connected() as socket:
        await bench.until_attached()
        bench.machines["web-01"].print(b"Power down")
        assert (await bench.control("/machines/web-01/stop")).status == HTTPStatus.OK
        assert await read(socket, 10) == b"Power down"
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1001


async def test_a_big_burst_arrives_whole_and_in_order(bench: Bench) -> None:
    parts = [f"line {number}\r\n".encode() for number in range(50_000)]
    whole = b"".join(parts)
    async with bench.connected() as socket:
        await bench.until_attached()
        for number, part in enumerate(parts):
            bench.machines["web-01"].print(part)
            if number % 500 == 0:
                await asyncio.sleep(0)
        assert await read(socket, len(whole)) == whole
    assert bench.witnessed() == whole


async def command(bench: Bench, name: str, body: object, token: str = TOKEN) -> int:
    """At the session that was dialled last."""
    headers = {"Authorization": f"Bearer {token}"}
    address = f"https://{bench.last}/adminCommand/{name}"
    async with bench.http.post(address, json=body, headers=headers, ssl=bench.trust) as answer:
        return answer.status


def body(name: str, **parameters: str) -> dict[str, object]:
    return {"command": name, "requestId": str(uuid4()), "commandParameters": parameters}


async def test_admin_commands_reach_the_machine(bench: Bench) -> None:
    async with bench.connected():
        await bench.until_attached()
        assert await command(bench, "reset", body("reset")) == HTTPStatus.OK
        assert await command(bench, "nmi", body("nmi")) == HTTPStatus.OK
        assert await command(bench, "sysrq", body("sysrq", SysRqCommand="h")) == HTTPStatus.OK
    assert bench.machines["web-01"].acts == ["start", "reset", "nmi", "sysrq h"]


async def test_admin_commands_need_a_good_token_and_a_running_machine(bench: Bench) -> None:
    async with bench.connected():
        await bench.until_attached()
        assert await command(bench, "nmi", body("nmi"), token="forged") == HTTPStatus.UNAUTHORIZED
        bench.machines["web-01"].state = State.STOPPED
        assert await command(bench, "nmi", body("nmi")) == HTTPStatus.CONFLICT


async def test_admin_commands_are_taken_beside_an_open_connection_alone(bench: Bench) -> None:
    await bench.control("/machines/web-01/start")
    bench.session()
    assert await command(bench, "nmi", body("nmi")) == HTTPStatus.NOT_FOUND
    async with bench.connected():
        await bench.until_attached()
    await bench.until_attached(attached=False)
    assert await command(bench, "nmi", body("nmi")) == HTTPStatus.NOT_FOUND
    assert bench.machines["web-01"].acts == ["start"]


async def test_an_address_is_good_for_one_connection(bench: Bench) -> None:
    async with bench.connected():
        await bench.until_attached()
    again = connect(f"wss://{bench.last}/client", ssl=bench.trust, proxy=None, open_timeout=PATIENCE)
    with pytest.raises(InvalidStatus) as refused:
        await again
    assert refused.value.response.status_code == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("sysrq", body("sysrq", SysRqCommand="; rm")),
        ("sysrq", body("sysrq")),
        ("nmi", body("reset")),
        ("nmi", ["nmi"]),
    ],
)
async def test_a_malformed_command_is_refused(bench: Bench, name: str, sent: object) -> None:
    async with bench.connected():
        await bench.until_attached()
        assert await command(bench, name, sent) == HTTPStatus.BAD_REQUEST


async def test_a_command_nobody_knows_is_not_found(bench: Bench) -> None:
    bench.session()
    assert await command(bench, "explode", body("explode")) == HTTPStatus.NOT_FOUND


async def test_a_port_that_replays_shows_each_connection_the_end_of_the_boot_log(bench: Bench) -> None:
    await bench.behaves(replay_bytes=8)
    async with bench.connected() as socket:
        await bench.until_attached()
        bench.machines["web-01"].print(b"booting, ")
        assert await read(socket, 9) == b"booting, "
    await bench.until_attached(attached=False)
    bench.machines["web-01"].print(b"seen by nobody")
    for _ in range(2):
        async with bench.connected() as socket:
            assert await read(socket, 8) == b"y nobody"
    async with bench.connected() as socket:
        assert await read(socket, 8) == b"y nobody"
        bench.machines["web-01"].print(b"!")
        assert await read(socket, 1) == b"!"
    assert bench.witnessed() == b"booting, seen by nobody!"
