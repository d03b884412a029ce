"""Deletes rows whose time is over, a page of each kind after the other, for as long as a run may last."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.base.ports import Clock, Unavailable
from shared.transcript.old_rows import Rows
from shared.transcript.ports import OldRows

_log = logging.getLogger(__name__)
RUN_SECONDS = 120.0
"""After so long no page is begun; a page takes seconds. The next run goes on where this one stopped."""


@dataclass(slots=True)
class Cleared:
    """What a run did."""

    removed: dict[Rows, int] = field(default_factory=dict[Rows, int])
    left: set[Rows] = field(default_factory=set[Rows])
    """Kinds that were not gone through to their end, for want of time or because the storage did not answer."""


async def remove_old_rows(rows: OldRows, clock: Clock, limits: Mapping[Rows, float]) -> Cleared:
    """`limits`: of each kind, the time before which rows go. Killed at any moment it has deleted nothing else."""
    done, end = Cleared(left=set(limits)), clock.now() + RUN_SECONDS
    waiting = list(limits)
    while waiting and clock.now() < end:
        waiting = [kind for kind in waiting if await _page(rows, kind, limits[kind], done)]
    return done


async def _page(rows: OldRows, kind: Rows, before: float, done: Cleared) -> bool:
    """Whether there is more of this kind for this run."""
    try:
        page = await rows.remove(kind, before)
    except Unavailable as error:
        _log.warning("%s: %s", kind, error)
        return False
    done.removed[kind] = done.removed.get(kind, 0) + page.count
    if page.last:
        done.left.discard(kind)
    return not page.last
