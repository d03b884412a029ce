"""Rechecks live sessions with Azure: finds those that are due, and rechecks one.

Azure Resource Manager limits requests, so rechecks are spread over time. The first recheck of a session is spread by
its id. Later a person's sessions in one subscription are rechecked together, because most of the calls are the same.
The relay is told when the next recheck is due, and sends that time with every heartbeat: so a new process goes on where
another stopped, and does not recheck all sessions at once.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from shared.access import checks
from shared.access.flows.examine_vm import LIVE, RequiredRight, inspect_vm
from shared.access.rights import Right
from shared.base.caller import Caller, CallerKind, Secret
from shared.base.refusals import Code, Refusal
from shared.session.dependencies import Dependencies
from shared.session.flows.live_session import Live, SessionEnding, over
from shared.session.ports import Session

AGAIN_SECONDS = 15.0
"""Pause after a recheck that failed."""
MOST_LOOKS = 400
"""Rechecks in one heartbeat; the others follow with the next."""


def due(dependencies: Dependencies, live: Sequence[Live]) -> list[Live]:
    """Returns the sessions to recheck with this heartbeat, the longest due first."""
    now = dependencies.clock.now()
    for each in live:
        dependencies.rechecked[each.session] = _when(dependencies, each)
    waiting = [each for each in live if dependencies.rechecked[each.session] <= now]
    return sorted(waiting, key=lambda each: dependencies.rechecked[each.session])[:MOST_LOOKS]


def _when(dependencies: Dependencies, live: Live) -> float:
    """Returns when a session is due, seconds since 1970.

    The time that this process knows comes first, then the relay's: otherwise a relay could postpone the recheck with
    every heartbeat. A time too far ahead, as after a clock was set back, is ignored; relays get whole seconds, rounded
    up, hence the extra second. A new session is due within half a period, because its rights are as old as its token.
    """
    now, period = dependencies.clock.now(), float(dependencies.settings.recheck_seconds)
    times = dependencies.rechecked.get(live.session, 0.0), live.again
    first = now + _spread(live.session, period / 2)
    return next((time for time in times if 0 < time <= now + period + 1), first)


def _spread(key: str, period: float) -> float:
    """Returns seconds from 0 to the period, the same for the same text in every process."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) / 2**32 * period


def _next(dependencies: Dependencies, session: Session) -> float:
    """Returns the next recheck of a person's sessions in a subscription. It recurs once in a period."""
    now, period = dependencies.clock.now(), float(dependencies.settings.recheck_seconds)
    moment = _spread(f"{session.subject} {session.vm.subscription}".lower(), period)
    return now + period - (now - moment) % period if period else now


async def look(dependencies: Dependencies, live: Live) -> SessionEnding | None:
    """Rechecks one session, and returns its end if it must end. Raises Unavailable.

    A failed attempt postpones the next one by some seconds, so that a slow Azure is not called with every heartbeat. A
    session that must end stays due until no heartbeat names it: the answer may not reach its relay.
    """
    now = dependencies.clock.now()
    dependencies.rechecked[live.session] = now + min(AGAIN_SECONDS, dependencies.settings.recheck_seconds)
    session = await dependencies.sessions.find(live.vm, live.session)
    ending = over(live, session) or (await _no_longer(dependencies, session) if session else None)
    if ending:
        dependencies.rechecked[live.session] = now
    return ending


async def _no_longer(dependencies: Dependencies, session: Session) -> SessionEnding | None:
    """Returns the end of a session that may not go on, for a cause that came after it was opened."""
    tenant, _, oid = session.subject.partition(".")
    caller = Caller(tenant, oid, session.name, CallerKind.APPLICATION, frozenset(), Secret(""))
    required = RequiredRight(Right(session.mode), LIVE, fresh=True)
    inspected = await inspect_vm(_shared(dependencies), caller, session.vm, required)
    if isinstance(inspected, Refusal):
        return SessionEnding(session.id, inspected.code, "") if inspected.code is Code.VM_NOT_FOUND else None
    if session.os not in (None, inspected.vm.os):
        return SessionEnding(session.id, Code.OS_TYPE_CONFLICT, "")
    if refusals := checks.refusals(checks.check(inspected, LIVE)):
        code = Code.ACCESS_REVOKED if inspected.missing else refusals[0].code
        return SessionEnding(session.id, code, "")
    dependencies.rechecked[session.id] = _next(dependencies, session)
    return None


def _shared(dependencies: Dependencies) -> Dependencies:
    return replace(
        dependencies,
        vms=dependencies.live_azure.vms,
        rights=dependencies.live_azure.rights,
        around=dependencies.live_azure.around,
    )


def forget(dependencies: Dependencies) -> None:
    """Forgets sessions that no heartbeat has named for ten periods."""
    limit = dependencies.clock.now() - 10 * dependencies.settings.recheck_seconds
    for session in [session for session, again in dependencies.rechecked.items() if again < limit]:
        del dependencies.rechecked[session]
