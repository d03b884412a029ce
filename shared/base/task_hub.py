"""Calls the task hub through azure-functions-durable 2.x. The meaning of the calls is left to other modules.

infra/durable1 holds the same for the 1.x line (docs/versions.md). The two lines differ here, and in the two modules
that register durable functions.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import grpc
from azure.durable_functions import DurableFunctionsClient
from durabletask.entities import EntityInstanceId

BINDING: dict[str, Any] = {"durableRequiresGrpc": True}
"""Further fields of the durable client binding: by them the extension distinguishes this line from 1.x."""


class HubAway(Exception):
    """The task hub did not take a call, or did not answer. The text is only the type of the error."""


class TaskHub:
    """A client of the task hub. Make one per process, inside its event loop: it holds a gRPC channel."""

    def __init__(self, starter: str) -> None:
        """`starter` is the text of the durable client binding."""
        self._client = DurableFunctionsClient(starter)

    async def signal(self, entity: str, key: str, operation: str, payload: Mapping[str, Any]) -> None:
        """Signals an entity at once. Raises HubAway.

        It never sets a due time: such a signal can vanish (microsoft/durabletask-python issue 229).
        """
        with _translated_errors():
            await self._client.signal_entity(EntityInstanceId(entity, key), operation, input=dict(payload))

    async def state(self, entity: str, key: str) -> dict[str, Any] | None:
        """Returns the state of an entity; None if it was never signalled. Raises HubAway."""
        with _translated_errors():
            entity_state = await self._client.get_entity(EntityInstanceId(entity, key))
        return entity_state.get_typed_state(dict) if entity_state else None

    async def start(self, orchestration: str, instance: str, payload: Mapping[str, Any]) -> None:
        """Starts an orchestration. `instance` is its id, `payload` its input. Raises HubAway."""
        with _translated_errors():
            await self._client.schedule_new_orchestration(orchestration, input=dict(payload), instance_id=instance)

    async def tell(
        self, instance: str, event: str, payload: Mapping[str, Any], seconds: float
    ) -> dict[str, Any] | None:
        """Sends an event to an orchestration, and waits at most `seconds` for its end.

        Returns its output; None if there is no such orchestration. Raises HubAway.
        """
        with _translated_errors():
            if await self._client.get_orchestration_state(instance) is None:
                return None
            await self._client.raise_orchestration_event(instance, event, data=dict(payload))
            state = await self._client.wait_for_orchestration_completion(instance, timeout=int(seconds))
        return state.get_output() if state else None

    async def close(self) -> None:
        await self._client.close()


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except grpc.RpcError as error:
        raise HubAway(type(error).__name__) from error
