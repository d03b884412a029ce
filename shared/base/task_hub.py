"""The task hub through azure-functions-durable 2.x: all that is said to it, and nothing of what it means.

infra/durable1 holds the same for the 1.x line (docs/versions.md): what differs between the two is here and in the two
modules that register durable functions.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import grpc
from azure.durable_functions import DurableFunctionsClient
from durabletask.entities import EntityInstanceId

BINDING: dict[str, Any] = {"durableRequiresGrpc": True}
"""What the durable client binding says besides its name and type: by it the extension tells this line from 1.x."""


class HubAway(Exception):
    """The task hub did not take it, or did not answer. The text is the kind of error alone."""


class TaskHub:
    """One per process, made inside its event loop: it holds a gRPC channel."""

    def __init__(self, starter: str) -> None:
        """`starter`: the durable client binding's text."""
        self._client = DurableFunctionsClient(starter)

    async def signal(self, entity: str, key: str, operation: str, said: Mapping[str, Any]) -> None:
        """At once: a signal with a due time can vanish (microsoft/durabletask-python issue 229). Raises HubAway."""
        with _told():
            await self._client.signal_entity(EntityInstanceId(entity, key), operation, input=dict(said))

    async def state(self, entity: str, key: str) -> dict[str, Any] | None:
        """None: nobody ever signalled it. Raises HubAway."""
        with _told():
            found = await self._client.get_entity(EntityInstanceId(entity, key))
        return found.get_typed_state(dict) if found else None

    async def start(self, orchestration: str, instance: str, said: Mapping[str, Any]) -> None:
        """Raises HubAway."""
        with _told():
            await self._client.schedule_new_orchestration(orchestration, input=dict(said), instance_id=instance)

    async def tell(self, instance: str, event: str, said: Mapping[str, Any], seconds: float) -> dict[str, Any] | None:
        """What the orchestration ended with, within so many seconds; None: there is none. Raises HubAway."""
        with _told():
            if await self._client.get_orchestration_state(instance) is None:
                return None
            await self._client.raise_orchestration_event(instance, event, data=dict(said))
            state = await self._client.wait_for_orchestration_completion(instance, timeout=int(seconds))
        return state.get_output() if state else None

    async def close(self) -> None:
        await self._client.close()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except grpc.RpcError as error:
        raise HubAway(type(error).__name__) from error
