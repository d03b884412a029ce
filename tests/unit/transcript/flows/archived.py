"""Transcripts to read, written by the archiver."""

from collections.abc import Sequence

from shared.base.record import Batch, Record, Source
from shared.transcript.archive_plan import DEFAULT_LIMITS, SegmentLimits
from shared.transcript.flows.archive_records import Archived, KnownEnds, archive_records
from tests.contract.memory_transcripts import MemoryTranscripts

CONSOLE = (
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourcegroups/g/providers/microsoft.compute/virtualmachines/v"
)


def batch(*records: Record, epoch: str = "e1", console: str = CONSOLE) -> Batch:
    return Batch(Source(console, epoch, "relay-1"), records)


async def archived(
    transcripts: MemoryTranscripts, batches: Sequence[Batch], limits: SegmentLimits = DEFAULT_LIMITS
) -> Archived:
    """One delivery to a fresh process."""
    return await archive_records([each.encode() for each in batches], transcripts, KnownEnds(), limits)


def segments(transcripts: MemoryTranscripts) -> list[bytes]:
    return [bytes(blob) for _, blob in sorted(transcripts.blobs.items())]
