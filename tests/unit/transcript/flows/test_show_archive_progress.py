import asyncio

import pytest

from shared.base.archive_progress import ArchiveProgress, ArchiveState, RecordedLast
from shared.base.ports import Dependency, Unavailable
from shared.base.record import Record, RecordKind
from shared.base.vm import VmId
from shared.transcript.flows import show_archive_progress as module
from shared.transcript.flows.show_archive_progress import show_archive_progress
from tests.contract.memory_transcripts import MemoryTranscripts
from tests.fakes import VM, FakeRelays
from tests.unit.transcript.flows.archived import archived, batch


@pytest.fixture
async def transcripts() -> MemoryTranscripts:
    made = MemoryTranscripts()
    await archived(made, [batch(Record(RecordKind.PRINTED, 1, 1, b"x"), console=VM.console)])
    return made


async def test_the_relays_number_is_held_to_the_archives(transcripts: MemoryTranscripts) -> None:
    relays = FakeRelays(last=RecordedLast("e1", 4, 9.0))
    assert await show_archive_progress(relays, transcripts, VM) == ArchiveProgress(ArchiveState.BEHIND, 3, 9.0)


async def test_a_relay_that_cannot_be_asked_makes_no_answer_fail(transcripts: MemoryTranscripts) -> None:
    relays = FakeRelays(fail=Unavailable(Dependency.RELAY, "gone"))
    assert (await show_archive_progress(relays, transcripts, VM)).state is ArchiveState.UNKNOWN


async def test_a_relay_that_does_not_answer_costs_a_bounded_time(
    transcripts: MemoryTranscripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Silent(FakeRelays):
        async def recorded_last(self, vm: VmId) -> RecordedLast | None:  # noqa: ARG002 - nobody
            await asyncio.Event().wait()
            return None

    monkeypatch.setattr(module, "RELAY_SECONDS", 0.01)
    assert (await show_archive_progress(Silent(), transcripts, VM)).state is ArchiveState.UNKNOWN


async def test_a_damaged_segment_is_verifications_to_tell(transcripts: MemoryTranscripts) -> None:
    transcripts.blobs[VM.console, 0] += b"torn"
    relays = FakeRelays(last=RecordedLast("e1", 4, 9.0))
    assert (await show_archive_progress(relays, transcripts, VM)).state is ArchiveState.UNKNOWN
