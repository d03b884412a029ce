from shared.access.ports import BootLog, Picture
from shared.base.refusals import Code, Refusal, refuse
from shared.transcript.flows.show_boot_log import boot_log, boot_screenshot
from tests.contract.memory_archive import MemoryArchive
from tests.fakes import VM, FakeDependencies, person, without_read


async def test_who_may_read_the_transcript_reads_the_boot_log_and_that_is_on_record(fakes: FakeDependencies) -> None:
    made = MemoryArchive()
    found = await boot_log(fakes.dependencies, made.archive, person(), VM, 8)
    assert found == BootLog(fakes.boot_logs.kept[-8:], len(fakes.boot_logs.kept) - 8)
    assert await boot_screenshot(fakes.dependencies, made.archive, person(), VM) == Picture(b"BM", "image/bmp")
    reads = await made.archive.reads.newest(VM.console, 10)
    assert {each.what for each in reads} == {"boot log", "boot screenshot"}


async def test_who_may_not_gets_neither(fakes: FakeDependencies) -> None:
    made = MemoryArchive()
    fakes.rights.lacking["ada"] = without_read()
    for found in (
        await boot_log(fakes.dependencies, made.archive, person(), VM, 8),
        await boot_screenshot(fakes.dependencies, made.archive, person(), VM),
    ):
        assert isinstance(found, Refusal)
        assert found.code is Code.TRANSCRIPT_PERMISSION_DENIED
    assert not await made.archive.reads.newest(VM.console, 10)


async def test_what_is_not_there_is_no_read(fakes: FakeDependencies) -> None:
    made = MemoryArchive()
    fakes.boot_logs.refusal = refuse(Code.BOOT_LOG_NOT_FOUND)
    assert await boot_log(fakes.dependencies, made.archive, person(), VM, 8) == fakes.boot_logs.refusal
    assert not await made.archive.reads.newest(VM.console, 10)
