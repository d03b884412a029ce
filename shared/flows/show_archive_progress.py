"""How far a console's archive is behind what its relay has recorded."""

import asyncio

from shared.domain.archive_progress import ArchiveProgress, RecordedLast, archive_progress
from shared.domain.segment import DamagedSegment
from shared.domain.vm import VmId
from shared.flows.find_tail import Segments, find_tail
from shared.ports import Relays, Unavailable

RELAY_SECONDS = 2.0
"""What a relay that does not answer may cost whoever reads."""


async def show_archive_progress(relays: Relays, transcripts: Segments, vm: VmId) -> ArchiveProgress:
    """The relay is asked first: what it records meanwhile would else count as behind. Raises Unavailable."""
    recorded = await _recorded_last(relays, vm)
    try:
        kept = (await find_tail(vm.console, transcripts)).epochs
    except DamagedSegment:  # verification says where
        return archive_progress(None, {})
    return archive_progress(recorded, kept)


async def _recorded_last(relays: Relays, vm: VmId) -> RecordedLast | None:
    try:
        async with asyncio.timeout(RELAY_SECONDS):
            return await relays.recorded_last(vm)
    except (Unavailable, TimeoutError):
        return None
