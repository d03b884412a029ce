"""The .NET client, which the real host listens with, gets from the stand-in what it gets from the service."""

import asyncio
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.dev.event_hubs.dotnet_client import Event, dotnet_client
from tests.dev.event_hubs.stand_in import Lane, StandIn, running, until
from tests.host_parts import needs_host_parts

pytestmark = [needs_host_parts, pytest.mark.asyncio(loop_scope="session")]
MIB = 1 << 20
NAMES = ("0", "1", "2", "3")


async def test_five_hundred_sends_at_once_arrive_once_and_in_order(tmp_path: Path) -> None:
    with running(StandIn(partitions=4)) as hub:
        async with dotnet_client(hub.connection_string, tmp_path) as client:
            sends = [client.send(b"%d" % n, partition=NAMES[n % 4], properties={"n": str(n)}) for n in range(500)]
            assert set(await asyncio.gather(*sends)) == {None}
            await client.until_taken(500)
            for name in NAMES:
                assert [event.sequence for event in client.events[name]] == list(range(125))
            taken = [event for name in NAMES for event in client.events[name]]
            assert {event.body for event in taken} == {b"%d" % n for n in range(500)}
            assert all(event.properties == {"n": event.body.decode()} for event in taken)
        async with dotnet_client(hub.connection_string, tmp_path, consumerGroup="another") as second:
            await second.until_taken(500)
            assert sum(map(len, second.events.values())) == 500


async def test_one_key_stays_in_one_partition(tmp_path: Path) -> None:
    with running(StandIn(partitions=4)) as hub:
        async with dotnet_client(hub.connection_string, tmp_path) as client:
            for n in range(5):
                assert await client.send(b"%d" % n, partitionKey="web-01") is None
            await client.until_taken(5)
            (events,) = client.events.values()
            assert [(event.body, event.key) for event in events] == [(b"%d" % n, "web-01") for n in range(5)]


async def test_what_cannot_be_sent_is_refused_in_the_clients_own_words(tmp_path: Path) -> None:
    with running() as hub:
        async with dotnet_client(hub.connection_string, tmp_path) as client:
            too_large = await client.send(b"x" * (MIB + 1), partition="0")
            assert "is larger than is currently allowed" in (too_large or "")
            nowhere = await client.send(b"x", partition="17")
            assert "ArgumentOutOfRangeException" in (nowhere or "")
            assert await client.send(b"x", partition="0") is None


async def test_a_batch_that_fails_comes_again_and_holds_up_its_own_partition_alone(tmp_path: Path) -> None:
    failing = True

    async def takes(batch: Sequence[Event]) -> bool:
        return not (failing and batch[0].partition == "0")

    with running() as hub:
        async with dotnet_client(hub.connection_string, tmp_path, takes) as client:
            await client.send(b"first", partition="0")
            await client.until(lambda: len(client.refused) >= 2)
            await client.send(b"other", partition="1")
            await client.until(lambda: bool(client.events["1"]))
            assert not client.events["0"]
            failing = False
            await client.until(lambda: bool(client.events["0"]))
            assert [tries for tries, _ in client.refused][:2] == [0, 1]


async def test_after_a_broken_connection_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    with running() as hub:
        async with dotnet_client(hub.connection_string, tmp_path) as client:
            await client.send(b"before", partition="0")
            await client.until_taken(1)
            hub.admin("/disconnect", {})
            assert await client.send(b"after", partition="0") is None
            await client.until_taken(2)
            assert [event.sequence for event in client.events["0"]] == [0, 1]


async def test_a_reader_that_is_sent_away_is_back(tmp_path: Path) -> None:
    with running() as hub:
        async with dotnet_client(hub.connection_string, tmp_path) as client:
            await client.send(b"before", partition="0")
            await client.until_taken(1)
            hub.admin("/detach", {})
            await client.send(b"after", partition="0")
            await client.until_taken(2)
            assert [event.body for event in client.events["0"]] == [b"before", b"after"]


async def test_a_hub_that_is_killed_and_started_again_goes_on(tmp_path: Path) -> None:
    hub = StandIn(tmp_path / "data")
    with running(hub):
        async with dotnet_client(hub.connection_string, tmp_path) as client:
            await client.send(b"before", partition="0")
            await client.until_taken(1)
            hub.restart(signal.SIGKILL)
            assert await client.send(b"after", partition="0") is None
            await client.until_taken(2)
            assert [event.sequence for event in client.events["0"]] == [0, 1]


async def test_what_the_dotnet_client_sends_pythons_client_reads_and_the_other_way_round(
    own: Lane, tmp_path: Path
) -> None:
    async with dotnet_client(own.stand_in.connection_string, tmp_path) as client:
        await client.send(b"of .NET", partition="0")
        await own.send("of Python")
        await client.until_taken(2)
        assert await own.bodies(2, group="python") == ["of .NET", "of Python"]
        await until(lambda: len(client.events["0"]) == 2)
