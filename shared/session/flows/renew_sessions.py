"""A relay's heartbeat: its own sign of life, which keeps all its writers, and which of its sessions must end.

It costs one write and one query, and for each session nothing but a look at the switches, which are kept for seconds.
Who was displaced or ended stands among the relay's notices. Within every minute the VM, the session's rights and its
lock are asked for again, with the service's own identity: the user's token is not kept.
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
"""Old notices with one heartbeat: each costs a call."""
LOOK_SECONDS = 4.0
"""What all looks of a heartbeat may take together, and all questions about switches: the relay gives it 10 s."""
FORGET_SECONDS = 120.0
"""After which a notice about a session that the relay does not name is dropped: no attach takes so long."""
type RenewRequest = Callable[[Dependencies, Live], Awaitable[SessionEnding | None]]
_log = logging.getLogger(__name__)


async def renew_sessions(
    dependencies: Dependencies, relay: str, live: Sequence[Live], others: Others = NO_OTHERS
) -> Sequence[SessionEnding]:
    """Raises Unavailable when the relay's sign of life could not be kept; it beats again.

    A session about which nothing could be learnt goes on: some heartbeats later it is asked about again. Only when
    the lease is kept is Azure asked, and a slow Azure holds nobody up: the relay waits for this answer. What was
    written down of those that are told first comes first, and comes again until the relay does not name them.
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
    """The first reason counts."""
    return list({ending.session: ending for ending in reversed(endings)}.values())[::-1]


async def _read_notices(
    dependencies: Dependencies, relay: str, live: Sequence[Live], others: Others
) -> list[SessionEnding]:
    """What was written down for this relay. A notice stays while the session lives, and while it may be on its way."""
    named = {*(each.session for each in live), *others.writers, *others.watchers}
    notices = await dependencies.notices.of(relay)
    old = dependencies.clock.now() - FORGET_SECONDS
    over = [notice.session for notice in notices if notice.session not in named and notice.at < old]
    if over:
        await dependencies.notices.drop(relay, over[:DROPPED])
    return [SessionEnding(notice.session, notice.code, notice.by) for notice in notices if notice.session in named]


async def _ask_about_each(dependencies: Dependencies, live: Sequence[Live], ask: RenewRequest) -> list[SessionEnding]:
    """What is known when the time is up."""
    gate, endings = asyncio.Semaphore(AT_ONCE), list[SessionEnding]()
    with suppress(TimeoutError):
        async with asyncio.timeout(LOOK_SECONDS):
            await asyncio.gather(*(_ask_about(dependencies, each, ask, gate, endings) for each in live))
    return endings


async def _ask_about(
    dependencies: Dependencies, live: Live, ask: RenewRequest, gate: asyncio.Semaphore, endings: list[SessionEnding]
) -> None:
    """Whatever goes wrong costs this session's look: the others' endings are told."""
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
    """The last net: a writer whose notice was never written. A lock that does not answer ends nobody."""
    if live.mode is Mode.WATCH:
        return None
    lock = await dependencies.consoles.show(live.vm)
    if lock.holds(live.session, live.generation):
        return None
    if lock.holder is None:
        return SessionEnding(live.session, Code.SESSION_ENDED, "")
    return SessionEnding(live.session, Code.SESSION_SUPERSEDED, lock.holder.name)
