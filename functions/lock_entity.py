"""The lock of a console as a durable entity. Callers signal it and read the answer from its state.

The state is plain JSON in the task hub and holds no token. The engine runs the operations of one console one after
another; this alone makes the lock exclusive. No orchestration calls the entity: that takes two seconds and more on the
storage backend, and a call from an orchestration may never arrive (docs/fidelity.md, "Durable functions").
"""

from typing import Any

import azure.durable_functions as df
import azure.functions as func
from durabletask.entities import DurableEntity

from shared.base.system_clock import SystemClock
from shared.session.lock_entity import changed

bp = df.Blueprint(http_auth_level=func.AuthLevel.ANONYMOUS)
_clock = SystemClock()


@bp.entity_trigger(context_name="context", entity_name="console")
class LockEntity(DurableEntity):
    """One lock. It reads its own clock: operations are not replayed, and a signal may have waited in the queue."""

    def acquire(self, payload: dict[str, Any]) -> None:
        """Acquires the lock for a session; the new state holds the outcome."""
        self._change("acquire", payload)

    def release(self, payload: dict[str, Any]) -> None:
        """Frees the lock if the session still holds it."""
        self._change("release", payload)

    def _change(self, operation: str, payload: dict[str, Any]) -> None:
        state = changed(self.get_state(dict), operation, payload, _clock.now())
        if state is not None:
            self.set_state(state)
