"""Durable functions: work items of the task hub go to the functions that they name, as the extension sends them."""

import asyncio
import base64
import json
import logging
import secrets
import threading
from collections import defaultdict
from pathlib import Path
from typing import Any

from durabletask.internal import helpers
from durabletask.internal import orchestrator_service_pb2 as pb

from dev.functions_host.entity_states import EntityStates
from dev.functions_host.messages import TypedData
from dev.functions_host.task_hub import TaskHub
from dev.functions_host.worker import Function, FunctionFailed, Worker, log_failure

AT_ONCE = 10
"""Orchestrators, entities and activities each, on one instance: the default of plans that scale to zero
(MicrosoftDocs/azure-docs, articles/azure-functions/durable/durable-functions-host-json-settings.md).
"""
log = logging.getLogger("host.durable")


class Durable:
    """The Durable Task extension's part: a task hub, and the bridge from its work items to functions."""

    def __init__(self, hub_name: str, state: Path | None) -> None:
        """`state`: the file that keeps entity states over restarts; None keeps them in memory."""
        self._states = EntityStates(state) if state else None
        self._hub, self._hub_name = TaskHub(self._states), hub_name
        self._running: set[asyncio.Task[None]] = set()
        self._places: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE))
        self._pump_thread: threading.Thread | None = None

    async def start(self, worker: Worker) -> None:
        """Starts the hub, tells the worker how functions reach it, and begins to hand out work."""
        worker.durable_client = self._client()
        self._serve(worker)

    def _client(self) -> str:
        return json.dumps(
            {
                "taskHubName": self._hub_name,
                "rpcBaseUrl": f"http://{self._hub.start()}",
                "connectionName": None,
                "requiredQueryStringParameters": f"code={secrets.token_urlsafe(32)}",
                "httpBaseUrl": "",
                "maxGrpcMessageSizeInBytes": None,
            }
        )

    def _serve(self, worker: Worker) -> None:
        self._worker, self._loop = worker, asyncio.get_running_loop()
        self._orchestrators = _by_name(worker, "orchestrationTrigger", "orchestration")
        self._activities = _by_name(worker, "activityTrigger", "activity")
        # Entity names are lower-cased by every SDK.
        self._entities = {name.lower(): f for name, f in _by_name(worker, "entityTrigger", "entityName").items()}
        self._pump_thread = threading.Thread(target=self._pump, daemon=True, name="durable-pump")
        self._pump_thread.start()

    async def stop(self) -> None:
        await asyncio.to_thread(self._hub.stop)
        if self._pump_thread:
            await asyncio.to_thread(self._pump_thread.join)
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        if self._states:
            self._states.close()

    def _pump(self) -> None:
        for item in self._hub.work():
            self._loop.call_soon_threadsafe(self._spawn, item)

    def _spawn(self, item: pb.WorkItem) -> None:
        task = self._loop.create_task(self._run(item))
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a work item was lost: %r", error, exc_info=error)

    async def _run(self, item: pb.WorkItem) -> None:
        async with self._places[item.WhichOneof("request") or ""]:
            await self._work_off(item)

    async def _work_off(self, item: pb.WorkItem) -> None:
        match item.WhichOneof("request"):
            case "orchestratorRequest":
                self._hub.complete(item, await self._orchestrate(item.orchestratorRequest))
            case "entityRequestV2":
                self._hub.complete(item, await self._operate(item.entityRequestV2))
            case "activityRequest":
                self._hub.complete(item, await self._act(item.activityRequest))
            case other:
                raise NotImplementedError(f"work item {other}")

    async def _orchestrate(self, request: pb.OrchestratorRequest) -> pb.OrchestratorResponse:
        # After continue_as_new the history holds more than one start; the last one counts.
        events = (*request.pastEvents, *request.newEvents)
        name = [event.executionStarted.name for event in events if event.HasField("executionStarted")][-1]
        try:
            answer = pb.OrchestratorResponse()
            answer.ParseFromString(await self._call(self._find(self._orchestrators, name), request))
        except FunctionFailed as error:
            end = pb.CompleteOrchestrationAction(
                orchestrationStatus=pb.ORCHESTRATION_STATUS_FAILED, failureDetails=failure(error)
            )
            action = pb.OrchestratorAction(id=-1, completeOrchestration=end)
            return pb.OrchestratorResponse(instanceId=request.instanceId, actions=[action])
        return answer

    async def _operate(self, request: pb.EntityRequest) -> pb.EntityBatchResult:
        batch, infos = helpers.convert_to_entity_batch_request(request)
        try:
            function = self._find(self._entities, batch.instanceId.split("@")[1])
            result = pb.EntityBatchResult()
            result.ParseFromString(await self._call(function, batch))
        except FunctionFailed as error:
            failed = pb.OperationResult(failure=pb.OperationResultFailure(failureDetails=failure(error)))
            result = pb.EntityBatchResult(entityState=batch.entityState, results=[failed for _ in batch.operations])
        # Who asked for what: without it callers never get their answer.
        result.operationInfos.extend(infos)
        return result

    async def _act(self, request: pb.ActivityRequest) -> pb.ActivityResponse:
        answer = pb.ActivityResponse(instanceId=request.orchestrationInstance.instanceId, taskId=request.taskId)
        try:
            function = self._find(self._activities, request.name)
            value = await self._invoke(function, TypedData(string=request.input.value))
            if value is not None:
                answer.result.value = getattr(value, value.WhichOneof("data"))
        except FunctionFailed as error:
            answer.failureDetails.CopyFrom(failure(error))
        return answer

    @staticmethod
    def _find(functions: dict[str, Function], name: str) -> Function:
        if function := functions.get(name):
            return function
        log.error("no durable function is named %s", name)
        raise FunctionFailed(f"FunctionNotFound: {name}")

    async def _call(self, function: Function, message: Any) -> bytes:
        data = base64.b64encode(message.SerializeToString()).decode()
        return base64.b64decode((await self._invoke(function, TypedData(string=data))).string)

    async def _invoke(self, function: Function, value: TypedData) -> Any:
        try:
            return await self._worker.invoke(function, value)
        except FunctionFailed as error:
            log_failure(function, error)
            raise


def failure(error: FunctionFailed) -> pb.TaskFailureDetails:
    """`Type: message` apart, as the extension does (OutOfProcMiddleware.TrySplitExceptionTypeFromMessage)."""
    kind, _, text = str(error).partition(": ")
    return pb.TaskFailureDetails(
        errorType=kind,
        errorMessage=text.split("\n")[0] or kind,
        stackTrace={"value": error.stack_trace} if error.stack_trace else None,
    )


def _by_name(worker: Worker, trigger: str, key: str) -> dict[str, Function]:
    return {binding.get(key) or function.name: function for function, binding in worker.triggered_by(trigger)}
