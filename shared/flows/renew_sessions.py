"""A relay's heartbeat: every live session's lease in one call, and which of them must end.

The switches are looked at each time. Within every minute the VM and the session's rights are asked for again, with the
service's own identity: the user's token is not kept.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from shared.domain import checks
from shared.domain.caller import Caller, Kind, Secret
from shared.domain.checks import switch_refusal
from shared.domain.grant import Mode
from shared.domain.refusals import Code, Refusal
from shared.domain.rights import Right
from shared.domain.vm import VmId
from shared.flows.examine_vm import LIVE, Wanted, inspect_vm, service
from shared.flows.world import World
from shared.ports import Session, Unavailable

AT_ONCE = 64
LOOK_SECONDS = 4.0
"""What a look at one session may take; the relay gives the whole heartbeat 10 s."""
AGAIN_SECONDS = 15.0
"""After a look that told nothing."""

type Ask = Callable[[World, "Live"], Awaitable["Ending | None"]]


@dataclass(frozen=True, slots=True)
class Live:
    """A session that a relay says is attached to it."""

    vm: VmId
    session: str
    generation: int
    mode: Mode


@dataclass(frozen=True, slots=True)
class Ending:
    session: str
    code: Code
    by: str
    """The name of who caused it; empty when nobody in particular did."""


async def renew_sessions(world: World, live: Sequence[Live]) -> Sequence[Ending]:
    """A session about which nothing could be learnt goes on: some heartbeats later it is asked about again.

    Leases and switches come first, for all; only then is Azure asked, and a slow Azure holds nobody up: the relay waits
    for this answer, and without it no lease is kept.
    """
    kept = await _each(world, live, _kept)
    over = {ending.session for ending in kept}
    due = [each for each in live if each.session not in over and _due(world, each)]
    looked = await _each(world, due, _looked_at)
    _forget(world)
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
    return _over(live, await world.sessions.find(live.vm, live.session))


def _over(live: Live, session: Session | None) -> Ending | None:
    if session is None or session.state == "ended":
        return Ending(live.session, Code.SESSION_ENDED, session.name if session else "")
    return None


def _due(world: World, live: Live) -> bool:
    return world.clock.now() - world.rechecked.get(live.session, float("-inf")) >= world.settings.recheck_seconds


async def _looked_at(world: World, live: Live) -> Ending | None:
    """An attempt that fails counts for some seconds: Azure, when it is slow, is not asked with every beat."""
    world.rechecked[live.session] = world.clock.now() - world.settings.recheck_seconds + AGAIN_SECONDS
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            session = await world.sessions.find(live.vm, live.session)
            return _over(live, session) or (await _no_longer(world, session) if session else None)
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


def _forget(world: World) -> None:
    """Sessions nobody renewed for long are over."""
    limit = world.clock.now() - 10 * world.settings.recheck_seconds
    for session in [session for session, asked in world.rechecked.items() if asked < limit]:
        del world.rechecked[session]
