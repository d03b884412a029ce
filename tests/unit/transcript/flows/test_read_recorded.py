"""Who reads is on record, and what is read is found by the names that people know."""

import pytest

from shared.base.record import Record, RecordKind
from shared.base.refusals import Code, Refusal
from shared.base.vm import VmId
from shared.transcript.flows.read_recorded import last_mark, record_read, recording_of, session_of, show_reads
from shared.transcript.ports import Read
from tests.contract.memory_archive import MemoryArchive
from tests.fakes import NOW, VM, FakeDependencies, person
from tests.unit.transcript.flows.archived import CONSOLE, archived, batch

HERE = VmId.parse(CONSOLE)
S = 1_000_000


@pytest.fixture
async def kept() -> MemoryArchive:
    """Two recordings with a boot each; in the second somebody is still there."""
    made = MemoryArchive()
    for at, epoch in ((0, "e1"), (100 * S, "e2")):
        records = [
            Record.event(1, at + S, "attach", session=f"s-{epoch}", user="Ada", mode="write"),
            Record(RecordKind.PRINTED, 2, at + 2 * S, b"Linux version 6\n"),
            Record.event(3, at + 3 * S, "detach", session=f"s-{epoch}", user="Ada"),
            Record.event(4, at + 3 * S, "attach", session=f"t-{epoch}", user="Grace", mode="watch"),
            Record.end(5, at + 4 * S, "goodbye"),
        ]
        await archived(made.transcripts, [batch(*(records if epoch == "e1" else records[:4]), epoch=epoch)])
    return made


async def test_a_read_is_shown_to_those_who_administer_newest_first(fakes: FakeDependencies) -> None:
    made = MemoryArchive()
    await record_read(made.archive, person(), VM, "format=raw")
    made.clock.time += 1
    await record_read(made.archive, person("grace", "Grace"), VM, "search")
    found = await show_reads(fakes.dependencies, made.archive, person(), VM)
    assert found == [
        Read(NOW + 1, "t1.grace", "Grace", "search"), Read(NOW, "t1.ada", "Ada", "format=raw")
    ]  # fmt: skip
    fakes.rights.lacking["ada"] = ["Microsoft.SerialConsole/serialPorts/write"]
    refused = await show_reads(fakes.dependencies, made.archive, person(), VM)
    assert isinstance(refused, Refusal)
    assert refused.code is Code.ADMINISTRATION_DENIED


async def test_a_recording_is_found_by_its_id(kept: MemoryArchive) -> None:
    found = await recording_of(kept.archive, HERE, "e2")
    assert found
    assert (found.start, found.end, found.ended_us) == (16, 32, None)
    assert await recording_of(kept.archive, HERE, "e3") is None


async def test_a_session_lasts_until_it_ends_or_its_recording_does(kept: MemoryArchive) -> None:
    assert await session_of(kept.archive, HERE, "s-e1") == (S, 3 * S)
    assert await session_of(kept.archive, HERE, "t-e1") == (3 * S, 4 * S)
    assert await session_of(kept.archive, HERE, "t-e2") == (103 * S, None)
    assert await session_of(kept.archive, HERE, "nobody") is None


async def test_the_last_boot_is_the_newest(kept: MemoryArchive) -> None:
    mark = await last_mark(kept.archive, HERE, "boot")
    assert mark
    assert (mark.offset, mark.time_us) == (16, 102 * S)
    assert await last_mark(kept.archive, HERE, "panic") is None
