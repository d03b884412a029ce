"""Reading that is itself on record: before anything is handed out, it is written down who reads what."""

from collections.abc import Sequence

from shared.access.policy import Scope
from shared.base.caller import Caller
from shared.base.refusals import Refusal
from shared.base.vm import VmId
from shared.session.dependencies import Dependencies
from shared.session.flows.change_policy import administers
from shared.transcript.flows.archive import Archive
from shared.transcript.flows.index_transcript import recordings
from shared.transcript.ports import Read
from shared.transcript.recordings import Mark, Recording

SHOWN = 500


async def record_read(archive: Archive, caller: Caller, vm: VmId, what: str) -> None:
    """Raises Unavailable."""
    await archive.reads.add(vm.console, Read(archive.clock.now(), caller.subject, caller.name, what))


async def show_reads(
    dependencies: Dependencies, archive: Archive, caller: Caller, vm: VmId
) -> Sequence[Read] | Refusal:
    """To those who administer the VM, the newest first. Raises Unavailable."""
    if refusal := await administers(dependencies, caller, Scope.of_vm(vm)):
        return refusal
    return await archive.reads.newest(vm.console, SHOWN)


async def recording_of(archive: Archive, vm: VmId, epoch: str) -> Recording | None:
    """Raises StillIndexing, Unavailable."""
    known_recordings = await recordings(archive.index, archive.transcripts, vm.console)
    return next((each for each in known_recordings if each.id == epoch), None)


async def session_of(archive: Archive, vm: VmId, session: str) -> tuple[int, int | None] | None:
    """From when until when somebody was there, us since 1970; None: it is not on record. Raises StillIndexing,
    Unavailable.
    """
    for each in await recordings(archive.index, archive.transcripts, vm.console):
        for person in each.people:
            if person.session == session:
                return person.began_us, person.ended_us or each.ended_us
    return None


async def last_mark(archive: Archive, vm: VmId, kind: str) -> Mark | None:
    """The newest of its kind: boot, panic. Raises StillIndexing, Unavailable."""
    known_recordings = await recordings(archive.index, archive.transcripts, vm.console)
    return next(
        (mark for each in reversed(known_recordings) for mark in reversed(each.marks) if mark.kind == kind), None
    )
