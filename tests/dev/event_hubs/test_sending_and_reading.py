"""What the SDK sends is what the SDK reads."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import pytest
from azure.eventhub import EventData
from azure.eventhub.exceptions import EventHubError

from tests.dev.event_hubs.stand_in import HUB, Lane, until

if TYPE_CHECKING:
    from collections.abc import Iterable

pytestmark = pytest.mark.asyncio(loop_scope="session")
MIB = 1 << 20


def content(event: EventData) -> bytes:
    return b"".join(cast("Iterable[bytes]", event.body))


async def test_an_event_goes_to_the_partition_it_was_sent_to(lane: Lane) -> None:
    await lane.send("here")
    assert await lane.bodies(1) == ["here"]
    assert lane.state["last"] == 0


async def test_events_of_many_batches_keep_their_order(lane: Lane) -> None:
    for number in range(20):
        batch = await lane.producer.create_batch(partition_id=lane.partition)
        for index in range(10):
            batch.add(EventData(str(number * 10 + index)))
        await lane.producer.send_batch(batch)
    events = await lane.read(200)
    assert [event.body_as_str() for event in events] == [str(number) for number in range(200)]
    assert [event.sequence_number for event in events] == list(range(200))


async def test_one_key_stays_in_one_partition_and_in_order(own: Lane) -> None:
    for number in range(4):
        await own.producer.send_batch([EventData(str(number))], partition_key="web-01")
    (own.partition,) = [part["id"] for part in own.stand_in.admin()["hubs"][HUB] if not part["empty"]]
    events = await own.read(4)
    assert [(event.body_as_str(), event.partition_key) for event in events] == [(str(n), b"web-01") for n in range(4)]


async def test_the_service_stamps_sequence_number_offset_and_time(lane: Lane) -> None:
    before = datetime.now(UTC)
    await lane.send("first", "second")
    first, second = await lane.read(2)
    assert (first.sequence_number, second.sequence_number) == (0, 1)
    assert first.offset == "0" != second.offset
    assert first.enqueued_time
    assert abs(first.enqueued_time - before) < timedelta(seconds=20)


async def test_properties_of_every_type_survive(lane: Lane) -> None:
    event = EventData(b"\x00\xff")
    event.properties = {"i": 1, "f": 1.5, "s": "ü", "b": b"\x01", "t": True, "u": uuid.UUID(int=5)}
    event.message_id, event.correlation_id, event.content_type = "m", "c", "x/y"
    await lane.producer.send_event(event, partition_id=lane.partition)
    (got,) = await lane.read(1)
    assert got.properties == {b"i": 1, b"f": 1.5, b"s": "ü".encode(), b"b": b"\x01", b"t": True, b"u": uuid.UUID(int=5)}
    assert (got.message_id, got.correlation_id, got.content_type) == ("m", "c", "x/y")


async def test_a_binary_body_is_exact_to_its_trailing_zeros(lane: Lane) -> None:
    body = bytes(range(256)) + b"\x00" * 64
    await lane.send(body)
    (got,) = await lane.read(1)
    assert content(got) == body


async def test_an_event_of_almost_one_mebibyte_arrives_whole(lane: Lane) -> None:
    body = bytes(range(256)) * 4094
    await lane.send(body)
    (got,) = await lane.read(1)
    assert content(got) == body


async def test_a_larger_event_is_refused_and_not_stored(lane: Lane) -> None:
    batch = await lane.producer.create_batch(partition_id=lane.partition)
    assert batch.max_size_in_bytes == MIB
    with pytest.raises(ValueError, match="size limit"):
        batch.add(EventData(b"x" * MIB))
    with pytest.raises(EventHubError):
        await lane.producer.send_event(EventData(b"x" * (MIB + 1)), partition_id=lane.partition)
    assert lane.state["empty"]


async def test_partition_properties_tell_the_last_event(lane: Lane) -> None:
    empty = await lane.producer.get_partition_properties(lane.partition)
    assert (empty["is_empty"], empty["last_enqueued_sequence_number"], empty["last_enqueued_offset"]) == (
        True,
        -1,
        "-1",
    )
    await lane.send("a", "b")
    full = await lane.producer.get_partition_properties(lane.partition)
    assert (full["beginning_sequence_number"], full["last_enqueued_sequence_number"]) == (0, 1)
    assert not full["is_empty"]
    _, last = await lane.read(2)
    assert full["last_enqueued_offset"] == last.offset
    assert full["last_enqueued_time_utc"] == last.enqueued_time


async def test_hub_properties_tell_the_partitions(lane: Lane) -> None:
    told = await lane.producer.get_eventhub_properties()
    assert (told["eventhub_name"], told["partition_ids"]) == (HUB, [str(number) for number in range(40)])


async def test_two_consumer_groups_each_get_everything(lane: Lane) -> None:
    await lane.send("a", "b")
    async with lane.reading("archive") as archive, lane.reading("watch") as watch:
        for reading in (archive, watch):
            assert [event.body_as_str() for event in await reading.wait_for(2)] == ["a", "b"]


async def test_a_reader_attached_while_events_arrive_gets_each_once(lane: Lane) -> None:
    sent = 0
    async with lane.reading() as reading:
        while len(reading.events) < 50:  # sending goes on before, while and after it attaches
            await lane.send(str(sent))
            sent += 1
        await reading.wait_for(sent)
    assert [event.sequence_number for event in reading.events] == list(range(sent))


async def test_a_reader_may_track_the_last_event_of_the_partition(lane: Lane) -> None:
    await lane.send("a", "b", "c")
    async with lane.reading(track_last_enqueued_event_properties=True) as reading:
        await reading.wait_for(3)
    assert reading.told[-1]["sequence_number"] == 2


async def test_a_higher_owner_level_takes_the_partition_and_a_lower_one_is_refused(lane: Lane) -> None:
    async with lane.reading(owner_level=1) as owner:
        await lane.until_read()
        async with lane.reading(owner_level=0) as late, lane.reading() as plain:
            await until(lambda: late.errors and plain.errors)
        assert not owner.errors
        async with lane.reading(owner_level=2):
            await until(lambda: owner.errors)
            assert [reader["epoch"] for reader in lane.state["readers"]] == [2]


async def test_an_unknown_partition_is_refused(lane: Lane) -> None:
    async with lane.stand_in.producer(retry_total=0) as producer:
        with pytest.raises(EventHubError):
            await producer.send_event(EventData("x"), partition_id="40")


async def test_an_unknown_hub_is_refused(lane: Lane) -> None:
    async with lane.stand_in.producer(retry_total=0, eventhub_name="unknown") as producer:
        with pytest.raises(EventHubError, match="404"):
            await producer.send_event(EventData("x"))
