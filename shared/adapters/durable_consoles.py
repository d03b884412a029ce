"""The lock in the durable task hub: one entity per console (functions/consoles.py), signalled, then read.

An entity answers nobody but orchestrations, and these are slow; so each request has an id, and its outcome is read in
the entity's state. A signal may be lost or come twice: it is sent again until the outcome shows.
"""

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from shared.adapters.task_hub import HubAway, TaskHub
from shared.domain.lock import Acquired, Claim, Held, Lock
from shared.domain.lock_codec import claim_to_json, state_from_json
from shared.domain.lock_requests import CLOCK_SECONDS, LONGEST_SECONDS, Answering, Expired, Outcome, Request
from shared.domain.vm import VmId
from shared.ports import Clock, Dependency, Unavailable

ENTITY = "console"
PATIENCE_SECONDS = LONGEST_SECONDS
"""After which whoever asked is told that the lock does not answer."""
AGAIN_SECONDS = 2.0
"""After which a signal counts as lost."""
FIRST_LOOK_SECONDS, LONGEST_LOOK_SECONDS, LOOKS_GROW = 0.015, 0.25, 1.5
"""Between two looks at the state."""
WHAT = Dependency.CONSOLE_LOCK
"""By this name the answer to a client tells the lock from everything else that may be away."""
_log = logging.getLogger(__name__)


def entity_key(vm: VmId) -> str:
    """A digest: the task hub refuses slashes in keys and keys above 100 characters."""
    return hashlib.sha256(vm.console.encode()).hexdigest()


class DurableConsoles:
    def __init__(self, hub: TaskHub, clock: Clock) -> None:
        self._hub, self._clock = hub, clock

    async def acquire(self, vm: VmId, claim: Claim) -> Acquired | Held:
        """Where the outcome was not learnt, the console is given back, if it was granted at all."""
        try:
            outcome = await self._ask(vm, "acquire", {"claim": claim_to_json(claim)})
        except BaseException:
            await asyncio.shield(self._give_back(vm, claim.holder.session))
            raise
        if isinstance(outcome, Acquired | Held):
            return outcome
        raise Unavailable(WHAT, f"answered {type(outcome).__name__} to a claim")

    async def release(self, vm: VmId, session: str, generation: int) -> bool:
        outcome = await self._ask(vm, "release", {"session": session, "generation": generation})
        if isinstance(outcome, bool):
            return outcome
        raise Unavailable(WHAT, f"answered {type(outcome).__name__} to a release")

    async def show(self, vm: VmId) -> Lock:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return (await self._state(entity_key(vm))).lock
        except (HubAway, TimeoutError) as error:
            raise Unavailable(WHAT, _kind(error)) from error

    async def probe(self) -> None:
        """A sign of life of the task hub. Raises Unavailable."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._state("probe")
        except (HubAway, TimeoutError) as error:
            raise Unavailable(Dependency.TASK_HUB, _kind(error)) from error

    async def _ask(self, vm: VmId, operation: str, said: Mapping[str, Any]) -> Outcome:
        """Raises Unavailable."""
        request = self._request()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                outcome = await self._answer(entity_key(vm), operation, request, said)
        except (HubAway, TimeoutError) as error:
            raise Unavailable(WHAT, f"{operation}: {_kind(error)}") from error
        if isinstance(outcome, Expired):
            raise Unavailable(WHAT, f"{operation} came too late")
        return outcome

    async def _answer(self, key: str, operation: str, request: Request, said: Mapping[str, Any]) -> Outcome:
        time = asyncio.get_running_loop().time
        again, pause = time(), FIRST_LOOK_SECONDS
        while True:
            if time() >= again:
                await self._signal(key, operation, request, said)
                again = time() + AGAIN_SECONDS
            await asyncio.sleep(pause)
            outcome = (await self._state(key)).outcome(request.id)
            if outcome is not None:
                return outcome
            pause = min(pause * LOOKS_GROW, LONGEST_LOOK_SECONDS)

    def _request(self) -> Request:
        return Request(secrets.token_urlsafe(12), self._clock.now() + PATIENCE_SECONDS - CLOCK_SECONDS)

    async def _signal(self, key: str, operation: str, request: Request, said: Mapping[str, Any]) -> None:
        await self._hub.signal(ENTITY, key, operation, {"request": asdict(request), **said})

    async def _give_back(self, vm: VmId, session: str) -> None:
        """Signals of one client arrive in order: this one after the claim. Nobody waits for its outcome."""
        said = {"session": session, "generation": None}
        try:
            await self._signal(entity_key(vm), "release", self._request(), said)
        except HubAway as error:
            _log.warning("a claim that nobody waits for could not be withdrawn: %s", error)

    async def _state(self, key: str) -> Answering:
        return state_from_json(await self._hub.state(ENTITY, key))


def _kind(error: HubAway | TimeoutError) -> str:
    return str(error) if isinstance(error, HubAway) else type(error).__name__
