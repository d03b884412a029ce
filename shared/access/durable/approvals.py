"""Requests for approval that wait as orchestrations, each under the request's own id; the functions are in
functions/approval_orchestration.py. The rows say what became of them, and are written once, so a request outlives its
orchestration, and a decision needs no task hub. A start that the killed host had taken comes again after five minutes,
and what is told an orchestration before its start is dropped (docs/fidelity.md, "Durable functions").
"""

import asyncio
import logging
from collections.abc import Sequence

from shared.access.approval import Approval
from shared.access.approval_codec import approval_from_json, approval_to_json
from shared.access.tables.approvals import TableApprovals
from shared.base.in_time import in_time
from shared.base.ports import Dependency, Unavailable
from shared.base.task_hub import HubAway, TaskHub
from shared.base.vm import VmId

ORCHESTRATION = "await_approval"
DECISION = "decision"
HUB_SECONDS = 6.0
"""The engine is asked for an ended orchestration every two seconds; one that answers later is not waited for."""
SETTLE_SECONDS = 1.0
"""What a request keeps of its time for settling the row without the task hub."""
HUB = Dependency.TASK_HUB
_log = logging.getLogger(__name__)


class DurableApprovals:
    def __init__(self, hub: TaskHub, table: TableApprovals) -> None:
        self._hub, self._table = hub, table

    async def ask(self, approval: Approval) -> None:
        await self._table.add(approval)
        try:
            async with in_time(HUB), asyncio.timeout(HUB_SECONDS):
                await self._hub.start(ORCHESTRATION, _instance(approval), approval_to_json(approval))
        except (HubAway, TimeoutError, Unavailable) as error:
            _log.warning("a request for approval waits without the task hub: %s", type(error).__name__)

    async def find(self, vm: VmId, approval: str) -> Approval | None:
        return await self._table.find(vm, approval)

    async def of(self, vm: VmId, subject: str) -> Sequence[Approval]:
        return await self._table.of(vm, subject)

    async def pending(self) -> Sequence[Approval]:
        return await self._table.pending()

    async def decide(self, approval: Approval) -> Approval:
        """Where the orchestration is no more, was never started, or does not answer, the row is settled without it."""
        try:
            async with (
                in_time(HUB, least=SETTLE_SECONDS) as left,
                asyncio.timeout(min(HUB_SECONDS, left - SETTLE_SECONDS)),
            ):
                settled = await self._hand_over(approval)
        except (HubAway, TimeoutError, Unavailable) as error:
            _log.warning("a request for approval is settled without the task hub: %s", type(error).__name__)
            settled = None
        return settled or await self._table.settle(approval)

    async def _hand_over(self, approval: Approval) -> Approval | None:
        payload = approval_to_json(approval)
        settled = await self._hub.tell(_instance(approval), DECISION, payload, HUB_SECONDS)
        return approval_from_json(settled) if settled else None


def _instance(approval: Approval) -> str:
    return f"approval-{approval.id}"
