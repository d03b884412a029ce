"""A relay's heartbeat: renews the relay's lease, which covers all its writers, and returns the sessions that must end.

It costs one write and one query. For each session it reads only the switches, which are cached for seconds. Sessions
that were displaced or ended are among the relay's notices. Once a minute the VM, the session's rights and its lock are
checked again, with the service's own identity: the user's token is not stored.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from shared.access.checks import switch_refusal
from shared.access.flows.examine_vm import service
from shared.base.ports import Unavailable
from shared.base.refusals import Code
from shared.session.dependencies import Dependencies
from shared.session.flows.live_session import NO_OTHERS, Live, Others, SessionEnding
from shared.session.flows.recheck_sessions import due, forget, look
from shared.session.grant import Mode
from shared.session.lock import Lease

AT_ONCE = 64
DROPPED = 50
"""Old notices that one heartbeat drops: each costs a call."""
LOOK_SECONDS = 4.0
"""Limit for all rechecks of a heartbeat together, and for all switches: the relay waits 10 s for the answer."""
FORGET_SECONDS = 120.0
"""Age at which a notice is dropped if the relay does not name its session: no attach takes so long."""
type RenewRequest = Callable[[Dependencies, Live], Awaitable[SessionEnding | None]]
_log = logging.getLogger(__name__)


async def renew_sessions(
    dependencies: Dependencies, relay: str, live: Sequence[Live], others: Others = NO_OTHERS
) -> Sequence[SessionEnding]:
    """Returns the sessions that must end. Raises Unavailable if the lease could not be renewed; the relay tries again.

    A session whose checks fail goes on, and is rechecked some heartbeats later. Azure is called only after the lease is
    renewed, and within a limit, because the relay waits for this answer. Notices come first, and come again until the
    relay does not name their sessions any more.
    """
    _, notified, switched = await asyncio.gather(
        dependencies.leases.renew(relay, Lease(dependencies.clock.now(), _writers(live) | others.writers)),
        _read_notices(dependencies, relay, live, others),
        _ask_about_each(dependencies, live, _switched_off),
    )
    ended = {ending.session for ending in (*notified, *switched)}
    due_now = due(dependencies, [each for each in live if each.session not in ended])
    rechecked, lost = await asyncio.gather(
        _ask_about_each(dependencies, due_now, look), _ask_about_each(dependencies, due_now, _lock_lost)
    )
    forget(dependencies)
    return _first_of_each([*notified, *switched, *lost, *rechecked])


def _writers(live: Sequence[Live]) -> frozenset[str]:
    return frozenset(each.session for each in live if each.mode is Mode.WRITE)


def _first_of_each(endings: Sequence[SessionEnding]) -> list[SessionEnding]:
    """Keeps the first ending of each session."""
    return list({ending.session: ending for ending in reversed(endings)}.values())[::-1]


async def _read_notices(
    dependencies: Dependencies, relay: str, live: Sequence[Live], others: Others
) -> list[SessionEnding]:
    """Reads the relay's notices, and drops old ones. A notice stays while its session is named or may still attach."""
    named = {*(each.session for each in live), *others.writers, *others.watchers}
    notices = await dependencies.notices.of(relay)
    old = dependencies.clock.now() - FORGET_SECONDS
    over = [notice.session for notice in notices if notice.session not in named and notice.at < old]
    if over:
        await dependencies.notices.drop(relay, over[:DROPPED])
    return [SessionEnding(notice.session, notice.code, notice.by) for notice in notices if notice.session in named]


async def _ask_about_each(dependencies: Dependencies, live: Sequence[Live], ask: RenewRequest) -> list[SessionEnding]:
    """Returns the endings that are known after at most LOOK_SECONDS."""
    gate, endings = asyncio.Semaphore(AT_ONCE), list[SessionEnding]()
    with suppress(TimeoutError):
        async with asyncio.timeout(LOOK_SECONDS):
            await asyncio.gather(*(_ask_about(dependencies, each, ask, gate, endings) for each in live))
    return endings


async def _ask_about(
    dependencies: Dependencies, live: Live, ask: RenewRequest, gate: asyncio.Semaphore, endings: list[SessionEnding]
) -> None:
    """Checks one session. A failure affects only this session: the endings of the others are still returned."""
    async with gate:
        try:
            ending = await ask(dependencies, live)
        except Unavailable:
            return
        except Exception:  # noqa: BLE001 - logged, and one session's affair
            _log.exception("session %s was not looked at", live.session)
            return
    if ending:
        endings.append(ending)


async def _switched_off(dependencies: Dependencies, live: Live) -> SessionEnding | None:
    refusal = switch_refusal(live.vm, await dependencies.policies.over(live.vm), service(dependencies))
    return SessionEnding(live.session, refusal.code, "") if refusal else None


async def _lock_lost(dependencies: Dependencies, live: Live) -> SessionEnding | None:
    """Returns the end of a writer who has lost the lock, in case their notice was never stored. Raises Unavailable."""
    if live.mode is Mode.WATCH:
        return None
    lock = await dependencies.consoles.show(live.vm)
    if lock.holds(live.session, live.generation):
        return None
    if lock.holder is None:
        return SessionEnding(live.session, Code.SESSION_ENDED, "")
    return SessionEnding(live.session, Code.SESSION_SUPERSEDED, lock.holder.name)
