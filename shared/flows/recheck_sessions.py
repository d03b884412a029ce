"""Whether live sessions may go on, asked of Azure again: which are due, and the look at one."""

import asyncio

from shared.domain import checks
from shared.domain.caller import Caller, Kind, Secret
from shared.domain.refusals import Code, Refusal
from shared.domain.rights import Right
from shared.flows.examine_vm import LIVE, Wanted, inspect_vm
from shared.flows.live_session import Ending, Live, over
from shared.flows.world import World
from shared.ports import Session

LOOK_SECONDS = 4.0
"""What a look at one session may take; the relay gives the whole heartbeat 10 s."""
AGAIN_SECONDS = 15.0
"""After a look that told nothing."""


def due(world: World, live: Live) -> bool:
    """Whether Azure is to be asked about the session with this heartbeat."""
    return world.clock.now() - world.rechecked.get(live.session, float("-inf")) >= world.settings.recheck_seconds


async def look(world: World, live: Live) -> Ending | None:
    """An attempt that fails counts for some seconds: Azure, when it is slow, is not asked with every beat."""
    world.rechecked[live.session] = world.clock.now() - world.settings.recheck_seconds + AGAIN_SECONDS
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            session = await world.sessions.find(live.vm, live.session)
            return over(live, session) or (await _no_longer(world, session) if session else None)
    except TimeoutError:
        return None


async def _no_longer(world: World, session: Session) -> Ending | None:
    """What has come in the way since the session was opened."""
    tenant, _, oid = session.subject.partition(".")
    subject = Caller(tenant, oid, session.name, Kind.APPLICATION, frozenset(), Secret(""))
    seen = await inspect_vm(world, subject, session.vm, Wanted(Right(session.mode), LIVE, fresh=True))
    if isinstance(seen, Refusal):
        return Ending(session.id, seen.code, "") if seen.code is Code.VM_NOT_FOUND else None
    if session.os not in (None, seen.vm.os):
        return Ending(session.id, Code.OS_TYPE_CONFLICT, "")
    if ended := checks.refusals(checks.check(seen, LIVE)):
        code = Code.ACCESS_REVOKED if seen.missing else ended[0].code
        return Ending(session.id, code, "")
    world.rechecked[session.id] = world.clock.now()
    return None


def forget(world: World) -> None:
    """Sessions nobody renewed for long are over."""
    limit = world.clock.now() - 10 * world.settings.recheck_seconds
    for session in [session for session, asked in world.rechecked.items() if asked < limit]:
        del world.rechecked[session]
