"""What Azure's boot diagnostics keeps of a VM, for whoever may read its transcript; on record like every read."""

from shared.access.ports import BootLog, Picture
from shared.base.caller import Caller
from shared.base.refusals import Refusal
from shared.base.vm import VmId
from shared.session.dependencies import Dependencies
from shared.transcript.flows.archive import Archive
from shared.transcript.flows.read_recorded import record_read
from shared.transcript.flows.read_transcript import permitted


async def boot_log(
    dependencies: Dependencies, archive: Archive, caller: Caller, vm: VmId, most: int
) -> BootLog | Refusal:
    """Its last `most` bytes. Raises Unavailable."""
    if refusal := await permitted(dependencies, caller, vm):
        return refusal
    return await _on_record(archive, caller, vm, "boot log", await dependencies.boot_logs.log(caller, vm, most))


async def boot_screenshot(dependencies: Dependencies, archive: Archive, caller: Caller, vm: VmId) -> Picture | Refusal:
    """Raises Unavailable."""
    if refusal := await permitted(dependencies, caller, vm):
        return refusal
    return await _on_record(archive, caller, vm, "boot screenshot", await dependencies.boot_logs.screenshot(caller, vm))


async def _on_record[T: BootLog | Picture](
    archive: Archive, caller: Caller, vm: VmId, what: str, result: T | Refusal
) -> T | Refusal:
    if not isinstance(result, Refusal):
        await record_read(archive, caller, vm, what)
    return result
