"""The lock in the durable task hub: one entity per console, asked through a small orchestration.

Only an orchestration gets an answer from an entity; the functions are in functions/consoles.py.
"""

import asyncio
import hashlib
import logging
from typing import Any

import grpc
from azure.durable_functions import DurableFunctionsClient
from durabletask.client import OrchestrationStatus
from durabletask.entities import EntityInstanceId

from shared.domain.lock import Acquired, Claim, Held, Lock
from shared.domain.lock_codec import claim_to_json, lock_from_json, outcome_from_json
from shared.domain.vm import VmId
from shared.ports import Unavailable

ENTITY = "console"
ORCHESTRATION = "ask_console"
TIMEOUT_SECONDS = 15.0
_WHAT = "task hub"
_log = logging.getLogger(__name__)


def entity_key(vm: VmId) -> str:
    """A digest: the task hub refuses slashes in keys and keys above 100 characters."""
    return hashlib.sha256(vm.console.encode()).hexdigest()


def durable_client(starter: str) -> DurableFunctionsClient:
    """The client behind the durable client binding's text; to be made inside the event loop, once per process."""
    return DurableFunctionsClient(starter)


class DurableConsoles:
    """Takes the one client of the process: each holds a gRPC channel."""

    def __init__(self, client: DurableFunctionsClient) -> None:
        self._client = client
        self._purges: set[asyncio.Task[None]] = set()

    async def acquire(self, vm: VmId, claim: Claim) -> Acquired | Held:
        return outcome_from_json(await self._ask(vm, "acquire", claim_to_json(claim)))

    async def renew(self, vm: VmId, session: str, generation: int) -> bool:
        return bool(await self._ask(vm, "renew", {"session": session, "generation": generation}))

    async def release(self, vm: VmId, session: str, generation: int) -> bool:
        return bool(await self._ask(vm, "release", {"session": session, "generation": generation}))

    async def show(self, vm: VmId) -> Lock:
        entity = await self._entity(entity_key(vm))
        return lock_from_json(entity.get_typed_state(dict) if entity else None)

    async def probe(self) -> None:
        """A sign of life of the task hub. Raises Unavailable."""
        await self._entity("probe")

    async def _entity(self, key: str) -> Any:
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await self._client.get_entity(EntityInstanceId(ENTITY, key))
        except (grpc.RpcError, TimeoutError) as error:
            raise Unavailable(_WHAT, type(error).__name__) from error

    async def _ask(self, vm: VmId, operation: str, said: dict[str, Any]) -> Any:
        question = {"key": entity_key(vm), "operation": operation, "input": said}
        try:
            instance = await self._client.schedule_new_orchestration(ORCHESTRATION, input=question)
            state = await self._client.wait_for_orchestration_completion(instance, timeout=TIMEOUT_SECONDS)
        except (grpc.RpcError, TimeoutError) as error:
            raise Unavailable(_WHAT, type(error).__name__) from error
        if state is None or state.runtime_status is not OrchestrationStatus.COMPLETED:
            raise Unavailable(_WHAT, f"{operation} did not complete")
        self._purge(instance)
        return state.get_output()

    def _purge(self, instance: str) -> None:
        """Heartbeats ask every few seconds: their histories would fill the hub. Nobody waits for this."""
        task = asyncio.create_task(self._purge_quietly(instance))
        self._purges.add(task)
        task.add_done_callback(self._purges.discard)

    async def _purge_quietly(self, instance: str) -> None:
        try:
            await self._client.purge_orchestration(instance)
        except grpc.RpcError as error:
            _log.warning("a finished question stays in the task hub: %s", type(error).__name__)
