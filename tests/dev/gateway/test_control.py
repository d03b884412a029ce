import asyncio
from http import HTTPStatus

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.dev.gateway.conftest import Bench, read


async def test_it_says_that_it_is_healthy(bench: Bench) -> None:
    async with bench.http.get(f"http://localhost:{bench.gateway.control_port}/healthz") as answer:
        assert answer.status == HTTPStatus.OK


async def test_the_list_tells_state_connection_and_bytes_printed(bench: Bench) -> None:
    async with bench.connected():
        await bench.until_attached()
        bench.machines["web-01"].print(b"12345")
        assert await bench.listed() == {
            "name": "web-01",
            "kind": "pty",
            "state": "running",
            "reason": "",
            "connected": True,
            "printed": 5,
        }
    assert (await bench.listed("web-02"))["state"] == "stopped"


async def test_machines_are_started_reset_and_stopped(bench: Bench) -> None:
    for path in ("start", "reset", "stop?grace=1.5"):
        assert (await bench.control(f"/machines/web-02/{path}")).status == HTTPStatus.OK
    assert bench.machines["web-02"].acts == ["start", "reset", "stop 1.5"]


async def test_resetting_a_stopped_machine_is_a_conflict(bench: Bench) -> None:
    assert (await bench.control("/machines/web-02/reset")).status == HTTPStatus.CONFLICT


async def test_unknown_machines_and_modes_are_refused(bench: Bench) -> None:
    assert (await bench.control("/machines/web-99/start")).status == HTTPStatus.NOT_FOUND
    assert (await bench.control("/machines/web-01/break-port", mode="melt")).status == HTTPStatus.BAD_REQUEST
    assert (await bench.control("/machines/web-01/stop?grace=soon")).status == HTTPStatus.BAD_REQUEST


async def test_closing_a_port_cuts_the_client_off_without_a_goodbye(bench: Bench) -> None:
    async with bench.connected() as socket:
        await bench.until_attached()
        await bench.control("/machines/web-01/break-port", mode="close")
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is None
        bench.machines["web-01"].print(b"after")
    async with bench.connected() as socket:
        assert await read(socket, 5) == b"after"


async def test_a_refusing_port_answers_503_until_it_is_restored(bench: Bench) -> None:
    await bench.control("/machines/web-01/break-port", mode="refuse")
    with pytest.raises(InvalidStatus) as refused:
        async with bench.dial():
            pass
    assert refused.value.response.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    await bench.control("/machines/web-01/break-port", mode="restore")
    async with bench.connected():
        await bench.until_attached()


async def test_a_stalled_port_moves_nothing_until_it_is_restored(bench: Bench) -> None:
    machine = bench.machines["web-01"]
    async with bench.connected() as socket:
        await bench.until_attached()
        await bench.control("/machines/web-01/break-port", mode="stall")
        machine.print(b"held back")
        await socket.send(b"typed")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.recv(), 0.1)
        assert machine.typed == b""
        await bench.control("/machines/web-01/break-port", mode="restore")
        assert await read(socket, 9) == b"held back"
        await machine.wait_for_typing(b"typed")


async def test_a_stalled_client_can_be_replaced(bench: Bench) -> None:
    async with bench.connected():
        await bench.until_attached()
        await bench.control("/machines/web-01/break-port", mode="stall")
        async with bench.connected() as second:
            bench.machines["web-01"].print(b"news")
            await bench.control("/machines/web-01/break-port", mode="restore")
            assert await read(second, 4) == b"news"


async def test_a_ports_behaviour_is_told_and_changed_and_what_it_has_not_is_refused(bench: Bench) -> None:
    address = f"http://localhost:{bench.gateway.control_port}/machines/web-01/behaviour"
    async with bench.http.get(address) as answer:
        before = await answer.json()
    async with bench.http.post(address, json={"replay_bytes": 5}) as answer:
        assert await answer.json() == before | {"replay_bytes": 5}
    for wrong in ({"replay": 5}, {"replay_bytes": "many"}, {"replay_bytes": True}, [1]):
        async with bench.http.post(address, json=wrong) as answer:
            assert answer.status == HTTPStatus.BAD_REQUEST
    async with bench.http.get(address) as answer:
        assert await answer.json() == before | {"replay_bytes": 5}
