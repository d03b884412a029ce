"""Requests for approval that wait as orchestrations, each under the request's own id; the functions are in
functions/approving.py. The rows say what became of them, so a request outlives its orchestration.
"""

import asyncio
from collections.abc import Sequence

import grpc
from azure.durable_functions import DurableFunctionsClient

from shared.adapters.table_approvals import TableApprovals
from shared.domain.approval import Approval
from shared.domain.approval_codec import approval_from_json, approval_to_json
from shared.domain.vm import VmId
from shared.ports import Unavailable

ORCHESTRATION = "await_approval"
DECISION = "decision"
TIMEOUT_SECONDS = 15.0


class DurableApprovals:
    """Takes the one client of the process: each holds a gRPC channel."""

    def __init__(self, client: DurableFunctionsClient, table: TableApprovals) -> None:
        self._client, self._table = client, table

    async def ask(self, approval: Approval) -> None:
        await self._table.add(approval)
        try:
            await self._client.schedule_new_orchestration(
                ORCHESTRATION, input=approval_to_json(approval), instance_id=_instance(approval)
            )
        except grpc.RpcError as error:
            raise Unavailable("task hub", type(error).__name__) from error

    async def find(self, vm: VmId, approval: str) -> Approval | None:
        return await self._table.find(vm, approval)

    async def of(self, vm: VmId, subject: str) -> Sequence[Approval]:
        return await self._table.of(vm, subject)

    async def pending(self) -> Sequence[Approval]:
        return await self._table.pending()

    async def decide(self, approval: Approval) -> Approval:
        """Where the orchestration is no more, or was never started, the row is settled without it."""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                if await self._client.get_orchestration_state(_instance(approval)) is None:
                    return await self._table.settle(approval)
                return await self._hand_over(approval)
        except (grpc.RpcError, TimeoutError) as error:
            raise Unavailable("task hub", type(error).__name__) from error

    async def _hand_over(self, approval: Approval) -> Approval:
        instance = _instance(approval)
        await self._client.raise_orchestration_event(instance, DECISION, data=approval_to_json(approval))
        state = await self._client.wait_for_orchestration_completion(instance, timeout=TIMEOUT_SECONDS)
        settled = state.get_output() if state else None
        return approval_from_json(settled) if settled else await self._table.settle(approval)


def _instance(approval: Approval) -> str:
    return f"approval-{approval.id}"
