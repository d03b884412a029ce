"""The end of a session: by its owner, or as a relay reports it; and what is known of it before and after."""

import asyncio
from dataclasses import dataclass

from shared.domain.caller import Caller
from shared.domain.grant import Mode
from shared.domain.refusals import Code, Refusal, refuse
from shared.domain.vm import VmId
from shared.flows.renew_sessions import Live
from shared.flows.world import World
from shared.ports import Session


async def show_session(world: World, caller: Caller, vm: VmId, session: str) -> Session | Refusal:
    """One's own session; anybody else's does not exist. Raises Unavailable."""
    found = await world.sessions.find(vm, session)
    if found is None or found.subject != caller.subject:
        return refuse(Code.SESSION_NOT_FOUND, target=vm.resource_id)
    return found


async def close_session(world: World, caller: Caller, vm: VmId, session: str) -> Session | Refusal:
    """Ends one's own session; ending it twice is no error. Raises Unavailable.

    The index is written first: a relay that cannot be reached now learns from it at its next heartbeat.
    """
    found = await show_session(world, caller, vm, session)
    if isinstance(found, Refusal) or found.state == "ended":
        return found
    await world.sessions.ended(vm, session, world.clock.now(), Code.SESSION_ENDED)
    await asyncio.gather(_free(world, found), world.relays.end(vm, session, Code.SESSION_ENDED, caller.name))
    return found


async def _free(world: World, session: Session) -> None:
    if session.mode is Mode.WRITE:
        await world.consoles.release(session.vm, session.id, session.generation)


@dataclass(frozen=True, slots=True)
class Left:
    """A session that a relay says has ended. `typed` and `printed` are bytes."""

    live: Live
    why: str
    typed: int
    printed: int


async def detach_session(world: World, left: Left) -> None:
    """Frees the console, keeps the reason. Raises Unavailable; the relay's words may come twice."""
    live = left.live
    if live.mode is Mode.WRITE:
        await world.consoles.release(live.vm, live.session, live.generation)
    await world.sessions.ended(live.vm, live.session, world.clock.now(), left.why)
