"""Whether live sessions may go on, asked of Azure again: which are due, and the look at one.

Azure Resource Manager answers a limited number of questions, so looks are spread over time. What a session is not
looked at for yet is spread by its id; a person's sessions in one subscription are then looked at together, because
most of what is asked about them is the same. When the next look is due, the relay is told, and says with every
heartbeat: a process that is new goes on where another left off, and does not ask about everybody.
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
"""After a look that told nothing."""
MOST_LOOKS = 400
"""In one heartbeat; the others come with the next."""


def due(dependencies: Dependencies, live: Sequence[Live]) -> list[Live]:
    """Those about which Azure is to be asked with this heartbeat, the longest due first."""
    now = dependencies.clock.now()
    for each in live:
        dependencies.rechecked[each.session] = _when(dependencies, each)
    waiting = [each for each in live if dependencies.rechecked[each.session] <= now]
    return sorted(waiting, key=lambda each: dependencies.rechecked[each.session])[:MOST_LOOKS]


def _when(dependencies: Dependencies, live: Live) -> float:
    """What this process knows counts, for each look moves it on; what the relay says, where it knows nothing: else
    other words could put the look off with every heartbeat. A time that no look can have said, as after a clock was
    set back, counts for nothing; relays are told whole seconds, rounded up. A session that is new comes within half a
    period, because its rights are as old as its token.
    """
    now, period = dependencies.clock.now(), float(dependencies.settings.recheck_seconds)
    times = dependencies.rechecked.get(live.session, 0.0), live.again
    first = now + _spread(live.session, period / 2)
    return next((time for time in times if 0 < time <= now + period + 1), first)


def _spread(key: str, period: float) -> float:
    """From 0 to the period, the same for the same text everywhere."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) / 2**32 * period


def _next(dependencies: Dependencies, session: Session) -> float:
    """The next moment of this person in this subscription, which comes round once in a period."""
    now, period = dependencies.clock.now(), float(dependencies.settings.recheck_seconds)
    moment = _spread(f"{session.subject} {session.vm.subscription}".lower(), period)
    return now + period - (now - moment) % period if period else now


async def look(dependencies: Dependencies, live: Live) -> SessionEnding | None:
    """An attempt that fails counts for some seconds: Azure, when it is slow, is not asked with every beat. What a
    heartbeat has no time left for stays due, and comes first with the next; so does what ends a session, until nobody
    names it: who asked may not be its relay, nor hear the answer.
    """
    now = dependencies.clock.now()
    dependencies.rechecked[live.session] = now + min(AGAIN_SECONDS, dependencies.settings.recheck_seconds)
    session = await dependencies.sessions.find(live.vm, live.session)
    ending = over(live, session) or (await _no_longer(dependencies, session) if session else None)
    if ending:
        dependencies.rechecked[live.session] = now
    return ending


async def _no_longer(dependencies: Dependencies, session: Session) -> SessionEnding | None:
    """What has come in the way since the session was opened."""
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
    """Sessions nobody renewed for long are over."""
    limit = dependencies.clock.now() - 10 * dependencies.settings.recheck_seconds
    for session in [session for session, again in dependencies.rechecked.items() if again < limit]:
        del dependencies.rechecked[session]
