"""The task hub through azure-functions-durable 1.x, which speaks HTTP to the extension, at an address of this machine.

In the package of the fallback it takes the place of the module of this name (docs/versions.md).
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from azure.durable_functions import DurableOrchestrationClient, EntityId, OrchestrationRuntimeStatus

BINDING: dict[str, Any] = {}
"""This line is what the extension expects of Python where a binding says nothing else."""
LOOK_SECONDS = 0.25
"""Between two looks at an orchestration that was told something."""
_UNDER_WAY = (OrchestrationRuntimeStatus.Running, OrchestrationRuntimeStatus.Pending)
_ENDED_WELL = OrchestrationRuntimeStatus.Completed


class HubAway(Exception):
    """The task hub did not take it, or did not answer. The text is the kind of error alone."""


class TaskHub:
    """One per process."""

    def __init__(self, starter: str) -> None:
        """`starter`: the durable client binding's text; of it only the address of this machine is used, never a key."""
        self._client = DurableOrchestrationClient(starter)

    async def signal(self, entity: str, key: str, operation: str, said: Mapping[str, Any]) -> None:
        """Raises HubAway."""
        with _told():
            await self._client.signal_entity(EntityId(entity, key), operation, dict(said))

    async def state(self, entity: str, key: str) -> dict[str, Any] | None:
        """None: nobody ever signalled it. Raises HubAway."""
        with _told():
            read = await self._client.read_entity_state(EntityId(entity, key))
        return read.entity_state if read.entity_exists else None

    async def start(self, orchestration: str, instance: str, said: Mapping[str, Any]) -> None:
        """Raises HubAway."""
        with _told():
            await self._client.start_new(orchestration, instance, dict(said))

    async def tell(self, instance: str, event: str, said: Mapping[str, Any], seconds: float) -> dict[str, Any] | None:
        """What it ended with, within so many seconds; None: there is none, or it failed. Raises HubAway."""
        with _told():
            async with asyncio.timeout(seconds):
                status = await self._client.get_status(instance)
                if status and status.runtime_status in _UNDER_WAY:
                    await self._client.raise_event(instance, event, dict(said))
                while status and status.runtime_status in _UNDER_WAY:
                    await asyncio.sleep(LOOK_SECONDS)
                    status = await self._client.get_status(instance)
        return status.output if status and status.runtime_status is _ENDED_WELL else None

    async def close(self) -> None:
        """The library keeps its connections to itself."""


@contextmanager
def _told() -> Iterator[None]:
    """The library raises bare exceptions with whatever the extension said: neither text nor cause goes on."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - as above
        raise HubAway(type(error).__name__) from None
