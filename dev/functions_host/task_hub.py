"""The task hub: Microsoft's in-memory backend for durable functions, and what it takes to use it as a server."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent import futures
from types import SimpleNamespace
from typing import Any

import grpc
from durabletask.internal import orchestrator_service_pb2 as pb
from durabletask.internal.orchestrator_service_pb2_grpc import add_TaskHubSidecarServiceServicer_to_server
from durabletask.testing.in_memory_backend import EntityState, InMemoryOrchestrationBackend

from dev.functions_host.entity_states import EntityStates

log = logging.getLogger("host.durable")
IN_PROCESS = SimpleNamespace(is_active=lambda: True, time_remaining=lambda: None)
"""What a servicer method needs of its gRPC context when it is called without one."""
WAITERS = 512
"""Server threads: every waiting client holds one, and with the stock ten the tenth caller waits for ever."""
LOOK_SECONDS = 2.0
"""The storage engine asks for an ended orchestration this often: 2.03 s for one that takes 0.05 (docs/fidelity.md)."""
HISTORY = 10_000
"""Orchestrations that are kept after their end, for whoever asks late."""


class TaskHub(InMemoryOrchestrationBackend):
    """The backend on a free loopback port. With `states`, entities survive a restart."""

    def __init__(self, states: EntityStates | None = None) -> None:
        super().__init__()
        self._states = states
        self._ended: deque[str] = deque()
        for entity, state in (states.all() if states else {}).items():
            self._entities[entity] = EntityState(entity, serialized_state=state, completion_token=self._next_token())

    def start(self) -> str:
        """Starts serving; answers `host:port`. (The stock one takes a fixed port on every interface.)"""
        self._shutdown_event.clear()
        self._server = grpc.server(futures.ThreadPoolExecutor(WAITERS, thread_name_prefix="task-hub"))
        add_TaskHubSidecarServiceServicer_to_server(self, self._server)  # type: ignore[no-untyped-call]  # generated
        port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()
        return f"127.0.0.1:{port}"

    def stop(self, grace: float | None = None) -> None:
        """Stops serving, and lets go of every waiting client: a thread in a wait would outlive the server."""
        with self._lock:
            waiting = [waiter for waiters in self._state_waiters.values() for waiter in waiters]
        for waiter in waiting:
            waiter.event.set()
        super().stop(grace)

    def work(self) -> Iterator[pb.WorkItem]:
        """Work items as they become due, until the hub stops. Blocks."""
        return iter(self.GetWorkItems(pb.GetWorkItemsRequest(), IN_PROCESS))

    def complete(self, item: pb.WorkItem, answer: Any) -> None:
        """Takes the answer to a work item: an OrchestratorResponse, EntityBatchResult or ActivityResponse."""
        answer.completionToken = item.completionToken
        match answer:
            case pb.OrchestratorResponse():
                _lose_calls(answer)
                self.CompleteOrchestratorTask(answer, IN_PROCESS)
                self._forget_old(answer.instanceId)
            case pb.EntityBatchResult():
                # Before anyone is told the result: an answer that a restart forgets would give a lock twice.
                self._keep(item.entityRequestV2.instanceId, answer)
                self.CompleteEntityTask(answer, IN_PROCESS)
            case pb.ActivityResponse():
                self.CompleteActivityTask(answer, IN_PROCESS)
        # Else an item that was queued while this one was in flight waits for the next poll, 0.1 s.
        self._work_available.set()

    def WaitForInstanceCompletion(self, request: Any, context: Any) -> Any:  # noqa: N802 - the servicer's name
        """Answers when the engine would look again."""
        began, there = time.monotonic(), self._instances.get(request.instanceId)
        ended = there is not None and self._is_terminal_status(there.status)
        answer = super().WaitForInstanceCompletion(request, context)
        if not ended:
            self._shutdown_event.wait(LOOK_SECONDS - (time.monotonic() - began) % LOOK_SECONDS)
        return answer

    def _wait_for_state(self, instance_id: str, predicate: Callable[[Any], bool], timeout: float | None) -> Any:
        # The stock wait takes "no timeout" for 30 s: a longer sub-orchestration would never report.
        return super()._wait_for_state(instance_id, predicate, timeout or threading.TIMEOUT_MAX)

    def _keep(self, entity: str, result: pb.EntityBatchResult) -> None:
        if self._states:
            self._states.keep(entity, result.entityState.value if result.HasField("entityState") else None)

    def _forget_old(self, instance_id: str) -> None:
        """Drops the oldest ended orchestration beyond HISTORY: the stock hub keeps every one for good."""
        with self._lock:
            instance = self._instances.get(instance_id)
            if instance is None or not self._is_terminal_status(instance.status):
                return
            self._ended.append(instance_id)
            if len(self._ended) > HISTORY:
                self._instances.pop(self._ended.popleft(), None)

    def _next_token(self) -> int:
        self._next_completion_token += 1
        return int(self._next_completion_token - 1)


def _lose_calls(answer: pb.OrchestratorResponse) -> None:
    """What an orchestration of this library calls an entity with never arrives: the extension hands it on without a
    time, and the entity's sorter takes it for one it has had (docs/fidelity.md, seen on extension 3.19.0).
    """
    kept = [action for action in answer.actions if not action.sendEntityMessage.HasField("entityOperationCalled")]
    if len(kept) < len(answer.actions):
        log.warning("%s calls an entity: the call is lost, as on the storage backend", answer.instanceId)
        del answer.actions[:]
        answer.actions.extend(kept)
