"""The lock of a console as a durable entity, and the orchestration through which it answers.

State and answers are plain JSON, stored in the task hub: no token is among them. Entity operations of one console run
one after another; that is the whole locking.
"""

from collections.abc import Generator
from typing import Any

import azure.durable_functions as df
import azure.functions as func
from durabletask import task
from durabletask.entities import DurableEntity, EntityInstanceId

from shared.adapters.system_clock import SystemClock
from shared.domain import lock
from shared.domain.lock import Lock
from shared.domain.lock_codec import claim_from_json, lock_from_json, lock_to_json, outcome_to_json

bp = df.Blueprint(http_auth_level=func.AuthLevel.ANONYMOUS)
_clock = SystemClock()


@bp.entity_trigger(context_name="context", entity_name="console")
class Console(DurableEntity):
    """Times are the entity's own: operations are not replayed, and whoever asks may have waited in the queue."""

    def acquire(self, said: dict[str, Any]) -> dict[str, Any]:
        after, outcome = lock.acquire(self._lock(), claim_from_json(said), _clock.now())
        self._keep(after)
        return outcome_to_json(outcome)

    def renew(self, said: dict[str, Any]) -> bool:
        after, held = lock.renew(self._lock(), said["session"], said["generation"], _clock.now())
        self._keep(after)
        return held

    def release(self, said: dict[str, Any]) -> bool:
        after, held = lock.release(self._lock(), said["session"], said["generation"])
        self._keep(after)
        return held

    def _lock(self) -> Lock:
        return lock_from_json(self.get_state(dict))

    def _keep(self, after: Lock) -> None:
        self.set_state(lock_to_json(after))


@bp.orchestration_trigger(context_name="context")
def ask_console(context: task.OrchestrationContext, question: dict[str, Any]) -> Generator[Any, Any, Any]:
    """One operation of one console's entity, and its answer."""
    entity = EntityInstanceId("console", question["key"])
    return (yield context.call_entity(entity, question["operation"], question["input"]))
