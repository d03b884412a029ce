"""The lock of a console as a durable entity, which is signalled and answers in its state.

State is plain JSON, stored in the task hub: no token is in it. Entity operations of one console run one after another;
that is the whole locking. Nobody calls it through an orchestration: that takes two seconds and more on the storage
backend, and what an orchestration calls may never arrive (docs/fidelity.md, "Durable functions").
"""

from typing import Any

import azure.durable_functions as df
import azure.functions as func
from durabletask.entities import DurableEntity

from shared.adapters.system_clock import SystemClock
from shared.domain import lock
from shared.domain.lock_codec import claim_from_json, request_from_json, state_from_json, state_to_json
from shared.domain.lock_requests import Operation, perform

bp = df.Blueprint(http_auth_level=func.AuthLevel.ANONYMOUS)
_clock = SystemClock()


@bp.entity_trigger(context_name="context", entity_name="console")
class Console(DurableEntity):
    """Times are the entity's own: operations are not replayed, and whoever asks may have waited in the queue."""

    def acquire(self, said: dict[str, Any]) -> None:
        now = _clock.now()
        self._perform(said, lambda held: lock.acquire(held, claim_from_json(said["claim"]), now), now)

    def release(self, said: dict[str, Any]) -> None:
        self._perform(said, lambda held: lock.release(held, said["session"], said["generation"]), _clock.now())

    def _perform(self, said: dict[str, Any], operation: Operation, now: float) -> None:
        before = state_from_json(self.get_state(dict))
        after = perform(before, request_from_json(said["request"]), operation, now)
        if after is not before:
            self.set_state(state_to_json(after))
