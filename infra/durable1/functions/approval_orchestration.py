"""functions/approval_orchestration.py for azure-functions-durable 1.x."""

import json
from collections.abc import Generator
from datetime import UTC, datetime
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from shared import wiring
from shared.access.approval import DECISION, State
from shared.access.approval_codec import approval_from_json, approval_to_json

EARLY_SECONDS = 1.0
"""The storage backend fires timers up to 0.7 s before their time (docs/fidelity.md): nothing expires too early."""
bp = df.Blueprint(http_auth_level=func.AuthLevel.ANONYMOUS)


@bp.orchestration_trigger(context_name="context")
def await_approval(context: df.DurableOrchestrationContext) -> Generator[Any, Any, Any]:
    """Answers the request as it was settled, whoever's decision came first."""
    asked = context.get_input()
    decision = context.wait_for_external_event(DECISION)
    over = context.create_timer(datetime.fromtimestamp(asked["waits_until"] + EARLY_SECONDS, UTC))
    first = yield context.task_any([decision, over])
    if first is decision:
        over.cancel()  # on this line an orchestration ends with its last timer
    # An event's data comes as the text that it was sent as: the client of this line encodes it twice.
    wish = json.loads(decision.result) if first is decision else {**asked, "state": State.EXPIRED.value}
    return (yield context.call_activity("settle_approval", wish))


@bp.activity_trigger(input_name="wish")
async def settle_approval(wish: dict) -> dict:  # type: ignore[type-arg]  # the worker knows plain types alone
    """Writes the outcome down, once; what was settled before stays. Raises Unavailable."""
    return approval_to_json(await wiring.approvals_table().settle(approval_from_json(wish)))
