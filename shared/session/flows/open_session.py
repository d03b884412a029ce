"""Opens a session: check the VM, take the lock, sign a token, store the session, displace the earlier writer."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from shared.access.console_warnings import ConsoleWarning
from shared.access.flows.check_rate_limit import admit_within_rate
from shared.access.flows.examine_vm import SESSION, Examined, RequiredRight
from shared.access.rights import Right
from shared.base import time_limit
from shared.base.caller import Caller
from shared.base.ports import Unavailable
from shared.base.refusals import Code, Refusal, refuse
from shared.base.vm import VmId
from shared.session.dependencies import Dependencies
from shared.session.flows.lease import live_holder
from shared.session.grant import MAX_SECONDS, Grant, Mode
from shared.session.lock import PENDING_SECONDS, Acquired, Claim, Held, Holder, Lock, Takeover
from shared.session.lock_requests import NAME_CHARACTERS
from shared.session.ports import Notice, Session

FENCE_SECONDS = 2.0
"""How long an answer waits until the relay knows of a takeover. The relay's heartbeat tells it anyway."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OpenSessionRequest:
    mode: Mode = Mode.WRITE
    takeover: Takeover = Takeover.FORCE
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    session: Session
    token: str
    expires_at: float
    address: str
    displaced: Holder | None
    warnings: tuple[ConsoleWarning, ...]


async def open_session(
    dependencies: Dependencies, caller: Caller, vm: VmId, request: OpenSessionRequest
) -> Opened | Refusal:
    """Opens a session for a caller. Raises Unavailable; a lock that was taken then ends within PENDING_SECONDS."""
    required = RequiredRight(Right(request.mode), SESSION, request.reason)
    examined = await admit_within_rate(dependencies, caller, vm, required)
    if isinstance(examined, Refusal):
        return examined
    if request.mode is Mode.WRITE:
        await dependencies.tokens.ready()  # before the lock: a caller who gets no token must displace nobody
    opening = _Opening(dependencies, caller, vm, request, _holder(dependencies, caller, vm))
    acquired = await (_take(opening) if request.mode is Mode.WRITE else _watch(opening))
    if isinstance(acquired, Refusal):
        return acquired
    return await _hand_out(opening, acquired, examined)


@dataclass(frozen=True, slots=True)
class _Opening:
    dependencies: Dependencies
    caller: Caller
    vm: VmId
    request: OpenSessionRequest
    holder: Holder


def _holder(dependencies: Dependencies, caller: Caller, vm: VmId) -> Holder:
    name, relay = caller.name[:NAME_CHARACTERS], dependencies.relays.of(vm).name
    return Holder(dependencies.ids.session(), caller.subject, name, dependencies.clock.now(), relay)


async def _watch(opening: _Opening) -> Acquired:
    """Reads the generation for a watcher, who takes no lock."""
    return Acquired((await opening.dependencies.consoles.show(opening.vm)).generation, Lock())


async def _take(opening: _Opening) -> Acquired | Refusal:
    dependencies, vm = opening.dependencies, opening.vm
    claim = Claim(opening.holder, opening.request.takeover)
    answer = await dependencies.consoles.acquire(vm, claim)
    if isinstance(answer, Held):
        if refusal := await _in_the_way(opening, answer):
            return refusal
        # Only this generation is vacated: a writer who took the console meanwhile has not agreed to leave.
        answer = await dependencies.consoles.acquire(vm, replace(claim, vacated=answer.generation))
    return _in_use(answer.holder, vm) if isinstance(answer, Held) else answer


async def _in_the_way(opening: _Opening, held: Held) -> Refusal | None:
    """Returns a refusal if the holder is alive and keeps the console; None if it is vacated."""
    dependencies, vm = opening.dependencies, opening.vm
    if (holder := await live_holder(dependencies, held.lock)) is None:
        return None
    if opening.request.takeover is not Takeover.ASK:
        return _in_use(holder, vm)
    agreed = await dependencies.relays.ask(vm, held.generation, opening.caller.name, dependencies.settings.ask_seconds)
    return None if agreed else refuse(Code.TAKEOVER_REFUSED, target=vm.resource_id)


def _in_use(holder: Holder, vm: VmId) -> Refusal:
    since = datetime.fromtimestamp(holder.since, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    because = f"The console is in use by {holder.name} since {since}."
    return refuse(Code.CONSOLE_IN_USE, because=because, target=vm.resource_id)


async def _hand_out(opening: _Opening, acquired: Acquired, examined: Examined) -> Opened:
    dependencies, relay = opening.dependencies, opening.dependencies.relays.of(opening.vm)
    session = Session(
        id=opening.holder.session,
        vm=opening.vm,
        subject=opening.caller.subject,
        name=opening.caller.name,
        mode=opening.request.mode,
        generation=acquired.generation,
        requested_at=opening.holder.since,
        relay=relay.name,
        reason=opening.request.reason,
        os=examined.vm.os,
    )
    grant = _grant(dependencies, session)
    async with _holding(dependencies, session):
        token, displaced = await asyncio.gather(
            dependencies.tokens.sign(grant), live_holder(dependencies, acquired.before)
        )
        await asyncio.gather(dependencies.sessions.add(session), _displace(opening, acquired, displaced))
    return Opened(session, token, grant.expires_at, relay.address, displaced, examined.warnings)


def _grant(dependencies: Dependencies, session: Session) -> Grant:
    now = int(dependencies.clock.now())
    return Grant(
        token_id=dependencies.ids.session(),
        session=session.id,
        subject=session.subject,
        name=session.name,
        vm=session.vm,
        mode=session.mode,
        generation=session.generation,
        audience=f"relay:{session.relay}",
        issuer=dependencies.settings.issuer,
        issued_at=now,
        expires_at=now + min(dependencies.settings.token_seconds, MAX_SECONDS),
    )


@asynccontextmanager
async def _holding(dependencies: Dependencies, session: Session) -> AsyncIterator[None]:
    """Frees the console if the work inside fails: a session without a token or a row must not hold it."""
    try:
        yield
    except BaseException:
        await asyncio.shield(_give_back(dependencies, session))
        raise


async def _give_back(dependencies: Dependencies, session: Session) -> None:
    if session.mode is Mode.WATCH:
        return
    try:
        with time_limit.afterwards():
            await dependencies.consoles.release(session.vm, session.id, session.generation)
    except Unavailable as error:
        _log.warning("session %s was not opened; its lock counts for %d s more: %s", session.id, PENDING_SECONDS, error)


async def _displace(opening: _Opening, acquired: Acquired, displaced: Holder | None) -> None:
    """Stores a notice for the relay of the earlier writer, and fences it.

    The notice is stored before the new writer has a token, also if that relay seems dead: it may come back.
    """
    before = acquired.before.holder
    if before is not None:
        notice = Notice(before.session, Code.SESSION_SUPERSEDED, opening.caller.name, opening.dependencies.clock.now())
        await opening.dependencies.notices.add(before.relay, notice)
    if displaced is not None:
        await _fence(opening, acquired)


async def _fence(opening: _Opening, acquired: Acquired) -> None:
    try:
        async with asyncio.timeout(FENCE_SECONDS):
            delivered = await opening.dependencies.relays.fence(opening.vm, acquired.generation, opening.caller.name)
    except (Unavailable, TimeoutError):
        delivered = False
    if not delivered:
        _log.warning("the relay did not hear of generation %d yet; its heartbeat will tell it", acquired.generation)
