"""The lock of a console as a durable entity, as functions/lock_entity.py has it, for azure-functions-durable 1.x."""

import azure.durable_functions as df
import azure.functions as func

from shared.base.system_clock import SystemClock
from shared.session.lock_entity import changed

bp = df.Blueprint(http_auth_level=func.AuthLevel.ANONYMOUS)
_clock = SystemClock()


@bp.entity_trigger(context_name="context", entity_name="console")
def Console(context: df.DurableEntityContext) -> None:  # noqa: N802 - the function's name, the same on both lines
    """Times are the entity's own: operations are not replayed, and whoever asks may have waited in the queue."""
    after = changed(context.get_state(), context.operation_name, context.get_input(), _clock.now())
    if after is not None:
        context.set_state(after)
