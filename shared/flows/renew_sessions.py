"""A relay's heartbeat: every live session's lease in one call, and which of them must end.

Once a minute a session's rights are asked again, with the service's own identity: the user's token is not kept.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.access import console_actions
from shared.domain.caller import Caller, Kind, Secret
from shared.domain.grant import Mode
from shared.domain.refusals import Code, Refusal
from shared.domain.vm import VmId
from shared.flows.world import World
from shared.ports import Session, Unavailable

AT_ONCE = 16
RECHECK_SECONDS = 60.0


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
    """A session about which nothing could be learnt goes on: a heartbeat later it is asked again."""
    gate = asyncio.Semaphore(AT_ONCE)
    endings = await asyncio.gather(*(_renew(world, each, gate) for each in live))
    _forget(world)
    return [ending for ending in endings if ending]


async def _renew(world: World, live: Live, gate: asyncio.Semaphore) -> Ending | None:
    async with gate:
        try:
            return await _superseded(world, live) or await _ended(world, live)
        except Unavailable:
            return None


async def _superseded(world: World, live: Live) -> Ending | None:
    """Only a writer can be: renewing finds out."""
    if live.mode is Mode.WATCH or await world.consoles.renew(live.vm, live.session, live.generation):
        return None
    holder = (await world.consoles.show(live.vm)).holder
    if holder is None:
        return Ending(live.session, Code.SESSION_ENDED, "")
    return Ending(live.session, Code.SESSION_SUPERSEDED, holder.name)


async def _ended(world: World, live: Live) -> Ending | None:
    """What the index and Azure say. A writer's row is read only when its rights are due: its lock ends it before."""
    due = world.clock.now() - world.rechecked.get(live.session, float("-inf")) >= RECHECK_SECONDS
    if live.mode is Mode.WRITE and not due:
        return None
    session = await world.sessions.find(live.vm, live.session)
    if session is None or session.state == "ended":
        return Ending(live.session, Code.SESSION_ENDED, session.name if session else "")
    return await _revoked(world, session) if due else None


async def _revoked(world: World, session: Session) -> Ending | None:
    tenant, _, oid = session.subject.partition(".")
    subject = Caller(tenant, oid, session.name, Kind.APPLICATION, frozenset(), Secret(""))
    missing = await world.rights.missing(subject, session.vm, console_actions(session.vm))
    if isinstance(missing, Refusal) or not missing:
        world.rechecked[session.id] = world.clock.now()
        return None
    return Ending(session.id, Code.ACCESS_REVOKED, "")


def _forget(world: World) -> None:
    """Sessions nobody renewed for long are over."""
    limit = world.clock.now() - 10 * RECHECK_SECONDS
    for session in [session for session, asked in world.rechecked.items() if asked < limit]:
        del world.rechecked[session]
