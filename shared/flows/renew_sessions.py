"""A relay's heartbeat: every live session's lease in one call, and which of them must end.

The switches are looked at each time. Within every minute the VM and the session's rights are asked for again, with the
service's own identity: the user's token is not kept.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from shared.domain.checks import switch_refusal
from shared.domain.grant import Mode
from shared.domain.refusals import Code
from shared.flows.examine_vm import service
from shared.flows.live_session import Ending, Live, over
from shared.flows.recheck_sessions import due, forget, look
from shared.flows.world import World
from shared.ports import Unavailable

AT_ONCE = 64
type Ask = Callable[[World, Live], Awaitable[Ending | None]]


async def renew_sessions(world: World, live: Sequence[Live]) -> Sequence[Ending]:
    """A session about which nothing could be learnt goes on: some heartbeats later it is asked about again.

    Leases and switches come first, for all; only then is Azure asked, and a slow Azure holds nobody up: the relay waits
    for this answer, and without it no lease is kept.
    """
    kept = await _each(world, live, _kept)
    ended = {ending.session for ending in kept}
    looked = await _each(world, due(world, [each for each in live if each.session not in ended]), look)
    forget(world)
    return [*kept, *looked]


async def _each(world: World, live: Sequence[Live], ask: Ask) -> list[Ending]:
    gate = asyncio.Semaphore(AT_ONCE)
    endings = await asyncio.gather(*(_gated(world, each, ask, gate) for each in live))
    return [ending for ending in endings if ending]


async def _gated(world: World, live: Live, ask: Ask, gate: asyncio.Semaphore) -> Ending | None:
    async with gate:
        try:
            return await ask(world, live)
        except Unavailable:
            return None


async def _kept(world: World, live: Live) -> Ending | None:
    return await _switched_off(world, live) or await _superseded(world, live) or await _closed(world, live)


async def _switched_off(world: World, live: Live) -> Ending | None:
    refusal = switch_refusal(live.vm, await world.policies.over(live.vm), service(world))
    return Ending(live.session, refusal.code, "") if refusal else None


async def _superseded(world: World, live: Live) -> Ending | None:
    """Only a writer can be: renewing finds out."""
    if live.mode is Mode.WATCH or await world.consoles.renew(live.vm, live.session, live.generation):
        return None
    holder = (await world.consoles.show(live.vm)).holder
    if holder is None:
        return Ending(live.session, Code.SESSION_ENDED, "")
    return Ending(live.session, Code.SESSION_SUPERSEDED, holder.name)


async def _closed(world: World, live: Live) -> Ending | None:
    """What the index says of a watcher; a writer's lock ends them before."""
    if live.mode is Mode.WRITE:
        return None
    return over(live, await world.sessions.find(live.vm, live.session))
