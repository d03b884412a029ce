"""The orchestration that waits for the decision about an approval, or for its expiry."""

from collections.abc import Generator
from datetime import UTC, datetime
from typing import Any

import azure.durable_functions as df
import azure.functions as func
from durabletask import task

from shared import wiring
from shared.access.approval import DECISION, State
from shared.access.approval_codec import approval_from_json, approval_to_json

EARLY_SECONDS = 1.0
"""Added to the expiry: the storage backend fires timers up to 0.7 s early (docs/fidelity.md)."""
bp = df.Blueprint(http_auth_level=func.AuthLevel.ANONYMOUS)


@bp.orchestration_trigger(context_name="context")
def await_approval(context: task.OrchestrationContext, approval: dict[str, Any]) -> Generator[Any, Any, Any]:
    """Waits until the approval is decided or expires, and returns it as settled. The first decision counts."""
    return (yield from wait_for_decision(context, approval))


def wait_for_decision(context: task.OrchestrationContext, approval: dict[str, Any]) -> Generator[Any, Any, Any]:
    """The orchestration itself, without Azure's decorator, so that tests run it on another engine."""
    decision = context.wait_for_external_event(DECISION)
    timeout = context.create_timer(datetime.fromtimestamp(approval["waits_until"] + EARLY_SECONDS, UTC))
    winner = yield task.when_any([decision, timeout])
    outcome = decision.get_result() if winner is decision else {**approval, "state": State.EXPIRED.value}
    return (yield context.call_activity("settle_approval", input=outcome))


@bp.activity_trigger(input_name="approval")
async def settle_approval(approval: dict) -> dict:  # type: ignore[type-arg]  # the worker knows plain types alone
    """Stores the outcome once and returns the stored one; an earlier outcome stays. Raises Unavailable."""
    return approval_to_json(await wiring.approvals_table().settle(approval_from_json(approval)))
