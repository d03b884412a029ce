"""The lock in the durable task hub: one entity per console (functions/lock_entity.py), signalled, then read.

An entity answers only orchestrations, and these are slow. So each request has an id, and its outcome is read from the
entity's state. A signal may be lost or come twice: it is sent again until the outcome appears.
"""

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from shared.base import time_limit
from shared.base.in_time import in_time
from shared.base.ports import Clock, Dependency, Trouble, Unavailable
from shared.base.task_hub import HubAway, TaskHub
from shared.base.vm import VmId
from shared.session.lock import Acquired, Claim, Held, Lock
from shared.session.lock_codec import claim_to_json, state_from_json
from shared.session.lock_requests import CLOCK_SECONDS, Expired, LockRequests, Outcome, Request

ENTITY = "console"
PATIENCE_SECONDS = time_limit.REQUEST_SECONDS
"""Seconds after which Unavailable is raised. A request with less time left ends earlier."""
LEAST_SECONDS = CLOCK_SECONDS + 0.5
"""A claim needs more time than this, or it would come too late."""
AGAIN_SECONDS = 2.0
"""Seconds after which a signal counts as lost, and is sent again."""
FIRST_LOOK_SECONDS, LONGEST_LOOK_SECONDS, LOOKS_GROW = 0.015, 0.25, 1.5
"""Seconds between two reads of the state: the first pause, the longest, and the factor by which it grows."""
WHAT = Dependency.CONSOLE_LOCK
"""By this name an answer distinguishes the lock from other dependencies."""
_log = logging.getLogger(__name__)


def entity_key(vm: VmId) -> str:
    """Returns the key of a console's entity. It is a digest, as the task hub refuses slashes and more than 100
    characters.
    """
    return hashlib.sha256(vm.console.encode()).hexdigest()


class DurableConsoles:
    def __init__(self, hub: TaskHub, clock: Clock) -> None:
        self._hub, self._clock = hub, clock

    async def acquire(self, vm: VmId, claim: Claim) -> Acquired | Held:
        """Claims the console. If no outcome was received, it withdraws the claim. Raises Unavailable."""
        try:
            outcome = await self._ask(vm, "acquire", {"claim": claim_to_json(claim)}, LEAST_SECONDS)
        except BaseException:
            await asyncio.shield(self._give_back(vm, claim.holder.session))
            raise
        if isinstance(outcome, Acquired | Held):
            return outcome
        raise Unavailable(WHAT, f"answered {type(outcome).__name__} to a claim")

    async def release(self, vm: VmId, session: str, generation: int) -> bool:
        """Frees the console. A late release harms nobody, so it is sent however little time is left.

        Raises Unavailable.
        """
        outcome = await self._ask(vm, "release", {"session": session, "generation": generation})
        if isinstance(outcome, bool):
            return outcome
        raise Unavailable(WHAT, f"answered {type(outcome).__name__} to a release")

    async def show(self, vm: VmId) -> Lock:
        try:
            async with in_time(WHAT, PATIENCE_SECONDS, late=Trouble.SILENT):
                return (await self._state(entity_key(vm))).lock
        except HubAway as error:
            raise Unavailable(WHAT, str(error)) from error

    async def probe(self) -> None:
        """Reads a state, to see if the task hub answers. Raises Unavailable."""
        try:
            async with in_time(Dependency.TASK_HUB, PATIENCE_SECONDS, late=Trouble.SILENT):
                await self._state("probe")
        except HubAway as error:
            raise Unavailable(Dependency.TASK_HUB, str(error)) from error

    async def _ask(self, vm: VmId, operation: str, payload: Mapping[str, Any], least: float = 0.0) -> Outcome:
        """Signals a request and waits for its outcome. It begins only if more than `least` seconds are left; with a
        `least`, the request expires when this caller gives up. Raises Unavailable.
        """
        try:
            async with in_time(WHAT, PATIENCE_SECONDS, least=least, late=Trouble.SILENT) as seconds:
                request = self._request(seconds if least else PATIENCE_SECONDS)
                outcome = await self._answer(entity_key(vm), operation, request, payload)
        except HubAway as error:
            raise Unavailable(WHAT, f"{operation}: {error}") from error
        if isinstance(outcome, Expired):
            raise Unavailable(WHAT, f"{operation} came too late")
        return outcome

    async def _answer(self, key: str, operation: str, request: Request, payload: Mapping[str, Any]) -> Outcome:
        time = asyncio.get_running_loop().time
        next_signal, pause = time(), FIRST_LOOK_SECONDS
        while True:
            if time() >= next_signal:
                await self._signal(key, operation, request, payload)
                next_signal = time() + AGAIN_SECONDS
            await asyncio.sleep(pause)
            outcome = (await self._state(key)).outcome(request.id)
            if outcome is not None:
                return outcome
            pause = min(pause * LOOKS_GROW, LONGEST_LOOK_SECONDS)

    def _request(self, seconds: float) -> Request:
        """Makes a request that expires after `seconds`. A caller with less time than others may be refused as too late
        if 32 of their requests were done meanwhile (shared/session/lock_requests.py), and must try again.
        """
        return Request(secrets.token_urlsafe(12), self._clock.now() + seconds - CLOCK_SECONDS)

    async def _signal(self, key: str, operation: str, request: Request, payload: Mapping[str, Any]) -> None:
        await self._hub.signal(ENTITY, key, operation, {"request": asdict(request), **payload})

    async def _give_back(self, vm: VmId, session: str) -> None:
        """Withdraws a claim. Signals of one client arrive in order, so this one comes after the claim. It does not wait
        for the outcome.
        """
        payload = {"session": session, "generation": None}
        try:
            with time_limit.afterwards():
                async with in_time(WHAT):
                    await self._signal(entity_key(vm), "release", self._request(PATIENCE_SECONDS), payload)
        except (HubAway, Unavailable) as error:
            _log.warning("a claim that nobody waits for could not be withdrawn: %s", error)

    async def _state(self, key: str) -> LockRequests:
        return state_from_json(await self._hub.state(ENTITY, key))
