"""RecordSink: the fake and the real adapter on the Event Hubs stand-in, through the same tests."""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Any, cast

import pytest
from azure.eventhub import EventData

from shared.base.ports import Unavailable
from shared.base.record import Batch, Record, RecordKind, Source
from shared.transcript.eventhub.records import EventHubRecords, partition_of
from tests.contract.memory_records import Fate, MemoryRecords
from tests.dev.event_hubs.stand_in import HUB, StandIn, until

SOURCES = [Source(f"/vm/{n}", f"000000000000000{n}-00000001", "relay-1") for n in range(6)]
RECORDS = [Record(RecordKind.PRINTED, 1, 5, b"\0\xffprinted"), Record.event(2, 6, "attach", by="Ana")]
ENCODED = [record.encode() for record in RECORDS]

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""The SDK leaves the sockets of connections that broke to the garbage collector."""


@pytest.fixture(autouse=True)
def _collect() -> Iterator[None]:
    yield
    gc.collect()


@pytest.fixture(scope="module")
def hub() -> Iterator[StandIn]:
    stand_in = StandIn()
    stand_in.start()
    try:
        yield stand_in
    finally:
        stand_in.stop()


@pytest.fixture
async def adapter(hub: StandIn) -> AsyncIterator[EventHubRecords]:
    records = EventHubRecords(hub.connection_string, HUB)
    yield records
    await records.close()


@pytest.fixture(params=["memory", "event hub"])
def sink(request: pytest.FixtureRequest) -> MemoryRecords | EventHubRecords:
    if request.param == "memory":
        return MemoryRecords()
    found: EventHubRecords = request.getfixturevalue("adapter")
    return found


type Sink = MemoryRecords | EventHubRecords


def ill(sink: Sink, hub: StandIn, fate: Fate | None) -> None:
    """From now on every send has this fate; None: all is well again."""
    if isinstance(sink, MemoryRecords):
        sink.fates.clear()
        sink.fates.extend([fate] if fate else [])
        return
    fault: dict[str, Any] = {"reject": "com.microsoft:server-busy"} if fate is Fate.REFUSED else {"drop": True}
    hub.admin("/faults", {"send": {"count": 99 if fate else 0, **fault}})


async def stored(sink: Sink, hub: StandIn, before: dict[str, int]) -> list[Batch]:
    """What was stored since `before`."""
    return sink.stored if isinstance(sink, MemoryRecords) else [batch for _, batch in await arrived(hub, before)]


async def arrived(hub: StandIn, before: dict[str, int]) -> list[tuple[str, Batch]]:
    """Each event with its partition, in the order of the partition."""
    found: list[tuple[str, Batch]] = []
    count = sum(following(hub)[partition] - first for partition, first in before.items())

    async def take(context: Any, events: Sequence[EventData]) -> None:
        found.extend(
            (context.partition_id, Batch.decode(b"".join(cast("Iterable[bytes]", event.body)))) for event in events
        )

    consumer = hub.consumer("$Default")
    start = {partition: first - 1 if first else "-1" for partition, first in before.items()}
    receiving = asyncio.create_task(consumer.receive_batch(take, starting_position=start))
    await until(lambda: len(found) >= count)
    await consumer.close()
    await receiving
    return found


def following(hub: StandIn) -> dict[str, int]:
    """Partitions, and the sequence number that comes next in each."""
    return {each["id"]: each["last"] + 1 for each in hub.admin()["hubs"][HUB]}


@pytest.fixture
def before(hub: StandIn) -> dict[str, int]:
    return following(hub)


async def test_a_run_of_records_is_stored_as_one_event(sink: Sink, hub: StandIn, before: dict[str, int]) -> None:
    await sink.send(SOURCES[0], ENCODED)
    assert await stored(sink, hub, before) == [Batch(SOURCES[0], tuple(RECORDS))]


async def test_a_consoles_runs_are_stored_in_the_order_they_were_sent(
    sink: Sink, hub: StandIn, before: dict[str, int]
) -> None:
    for seq in range(1, 30):
        await sink.send(SOURCES[1], [Record(RecordKind.PRINTED, seq, 1, b"x").encode()])
    batches = await stored(sink, hub, before)
    assert [batch.records[0].seq for batch in batches] == list(range(1, 30))


@pytest.mark.parametrize("fate", [Fate.REFUSED, Fate.ANSWER_LOST])
async def test_a_send_without_an_answer_is_unavailable_and_the_next_one_works(
    sink: Sink, hub: StandIn, before: dict[str, int], fate: Fate
) -> None:
    await sink.send(SOURCES[2], ENCODED)
    ill(sink, hub, fate)
    with pytest.raises(Unavailable, match=r"^event hub: ") as caught:
        await sink.send(SOURCES[2], ENCODED)
    assert "Shared" not in str(caught.value)
    ill(sink, hub, None)
    await sink.send(SOURCES[2], ENCODED)
    count = len(sink.stored) if isinstance(sink, MemoryRecords) else sum(following(hub).values()) - sum(before.values())
    assert count == 2 if fate is Fate.REFUSED else count > 2


async def test_every_console_keeps_its_partition_and_consoles_spread(
    adapter: EventHubRecords, hub: StandIn, before: dict[str, int]
) -> None:
    expected = dict(before)
    for source in SOURCES * 2:
        await adapter.send(source, ENCODED)
        expected[partition_of(source.console, list(before))] += 1
        assert following(hub) == expected
    assert all(expected[each] > before[each] for each in before)


def stuck(sink: Sink, hub: StandIn, source: Source, partitions: Iterable[str]) -> None:
    """This console's partition does not answer any more."""
    if isinstance(sink, MemoryRecords):
        sink.blocked[source.console] = asyncio.Event()
        return
    fault = {"count": 99, "delay_ms": 600_000, "partition": partition_of(source.console, list(partitions))}
    hub.admin("/faults", {"send": fault})


async def test_a_partition_without_an_answer_stalls_no_other(sink: Sink, hub: StandIn, before: dict[str, int]) -> None:
    mine, others = SOURCES[0], [s for s in SOURCES if partition_of(s.console, list(before)) != partition_of(
        SOURCES[0].console, list(before))]  # fmt: skip
    stuck(sink, hub, mine, before)
    waiting = asyncio.create_task(sink.send(mine, ENCODED))
    for source in others * 3:
        await sink.send(source, ENCODED)
    assert others
    assert not waiting.done()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    ill(sink, hub, None)


async def test_a_partition_that_refuses_disturbs_no_other(
    adapter: EventHubRecords, hub: StandIn, before: dict[str, int]
) -> None:
    one, *rest = sorted(SOURCES, key=lambda source: partition_of(source.console, list(before)))
    other = rest[-1]
    await adapter.send(other, ENCODED)
    fault = {"count": 99, "reject": "com.microsoft:server-busy", "partition": partition_of(one.console, list(before))}
    hub.admin("/faults", {"send": fault})
    refused = asyncio.create_task(adapter.send(one, ENCODED))
    while not refused.done():
        await adapter.send(other, ENCODED)  # would be Unavailable, if it were disturbed
    with pytest.raises(Unavailable):
        await refused
    await adapter.send(other, ENCODED)
    ill(adapter, hub, None)


def test_the_partition_does_not_depend_on_the_order_of_their_list() -> None:
    assert partition_of("/vm/a", ["2", "0", "1"]) == partition_of("/vm/a", ["0", "1", "2"])


async def test_a_hub_that_is_away_is_unavailable_and_served_again_when_it_is_back() -> None:
    stand_in = StandIn()
    records = EventHubRecords(stand_in.connection_string, HUB)
    with pytest.raises(Unavailable, match=r"^event hub: \w+"):
        await records.send(SOURCES[0], ENCODED)
    stand_in.start()
    try:
        await records.send(SOURCES[0], ENCODED)
    finally:
        await records.close()
        stand_in.stop()


async def test_a_connection_string_that_is_none_is_not_repeated_in_the_error() -> None:
    records = EventHubRecords("Endpoint=;SharedAccessKey=very-secret", HUB)
    with pytest.raises(Unavailable) as caught:
        await records.send(SOURCES[0], ENCODED)
    assert "secret" not in str(caught.value)
    await records.close()


async def test_a_namespace_is_opened_with_the_credential() -> None:
    asked: list[str] = []

    class Credential:
        async def get_token(self, *scopes: str, **_: Any) -> None:
            asked.extend(scopes)
            raise ValueError("no token today")

    records = EventHubRecords("name.servicebus.invalid", HUB, Credential())
    with pytest.raises(Unavailable):
        await records.send(SOURCES[0], ENCODED)
    await records.close()
