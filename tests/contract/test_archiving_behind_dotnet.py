"""The archiver fed by the .NET client that the real host's trigger is built on: as exact as behind our own listener."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest

from shared.base.record import Record, RecordKind
from shared.transcript.archive_plan import SegmentLimits
from shared.transcript.blobs.transcripts import BlobTranscripts, blob_service
from shared.transcript.flows.archive_records import KnownEnds, archive_records
from tests.contract.test_archiving import printed
from tests.dev.event_hubs.dotnet_client import DotnetClient, Event, dotnet_client
from tests.dev.event_hubs.stand_in import StandIn, running
from tests.host_parts import needs_host_parts
from tests.unit.transcript.flows.archived import batch

pytestmark = needs_host_parts
SMALL = SegmentLimits(segment_blocks=3)
COUNT = 60
CONSOLES = 3


@dataclass
class Archiver:
    """The archive function behind the client. Batches in `lost`, by number, are archived, and answered failed."""

    transcripts: BlobTranscripts
    lost: frozenset[int] = frozenset()
    calls: int = 0
    tails: KnownEnds = field(default_factory=KnownEnds)

    async def takes(self, events: Sequence[Event]) -> bool:
        self.calls += 1
        await archive_records([event.body for event in events], self.transcripts, self.tails, SMALL)
        return self.calls not in self.lost


@pytest.fixture
async def transcripts(storage: str) -> AsyncIterator[BlobTranscripts]:
    async with blob_service(storage) as service:
        yield BlobTranscripts(service)


@pytest.fixture
def consoles() -> list[str]:
    group = f"/subscriptions/{uuid4()}/resourcegroups/g/providers/microsoft.compute/virtualmachines"
    return [f"{group}/v{number}" for number in range(CONSOLES)]


def body(number: int) -> bytes:
    return b"%d \xff\x1b[1m\r\n" % number


async def sends(client: DotnetClient, consoles: Sequence[str], first: int, end: int) -> None:
    """A record for each number and console, each console in a partition of its own."""
    for number in range(first, end):
        for place, console in enumerate(consoles):
            event = batch(Record(RecordKind.PRINTED, number + 1, number, body(number)), console=console).encode()
            assert await client.send(event, partition=str(place)) is None


async def test_batches_that_come_again_are_archived_once_and_in_order(
    transcripts: BlobTranscripts, consoles: list[str], tmp_path: Path
) -> None:
    archiver = Archiver(transcripts, lost=frozenset({1, 3, 4}))
    with running(StandIn(partitions=CONSOLES)) as hub:
        async with dotnet_client(hub.connection_string, tmp_path, archiver.takes, maxEventBatchSize=16) as client:
            await sends(client, consoles, 0, COUNT)
            await client.until_taken(COUNT * CONSOLES)
            assert client.refused, "some batches came again"
    for console in consoles:
        assert await printed(transcripts, console) == [body(number) for number in range(COUNT)]


async def test_a_listener_that_is_killed_and_a_second_consumer_group_add_nothing(
    transcripts: BlobTranscripts, consoles: list[str], tmp_path: Path
) -> None:
    """Each new client begins at the oldest event, as a host whose checkpoints are old does."""
    with running(StandIn(partitions=CONSOLES)) as hub:
        for group, first, end in (("$Default", 0, 20), ("$Default", 20, 40), ("another", 40, COUNT)):
            archiver = Archiver(transcripts)
            async with dotnet_client(hub.connection_string, tmp_path, archiver.takes, consumerGroup=group) as client:
                await sends(client, consoles, first, end)
                await client.until_taken(end * CONSOLES)
    for console in consoles:
        assert await printed(transcripts, console) == [body(number) for number in range(COUNT)]
