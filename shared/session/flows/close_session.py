"""Shows, lists and ends sessions, also when a relay reports the end."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from shared.access.flows.examine_vm import ENTRANCE, RequiredRight, admit_to_vm
from shared.access.policy import Scope
from shared.access.rights import Right
from shared.base.caller import Caller
from shared.base.refusals import Code, Refusal, refuse
from shared.base.vm import VmId
from shared.session.dependencies import Dependencies
from shared.session.flows.live_session import Live
from shared.session.grant import Mode
from shared.session.ports import Notice, Session


async def show_session(dependencies: Dependencies, caller: Caller, vm: VmId, session: str) -> Session | Refusal:
    """Returns the caller's own session. Others are not found. Raises Unavailable."""
    stored = await dependencies.sessions.find(vm, session)
    if stored is None or stored.subject != caller.subject:
        return refuse(Code.SESSION_NOT_FOUND, target=vm.resource_id)
    return stored


async def close_session(dependencies: Dependencies, caller: Caller, vm: VmId, session: str) -> Session | Refusal:
    """Ends the caller's own session, or for an administrator any. Ending it twice is no error. Raises Unavailable."""
    stored = await dependencies.sessions.find(vm, session)
    if stored is None:
        return refuse(Code.SESSION_NOT_FOUND, target=vm.resource_id)
    if stored.subject != caller.subject and (refusal := await _administers(dependencies, caller, vm)):
        return refusal
    if stored.state != "ended":
        await end_session(dependencies, stored, Code.SESSION_ENDED, caller.name)
    return stored


_MENDABLE = frozenset({Code.MFA_REQUIRED, Code.STEP_UP_UNSUPPORTED, Code.NETWORK_NOT_ALLOWED})


async def _administers(dependencies: Dependencies, caller: Caller, vm: VmId) -> Refusal | None:
    """Refuses a caller who may not end others' sessions: as not found, or with a cause that they can fix."""
    admitted = await admit_to_vm(dependencies, caller, vm, RequiredRight(Right.ADMINISTER, ENTRANCE))
    if not isinstance(admitted, Refusal):
        return None
    return admitted if admitted.code in _MENDABLE else refuse(Code.SESSION_NOT_FOUND, target=vm.resource_id)


async def end_session(dependencies: Dependencies, session: Session, code: Code, by: str) -> None:
    """Ends a session for a reason. Raises Unavailable.

    The end is stored before the relay is called: a relay that cannot be reached learns of it with its next heartbeat.
    """
    now = dependencies.clock.now()
    await asyncio.gather(
        dependencies.sessions.ended(session.vm, session.id, now, code),
        dependencies.notices.add(session.relay, Notice(session.id, code, by, now)),
    )
    await asyncio.gather(_free(dependencies, session), dependencies.relays.end(session.vm, session.id, code, by))


async def list_sessions(dependencies: Dependencies, caller: Caller, vm: VmId) -> Sequence[Session] | Refusal:
    """Lists the live sessions of one console for a caller who may write on it. Raises Unavailable."""
    examined = await admit_to_vm(dependencies, caller, vm, RequiredRight(Right.WRITE, ENTRANCE))
    if isinstance(examined, Refusal):
        return examined
    return await dependencies.sessions.live(
        Scope.of_vm(vm), dependencies.clock.now() - dependencies.settings.session_seconds
    )


async def _free(dependencies: Dependencies, session: Session) -> None:
    if session.mode is Mode.WRITE:
        await dependencies.consoles.release(session.vm, session.id, session.generation)


@dataclass(frozen=True, slots=True)
class Left:
    """A session whose end a relay reports. `typed` and `printed` are bytes."""

    live: Live
    why: str
    typed: int
    printed: int


async def detach_session(dependencies: Dependencies, left: Left) -> None:
    """Stores the reason and frees the console. A report may come twice. Raises Unavailable.

    If the lock does not answer, the console becomes free all the same: the relay's heartbeats stop naming the session.
    """
    live = left.live
    await dependencies.sessions.ended(live.vm, live.session, dependencies.clock.now(), left.why)
    if live.mode is Mode.WRITE:
        await dependencies.consoles.release(live.vm, live.session, live.generation)
