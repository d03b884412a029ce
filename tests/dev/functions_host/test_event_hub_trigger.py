# ruff: noqa: ARG002 - a fake takes what the real one takes
import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from azure_functions_runtime.bindings.datumdef import Datum

from dev.functions_host import stopping as waiting
from dev.functions_host.checkpoints import Checkpoint
from dev.functions_host.event_hub_trigger import EventHubTrigger
from dev.functions_host.messages import TypedData
from dev.functions_host.ownership import NOBODY
from dev.functions_host.worker import Attempt, Function, FunctionFailed
from tests.dev.functions_host.fakes import PARTITION, FakeCheckpoints, FakeHub, FakeOwnerships
from tests.patience import PATIENCE

RETRY_ONCE = SimpleNamespace(max_retry_count=1, delay_interval=timedelta(seconds=0))


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "FIRST_WAIT", 0.001)


class Recorder:
    """Stands for the worker: keeps every call; bodies named `bad` fail; with `gate`, calls wait for it."""

    def __init__(self) -> None:
        self.calls: list[list[bytes]] = []
        self.metadata: list[dict[str, TypedData]] = []
        self.gate: asyncio.Event | None = None

    async def invoke(
        self, function: Function, trigger: TypedData, metadata: dict[str, TypedData], attempt: Attempt
    ) -> Any:
        batch = trigger.collection_bytes.bytes if hasattr(trigger, "collection_bytes") else [trigger.bytes]
        self.calls.append(batch)
        self.metadata.append(metadata)
        if self.gate:
            await self.gate.wait()
        if b"bad" in batch:
            raise FunctionFailed("ValueError: bad")


class Scene:
    def __init__(self, *bodies: bytes, kept: Checkpoint | None = None) -> None:
        self.hub, self.checkpoints, self.worker = FakeHub(*bodies), FakeCheckpoints(kept), Recorder()
        self.ownerships, self.stopping = FakeOwnerships(), asyncio.Event()

    @asynccontextmanager
    async def running(self, *, retry: Any = None, batch: int = 100, many: bool = True) -> AsyncIterator[None]:
        function = Function("1", "ingest", (), retry)
        trigger = EventHubTrigger(
            self.worker,
            function,
            self.hub,
            self.checkpoints,
            self.ownerships,
            self.stopping,
            start="-1",
            batch=batch,
            many=many,
            interval=0.01,
            expiry=3600,
        )
        task = asyncio.create_task(trigger.run())
        try:
            yield
        finally:
            self.stopping.set()
            await asyncio.wait_for(task, PATIENCE)

    async def until_reached(self, sequence_number: int) -> None:
        kept = Checkpoint(sequence_number, f"@{sequence_number}")
        await until(lambda: self.checkpoints.kept == kept)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - the condition is another task's, and no event tells of it
            await asyncio.sleep(0.001)


async def test_a_batch_arrives_in_order_and_its_checkpoint_is_kept() -> None:
    scene = Scene(b"a", b"b")
    async with scene.running():
        await scene.until_reached(1)
        scene.hub.send(b"c")
        await scene.until_reached(2)
    assert scene.worker.calls == [[b"a", b"b"], [b"c"]]


async def test_a_batch_is_no_larger_than_the_setting() -> None:
    scene = Scene(b"a", b"b", b"c")
    async with scene.running(batch=2):
        await scene.until_reached(2)
    assert scene.worker.calls == [[b"a", b"b"], [b"c"]]


async def test_cardinality_one_means_one_event_per_call() -> None:
    scene = Scene(b"a", b"b")
    async with scene.running(many=False):
        await scene.until_reached(1)
    assert scene.worker.calls == [[b"a"], [b"b"]]
    assert json.loads(scene.worker.metadata[1]["SystemProperties"].json)["SequenceNumber"] == 1


async def test_a_reader_goes_on_after_its_checkpoint() -> None:
    scene = Scene(b"a", b"b", kept=Checkpoint(0, "@0"))
    async with scene.running():
        await scene.until_reached(1)
    assert scene.worker.calls == [[b"b"]]


async def test_a_failing_function_is_retried_and_then_passed_over() -> None:
    scene = Scene(b"bad")
    async with scene.running(retry=RETRY_ONCE):
        await scene.until_reached(0)
    assert scene.worker.calls == [[b"bad"], [b"bad"]]


async def test_the_checkpoint_waits_for_the_function() -> None:
    scene = Scene(b"a")
    scene.worker.gate = asyncio.Event()
    async with scene.running():
        await until(lambda: scene.worker.calls == [[b"a"]])
        assert scene.checkpoints.kept is None
        scene.worker.gate.set()
        await scene.until_reached(0)


async def test_a_hub_that_is_away_at_first_is_asked_again() -> None:
    scene = Scene(b"a")
    scene.hub.refusals = 3
    async with scene.running():
        await scene.until_reached(0)


async def test_a_hub_that_breaks_off_is_read_on_where_it_was() -> None:
    scene = Scene(b"a")
    async with scene.running():
        await scene.until_reached(0)
        scene.hub.break_off()
        await until(lambda: scene.hub.positions == ["-1", 0])
        scene.hub.send(b"b")
        await scene.until_reached(1)
    assert scene.worker.calls == [[b"a"], [b"b"]]


async def test_storage_that_is_away_delays_but_loses_nothing() -> None:
    scene = Scene(b"a")
    scene.checkpoints.refusals = 3
    async with scene.running():
        await scene.until_reached(0)
        scene.checkpoints.refusals = 2
        scene.hub.send(b"b")
        await scene.until_reached(1)
    assert scene.worker.calls == [[b"a"], [b"b"]]


async def test_a_hub_younger_than_its_checkpoint_is_read_from_the_start() -> None:
    scene = Scene(b"a", kept=Checkpoint(500, "@500"))
    async with scene.running():
        await scene.until_reached(0)
    assert scene.worker.calls == [[b"a"]]


async def test_a_stopping_host_lets_the_call_in_hand_end_and_will_hand_its_events_over_again() -> None:
    scene = Scene(b"a")
    scene.worker.gate = asyncio.Event()
    async with scene.running(batch=1):
        await until(lambda: scene.worker.calls == [[b"a"]])
        scene.hub.send(b"b")
        scene.stopping.set()
        await asyncio.sleep(0)
        scene.worker.gate.set()
    assert scene.checkpoints.kept is None
    assert scene.worker.calls == [[b"a"]]


async def test_a_stopping_host_gives_its_partitions_back() -> None:
    scene = Scene(b"a")
    async with scene.running():
        await scene.until_reached(0)
        assert set(scene.ownerships.owners()) == {"0"}
        assert NOBODY not in scene.ownerships.owners().values()
    assert scene.ownerships.owners() == {"0": NOBODY}


async def test_a_partition_that_another_reader_took_is_read_again_while_it_is_this_hosts() -> None:
    scene = Scene(b"a")
    async with scene.running():
        await scene.until_reached(0)
        scene.hub.steal()
        scene.hub.send(b"b")
        await scene.until_reached(1)
    assert scene.worker.calls == [[b"a"], [b"b"]]


async def test_a_partition_that_another_host_claimed_is_left() -> None:
    scene = Scene(b"a")
    async with scene.running():
        await scene.until_reached(0)
        while await scene.ownerships.claim(PARTITION, "another", scene.ownerships.by_partition["0"].etag) is None:
            continue
        await until(lambda: not scene.hub.readers)
        scene.hub.send(b"b")
    assert scene.worker.calls == [[b"a"]]
    assert scene.ownerships.owners() == {"0": "another"}


async def test_storage_that_is_away_takes_no_partition_from_its_reader() -> None:
    scene = Scene(b"a")
    async with scene.running():
        await scene.until_reached(0)
        scene.ownerships.refusals = 5
        await until(lambda: scene.ownerships.refusals == 0)
        scene.hub.send(b"b")
        await scene.until_reached(1)
    assert scene.hub.positions == ["-1"]


async def test_a_stopping_host_keeps_no_checkpoint_for_a_batch_whose_retries_did_not_end() -> None:
    scene = Scene(b"bad")
    async with scene.running(retry=SimpleNamespace(max_retry_count=-1, delay_interval=timedelta(hours=1))):
        await until(lambda: bool(scene.worker.calls))
    assert scene.checkpoints.kept is None


async def test_the_metadata_is_that_of_the_extension() -> None:
    scene = Scene(b"a", b"b")
    scene.hub.events[1] = replace(scene.hub.events[1], offset="77", partition_key="k")
    async with scene.running():
        await until(lambda: scene.checkpoints.kept is not None)
    metadata = {name: Datum.from_typed_data(value).python_value for name, value in scene.worker.metadata[0].items()}
    assert metadata["PartitionContext"] == {
        "FullyQualifiedNamespace": "namespace",
        "EventHubName": "records",
        "ConsumerGroup": "$Default",
        "PartitionId": "0",
        "IsCheckpointingAfterInvocation": True,
    }
    assert metadata["TriggerPartitionContext"] == metadata["PartitionContext"]
    assert [event["Offset"] for event in metadata["SystemPropertiesArray"]] == ["@0", "77"]
    assert metadata["PropertiesArray"] == [{}, {}]
    assert metadata["SequenceNumberArray"] == [0, 1]
    assert metadata["OffsetArray"][1] == 77
    assert metadata["OffsetStringArray"] == ["@0", "77"]
    assert metadata["PartitionKeyArray"] == ["k"]  # what has no key is left out
    assert [datetime.fromisoformat(time) for time in metadata["EnqueuedTimeUtcArray"]] == [
        event.enqueued for event in scene.hub.events
    ]
