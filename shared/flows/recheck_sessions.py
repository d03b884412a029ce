"""Whether live sessions may go on, asked of Azure again: which are due, and the look at one.

Azure Resource Manager answers a limited number of questions, so looks are spread over time. What a session is not
looked at for yet is spread by its id; a person's sessions in one subscription are then looked at together, because
most of what is asked about them is the same. When the next look is due, the relay is told, and says with every
heartbeat: a process that is new goes on where another left off, and does not ask about everybody.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from shared.domain import checks
from shared.domain.caller import Caller, Kind, Secret
from shared.domain.refusals import Code, Refusal
from shared.domain.rights import Right
from shared.flows.examine_vm import LIVE, Wanted, inspect_vm
from shared.flows.live_session import Ending, Live, over
from shared.flows.world import World
from shared.ports import Session

AGAIN_SECONDS = 15.0
"""After a look that told nothing."""
MOST_LOOKS = 400
"""In one heartbeat; the others come with the next."""


def due(world: World, live: Sequence[Live]) -> list[Live]:
    """Those about which Azure is to be asked with this heartbeat, the longest due first."""
    now = world.clock.now()
    for each in live:
        world.rechecked[each.session] = _when(world, each)
    waiting = [each for each in live if world.rechecked[each.session] <= now]
    return sorted(waiting, key=lambda each: world.rechecked[each.session])[:MOST_LOOKS]


def _when(world: World, live: Live) -> float:
    """What this process knows counts, for each look moves it on; what the relay says, where it knows nothing: else
    other words could put the look off with every heartbeat. A time that no look can have said, as after a clock was
    set back, counts for nothing; relays are told whole seconds, rounded up. A session that is new comes within half a
    period, because its rights are as old as its token.
    """
    now, period = world.clock.now(), float(world.settings.recheck_seconds)
    said = world.rechecked.get(live.session, 0.0), live.again
    first = now + _spread(live.session, period / 2)
    return next((when for when in said if 0 < when <= now + period + 1), first)


def _spread(key: str, period: float) -> float:
    """From 0 to the period, the same for the same text everywhere."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) / 2**32 * period


def _next(world: World, session: Session) -> float:
    """The next moment of this person in this subscription, which comes round once in a period."""
    now, period = world.clock.now(), float(world.settings.recheck_seconds)
    moment = _spread(f"{session.subject} {session.vm.subscription}".lower(), period)
    return now + period - (now - moment) % period if period else now


async def look(world: World, live: Live) -> Ending | None:
    """An attempt that fails counts for some seconds: Azure, when it is slow, is not asked with every beat. What a
    heartbeat has no time left for stays due, and comes first with the next; so does what ends a session, until nobody
    names it: who asked may not be its relay, nor hear the answer.
    """
    now = world.clock.now()
    world.rechecked[live.session] = now + min(AGAIN_SECONDS, world.settings.recheck_seconds)
    session = await world.sessions.find(live.vm, live.session)
    ending = over(live, session) or (await _no_longer(world, session) if session else None)
    if ending:
        world.rechecked[live.session] = now
    return ending


async def _no_longer(world: World, session: Session) -> Ending | None:
    """What has come in the way since the session was opened."""
    tenant, _, oid = session.subject.partition(".")
    subject = Caller(tenant, oid, session.name, Kind.APPLICATION, frozenset(), Secret(""))
    wanted = Wanted(Right(session.mode), LIVE, fresh=True)
    seen = await inspect_vm(_shared(world), subject, session.vm, wanted)
    if isinstance(seen, Refusal):
        return Ending(session.id, seen.code, "") if seen.code is Code.VM_NOT_FOUND else None
    if session.os not in (None, seen.vm.os):
        return Ending(session.id, Code.OS_TYPE_CONFLICT, "")
    if ended := checks.refusals(checks.check(seen, LIVE)):
        code = Code.ACCESS_REVOKED if seen.missing else ended[0].code
        return Ending(session.id, code, "")
    world.rechecked[session.id] = _next(world, session)
    return None


def _shared(world: World) -> World:
    return replace(world, vms=world.shared.vms, rights=world.shared.rights, around=world.shared.around)


def forget(world: World) -> None:
    """Sessions nobody renewed for long are over."""
    limit = world.clock.now() - 10 * world.settings.recheck_seconds
    for session in [session for session, again in world.rechecked.items() if again < limit]:
        del world.rechecked[session]
