"""Which recordings without an end go on, and which are interrupted."""

import asyncio
from collections.abc import Sequence

from shared.base.archive_progress import RecordedLast
from shared.base.ports import Unavailable
from shared.base.vm import VmId
from shared.session.ports import Leases, Relays
from shared.transcript.flows.show_archive_progress import RELAY_SECONDS
from shared.transcript.recording_state import SILENT_SECONDS, RelaySigns, Standing, Unended, standing


async def list_unended(
    open_ones: Sequence[Unended], vm: VmId, leases: Leases, relays: Relays, now: float
) -> dict[str, Standing]:
    """By recording. The relay is asked only about one that is silent. Raises Unavailable."""
    current_relay = relays.of(vm).name
    beats = await _beats({each.recording.relay or current_relay for each in open_ones}, leases)
    quiet = any(now - each.last_at > SILENT_SECONDS and not each.followed for each in open_ones)
    answered, recorded = await _ask_relay(relays, vm) if quiet else (False, None)
    standings = {}
    for each in open_ones:
        by = each.recording.relay or current_relay
        epoch = recorded.epoch if recorded else None
        signs = RelaySigns(beats[by], answered, epoch) if by == current_relay else RelaySigns(beats[by])
        standings[each.recording.id] = standing(each, signs, now)
    return standings


async def show_unended_by_heartbeats(open_ones: Sequence[Unended], leases: Leases, now: float) -> dict[str, Standing]:
    """For upkeep, which asks no relay; their relays are on record. Raises Unavailable."""
    beats = await _beats({each.recording.relay for each in open_ones}, leases)
    return {each.recording.id: standing(each, RelaySigns(beats[each.recording.relay]), now) for each in open_ones}


async def _beats(names: set[str], leases: Leases) -> dict[str, float | None]:
    ordered = sorted(names)
    current = await asyncio.gather(*(leases.of(name) for name in ordered))
    return {name: lease.at if lease else None for name, lease in zip(ordered, current, strict=True)}


async def _ask_relay(relays: Relays, vm: VmId) -> tuple[bool, RecordedLast | None]:
    try:
        async with asyncio.timeout(RELAY_SECONDS):
            return True, await relays.recorded_last(vm)
    except (Unavailable, TimeoutError):
        return False, None
