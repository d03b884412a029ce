"""What the SDK sends is what the SDK reads."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from azure.eventhub import EventData
from azure.eventhub.exceptions import EventHubError

from tests.dev.event_hubs.stand_in import HUB, StandIn, until

MIB = 1 << 20


async def test_an_event_goes_to_the_partition_it_was_sent_to(hub: StandIn):
    await hub.send("here", partition="1")
    assert await hub.bodies(1, partition_id="1") == ["here"]
    assert hub.partition("0")["empty"]


async def test_events_of_many_batches_keep_their_order(hub: StandIn):
    async with hub.producer() as producer:
        for number in range(20):
            batch = await producer.create_batch(partition_id="0")
            for index in range(10):
                batch.add(EventData(str(number * 10 + index)))
            await producer.send_batch(batch)
    events = await hub.read(200)
    assert [event.body_as_str() for event in events] == [str(number) for number in range(200)]
    assert [event.sequence_number for event in events] == list(range(200))


async def test_one_key_stays_in_one_partition_and_in_order(hub: StandIn):
    async with hub.producer() as producer:
        for number in range(4):
            await producer.send_batch([EventData(str(number))], partition_key="web-01")
    places = [partition["id"] for partition in hub.admin()["hubs"][HUB] if not partition["empty"]]
    assert len(places) == 1
    events = await hub.read(4, partition_id=places[0])
    assert [(event.body_as_str(), event.partition_key) for event in events] == [(str(n), b"web-01") for n in range(4)]


async def test_the_service_stamps_sequence_number_offset_and_time(hub: StandIn):
    before = datetime.now(UTC)
    await hub.send("first", "second")
    first, second = await hub.read(2)
    assert (first.sequence_number, second.sequence_number) == (0, 1)
    assert int(second.offset) > int(first.offset) == 0
    assert abs(first.enqueued_time - before) < timedelta(seconds=20)


async def test_properties_of_every_type_survive(hub: StandIn):
    event = EventData(b"\x00\xff")
    event.properties = {"i": 1, "f": 1.5, "s": "ü", "b": b"\x01", "t": True, "u": uuid.UUID(int=5)}
    event.message_id, event.correlation_id, event.content_type = "m", "c", "x/y"
    async with hub.producer() as producer:
        await producer.send_event(event, partition_id="0")
    (got,) = await hub.read(1)
    assert got.properties == {b"i": 1, b"f": 1.5, b"s": "ü".encode(), b"b": b"\x01", b"t": True, b"u": uuid.UUID(int=5)}
    assert (got.message_id, got.correlation_id, got.content_type) == ("m", "c", "x/y")


async def test_a_binary_body_is_exact_to_its_trailing_zeros(hub: StandIn):
    body = bytes(range(256)) + b"\x00" * 64
    await hub.send(body)
    (got,) = await hub.read(1)
    assert b"".join(got.body) == body


async def test_an_event_of_almost_one_mebibyte_arrives_whole(hub: StandIn):
    body = bytes(range(256)) * 4094
    await hub.send(body)
    (got,) = await hub.read(1)
    assert b"".join(got.body) == body


async def test_a_larger_event_is_refused(hub: StandIn):
    async with hub.producer() as producer:
        batch = await producer.create_batch(partition_id="0")
        assert batch.max_size_in_bytes == MIB
        with pytest.raises(ValueError, match="size limit"):
            batch.add(EventData(b"x" * MIB))
        with pytest.raises(EventHubError):
            await producer.send_event(EventData(b"x" * (MIB + 1)), partition_id="0")
    assert hub.partition()["empty"]


async def test_partition_properties_tell_the_last_event(hub: StandIn):
    async with hub.producer() as producer:
        empty = await producer.get_partition_properties("0")
        await producer.send_batch([EventData("a"), EventData("b")], partition_id="0")
        full = await producer.get_partition_properties("0")
    assert (empty["is_empty"], empty["last_enqueued_sequence_number"], empty["last_enqueued_offset"]) == (
        True,
        -1,
        "-1",
    )
    assert (full["is_empty"], full["beginning_sequence_number"], full["last_enqueued_sequence_number"]) == (False, 0, 1)
    _, last = await hub.read(2)
    assert full["last_enqueued_offset"] == last.offset
    assert full["last_enqueued_time_utc"] == last.enqueued_time


async def test_hub_properties_tell_the_partitions(hub: StandIn):
    async with hub.producer() as producer:
        told = await producer.get_eventhub_properties()
    assert (told["eventhub_name"], told["partition_ids"]) == (HUB, ["0", "1"])


async def test_two_consumer_groups_each_get_everything(hub: StandIn):
    await hub.send("a", "b")
    assert await hub.bodies(2, group="archive") == ["a", "b"]
    assert await hub.bodies(2, group="watch") == ["a", "b"]


async def test_a_reader_attached_while_events_arrive_gets_each_once(hub: StandIn):
    await hub.send("0")
    async with hub.reading() as reading, hub.producer() as producer:
        for number in range(1, 200):
            await producer.send_event(EventData(str(number)), partition_id="0")
        await reading.wait_for(200)
    assert [event.sequence_number for event in reading.events] == list(range(200))


async def test_a_reader_may_track_the_last_event_of_the_partition(hub: StandIn):
    await hub.send("a", "b", "c")
    async with hub.reading(track_last_enqueued_event_properties=True) as reading:
        await reading.wait_for(3)
    assert reading.told[-1]["sequence_number"] == 2


async def test_a_higher_owner_level_takes_the_partition_and_a_lower_one_is_refused(hub: StandIn):
    async with hub.reading(owner_level=1) as owner:
        await hub.until_read()
        async with hub.reading(owner_level=0) as late:
            await until(lambda: late.errors)
        assert not owner.errors
        async with hub.reading(owner_level=2) as thief:
            await until(lambda: owner.errors)
            assert not thief.errors


async def test_an_unknown_partition_and_an_unknown_hub_are_refused(hub: StandIn):
    async with hub.producer(retry_total=0) as producer:
        with pytest.raises(EventHubError):
            await producer.send_event(EventData("x"), partition_id="9")
    with pytest.raises(EventHubError, match="could not be found"):
        await send_to_unknown_hub(hub)


async def send_to_unknown_hub(hub: StandIn) -> None:
    unknown = type(hub.producer()).from_connection_string(hub.connection_string, eventhub_name="unknown", retry_total=0)
    async with unknown:
        await unknown.send_event(EventData("x"))
