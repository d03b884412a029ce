"""Requests for approval that wait as orchestrations, each under the id of the request (functions/
approval_orchestration.py).

The row of a request holds its decision and is decided once, so a request outlives its orchestration, and a decision
needs no task hub. A start that a killed host had taken runs again after five minutes, and an event that comes before
the start of its orchestration is dropped (docs/fidelity.md, "Durable functions").
"""

import asyncio
import logging
from collections.abc import Sequence

from shared.access.approval import DECISION, Approval
from shared.access.approval_codec import approval_from_json, approval_to_json
from shared.access.tables.approvals import TableApprovals
from shared.base.in_time import in_time
from shared.base.ports import Dependency, Unavailable
from shared.base.task_hub import HubAway, TaskHub
from shared.base.vm import VmId

ORCHESTRATION = "await_approval"
HUB_SECONDS = 6.0
"""Seconds to wait for an orchestration to end. The client polls the engine every two seconds."""
SETTLE_SECONDS = 1.0
"""Seconds of a request that are reserved for deciding the row without the task hub."""
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
        """Decides through the orchestration. If it has ended, never started or does not answer, decides the row."""
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
