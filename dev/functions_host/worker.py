"""The host's side of its worker: invocations, their time limit, and a new process for one that is lost.

Azure/azure-functions-host: RpcFunctionInvocationDispatcher (restarts), FunctionTimeout; seen on the real host (4.1037).
"""

import asyncio
import logging
import sys
import time
import uuid
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dev.functions_host import messages
from dev.functions_host.messages import TypedData
from dev.functions_host.worker_channel import Binding, Function, NotLoaded, WorkerLost, WorkerProcess, start_worker

__all__ = ["Attempt", "Binding", "Function", "FunctionFailed", "NotLoaded", "Worker", "WorkerFailed", "log_failure"]

NO_TRACE = messages.RpcTraceContext(trace_parent="", trace_state="", attributes={})
AFTER_THE_LIMIT = 12.0
"""Seconds that a function has beyond `functionTimeout` before its caller is told (seen)."""
LOSSES, WITHIN = 3, 30 * 60.0
"""A worker that is lost so often in so many seconds is not started again: the host ends, and Azure starts another."""
log = logging.getLogger("host.worker")


class FunctionFailed(Exception):
    """A function raised: `Type: message`, as the host gets it from the worker."""

    def __init__(self, message: str, stack_trace: str = "") -> None:
        super().__init__(message)
        self.stack_trace = stack_trace


class WorkerFailed(FunctionFailed):
    """The worker was lost, or the function outlived its limit: it may have done anything, or nothing."""


@dataclass(frozen=True)
class Attempt:
    """Which try this is, from 0, and how many follow the first at most (-1: for ever)."""

    number: int = 0
    limit: int = 0


FIRST = Attempt()


class Worker:
    """One function app in a worker process. `broken` is set when no worker can be had any more."""

    def __init__(self, app_dir: Path, limit: float | None = None, python: Path | None = None) -> None:
        """`limit`: seconds of `functionTimeout`; None: there is none. `python`: runs the functions; None: this one."""
        self._app_dir, self._limit, self._python = str(app_dir), limit, str(python or sys.executable)
        self.durable_client = ""
        """What the durableClient binding hands to functions, once there is a task hub."""
        self._losses: deque[float] = deque(maxlen=LOSSES)
        self._watching: set[asyncio.Task[None]] = set()
        self._is_stopping = False
        self.functions: list[Function] = []
        self.broken = asyncio.Event()

    async def load(self) -> None:
        """Starts a process, which imports and indexes the app.

        Raises:
            NotLoaded: with the worker's message and stack trace.

        """
        process = await start_worker(self._app_dir, self._python)
        self.functions = process.functions
        self._ready: asyncio.Future[WorkerProcess] = asyncio.get_running_loop().create_future()
        self._take(process)

    def triggered_by(self, kind: str) -> list[tuple[Function, Binding]]:
        """The functions with a trigger of this kind, each with that binding."""
        return [(function, binding) for function in self.functions if (binding := function.binding(kind))]

    async def invoke(
        self,
        function: Function,
        trigger: TypedData,
        metadata: dict[str, TypedData] | None = None,
        attempt: Attempt = FIRST,
    ) -> Any:
        """Runs a function, when there is a worker; answers what it returned as TypedData, or None.

        Raises:
            FunctionFailed: it raised, or its value could not be converted.
            WorkerFailed: its process was lost, or it outlived its limit.

        """
        process = await asyncio.shield(self._ready)
        retry = messages.RetryContext(retry_count=attempt.number, max_retry_count=attempt.limit, exception=None)
        request = messages.InvocationRequest(
            invocation_id=str(uuid.uuid4()),
            function_id=self._id_in(process, function),
            input_data=self._inputs(function, trigger),
            trigger_metadata=metadata or {},
            trace_context=NO_TRACE,
            retry_context=retry,
        )
        answer = await self._answer(process, function, request)
        if answer.result.status != messages.StatusResult.Success:
            raise FunctionFailed(answer.result.exception.message, answer.result.exception.stack_trace)
        return answer.return_value

    async def stop(self) -> None:
        """Ends every process, and what runs in them."""
        self._is_stopping = True
        for task in list(self._watching):
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)

    async def _answer(self, process: WorkerProcess, function: Function, request: messages.InvocationRequest) -> Any:
        try:
            async with asyncio.timeout(None if self._limit is None else self._limit + AFTER_THE_LIMIT):
                return await process.invoke(request)
        except WorkerLost:
            raise WorkerFailed(f"WorkerProcessExit: the worker ended under {function.name}") from None
        except TimeoutError:
            self._replace(process, f"{function.name} outlived functionTimeout")
            raise WorkerFailed(f"FunctionTimeoutException: {function.name} ran for {self._limit} s") from None

    def _take(self, process: WorkerProcess) -> None:
        """From now on functions run in `process`."""
        self._ready.set_result(process)
        self._spawn(self._watch(process))

    async def _watch(self, process: WorkerProcess) -> None:
        """Looks after a process until its end."""
        try:
            await asyncio.shield(process.listening)
            # Before anybody is told that it is lost: who asks again after that is given to the next one.
            if self._is_current(process):
                self._losses.append(time.monotonic())
                self._replace(process, "the worker ended")
        finally:
            await process.end()

    def _is_current(self, process: WorkerProcess) -> bool:
        return self._ready.done() and self._ready.result() is process and not self._is_stopping

    def _replace(self, process: WorkerProcess, why: str) -> None:
        """Lets the old one finish what it has, and starts another for everything that comes."""
        if not self._is_current(process):
            return
        log.error("a new worker is started: %s", why)
        self._ready = asyncio.get_running_loop().create_future()
        process.retire()
        self._spawn(self._start_again())

    async def _start_again(self) -> None:
        while len(self._losses) < LOSSES or time.monotonic() - self._losses[0] > WITHIN:
            try:
                process = await start_worker(self._app_dir, self._python)
            except NotLoaded as error:
                log.error("the worker could not load the app again: %s", error)  # noqa: TRY400 - its own stack is in it
                self._losses.append(time.monotonic())
            else:
                self._take(process)
                return
        log.error("%d workers were lost: the host ends", LOSSES)
        self.broken.set()

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._watching.add(task)
        task.add_done_callback(self._watching.discard)

    @staticmethod
    def _id_in(process: WorkerProcess, function: Function) -> str:
        """Each process makes ids of its own."""
        return next(other.id for other in process.functions if other.name == function.name)

    def _inputs(self, function: Function, trigger: TypedData) -> list[messages.ParameterBinding]:
        inputs = []
        for binding in function.bindings:
            if binding["type"].endswith("Trigger"):
                inputs.append(messages.ParameterBinding(name=binding["name"], data=trigger))
            elif binding["type"] == "durableClient":
                inputs.append(
                    messages.ParameterBinding(name=binding["name"], data=TypedData(string=self.durable_client))
                )
        return inputs


def log_failure(function: Function, error: FunctionFailed, note: str = "") -> None:
    """One line with the function's name and the error, and the stack trace under it."""
    log.error("function %s failed%s: %s\n%s", function.name, note, str(error).partition("\n")[0], error.stack_trace)
