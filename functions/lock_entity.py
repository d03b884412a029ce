"""The lock of a console as a durable entity, which is signalled and answers in its state.

State is plain JSON, stored in the task hub: no token is in it. Entity operations of one console run one after another;
that is the whole locking. Nobody calls it through an orchestration: that takes two seconds and more on the storage
backend, and what an orchestration calls may never arrive (docs/fidelity.md, "Durable functions").
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
class Console(DurableEntity):
    """Times are the entity's own: operations are not replayed, and whoever asks may have waited in the queue."""

    def acquire(self, said: dict[str, Any]) -> None:
        self._change("acquire", said)

    def release(self, said: dict[str, Any]) -> None:
        self._change("release", said)

    def _change(self, operation: str, said: dict[str, Any]) -> None:
        after = changed(self.get_state(dict), operation, said, _clock.now())
        if after is not None:
            self.set_state(after)
