"""How far a console's archive is behind what its relay has recorded."""

import asyncio

from shared.base.archive_progress import ArchiveProgress, RecordedLast, archive_progress
from shared.base.ports import Unavailable
from shared.base.vm import VmId
from shared.session.ports import Relays
from shared.transcript.flows.find_end import SegmentList, find_end
from shared.transcript.segment import DamagedSegment

RELAY_SECONDS = 2.0
"""What a relay that does not answer may cost whoever reads."""


async def show_archive_progress(relays: Relays, transcripts: SegmentList, vm: VmId) -> ArchiveProgress:
    """The relay is asked first: what it records meanwhile would else count as behind. Raises Unavailable."""
    recorded = await _recorded_last(relays, vm)
    try:
        archived = (await find_end(vm.console, transcripts)).epochs
    except DamagedSegment:  # verification says where
        return archive_progress(None, {})
    return archive_progress(recorded, archived)


async def _recorded_last(relays: Relays, vm: VmId) -> RecordedLast | None:
    try:
        async with asyncio.timeout(RELAY_SECONDS):
            return await relays.recorded_last(vm)
    except (Unavailable, TimeoutError):
        return None
