"""Faults ordered through the admin port reach the SDK as the service's would."""

import json
import urllib.error

import pytest
from azure.eventhub.exceptions import EventHubError

from tests.dev.event_hubs.stand_in import Lane, until

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),  # the SDK forgets the socket of a broken connection
]
BUSY = "com.microsoft:server-busy"


async def test_a_busy_server_surfaces_and_nothing_is_stored(own: Lane) -> None:
    own.stand_in.admin("/faults", {"send": {"count": 1, "reject": BUSY}})
    with pytest.raises(EventHubError, match="server-busy"):
        await own.send("busy")
    assert own.state["empty"]
    await own.send("later")
    assert own.state["last"] == 0


async def test_a_lost_acknowledgement_stores_twice(own: Lane) -> None:
    own.stand_in.admin("/faults", {"send": {"count": 1, "drop": True}})
    await own.send("twice")
    assert await own.bodies(2) == ["twice", "twice"]


async def test_a_late_acknowledgement_is_waited_for(own: Lane) -> None:
    state = own.stand_in.admin("/faults", {"send": {"count": 1, "delay_ms": 50}})
    assert state["faults"] == {"send": {"count": 1, "delay_ms": 50}}
    await own.send("late")
    assert own.stand_in.admin()["faults"] == {}
    assert own.state["last"] == 0


@pytest.mark.parametrize("fault", ["/disconnect", "/detach"])
async def test_clients_recover_and_no_event_is_lost_or_repeated(own: Lane, fault: str) -> None:
    await own.send("before")
    async with own.reading() as reading:
        await reading.wait_for(1)
        own.stand_in.admin(fault)
        await own.send("after")
        await reading.wait_for(2)
    assert [event.body_as_str() for event in reading.events] == ["before", "after"]
    await own.close()
    await until(lambda: not own.state["readers"])


async def test_broken_connections_leave_no_readers_behind(own: Lane) -> None:
    async with own.reading():
        await own.until_read()
    own.stand_in.admin("/disconnect")
    await until(lambda: not own.state["readers"])
    await own.close()
    await until(lambda: own.stand_in.admin()["connections"] == 0)


@pytest.mark.parametrize(
    ("order", "problem"),
    [
        ({"receive": {}}, "there is no fault 'receive', only 'send'"),
        ({}, "'send' is missing"),
        ({"send": {"count": -1}}, "'count' must be 0 or a positive whole number"),
        ({"send": {"count": 1}}, "name one of 'reject', 'drop' and 'delay_ms'"),
        ({"send": {"count": 1, "explode": True}}, "'explode' is unknown or has a bad value"),
    ],
)
async def test_a_fault_that_makes_no_sense_is_named(lane: Lane, order: object, problem: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refusal:
        lane.stand_in.admin("/faults", order)
    with refusal.value as answer:
        assert (answer.code, json.load(answer)) == (400, {"error": problem})


async def test_an_unknown_admin_path_is_not_found(lane: Lane) -> None:
    with pytest.raises(urllib.error.HTTPError) as refusal:
        lane.stand_in.admin("/explode")
    with refusal.value as answer:
        assert answer.code == 404
