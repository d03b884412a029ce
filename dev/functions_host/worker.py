"""The worker side: Microsoft's azure_functions_runtime, driven as the worker process drives it in Azure."""

import json
import logging
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as runtime
from azure_functions_runtime.http_v2 import HttpV2Registry

from dev.functions_host import messages
from dev.functions_host.messages import TypedData

type Binding = dict[str, Any]
"""What function.json would hold of one binding."""

NO_TRACE = messages.RpcTraceContext(trace_parent="", trace_state="", attributes={})
log = logging.getLogger("host.worker")


class NotLoaded(Exception):
    """The app could not be indexed; Azure would then run none of its functions."""


class FunctionFailed(Exception):
    """A function raised: `Type: message`, as the host gets it from the worker."""

    def __init__(self, message: str, stack_trace: str = "") -> None:
        super().__init__(message)
        self.stack_trace = stack_trace


@dataclass(frozen=True)
class Function:
    """An indexed function. `retry` is the worker's RpcRetryOptions, or None."""

    id: str
    name: str
    bindings: tuple[Binding, ...]
    retry: Any

    def binding(self, kind: str) -> Binding | None:
        return next((binding for binding in self.bindings if binding["type"] == kind), None)


@dataclass(frozen=True)
class Attempt:
    """Which try this is, from 0, and how many follow the first at most (-1: for ever)."""

    number: int = 0
    limit: int = 0


FIRST = Attempt()


class Worker:
    """One function app in this process. An app object can be indexed once per process: so can a Worker load."""

    def __init__(self, app_dir: Path) -> None:
        self._app_dir = str(app_dir)
        self.durable_client = ""
        """What the durableClient binding hands to functions, once there is a task hub."""
        self.functions: list[Function] = []

    async def load(self) -> None:
        """Imports and indexes the app.

        Raises:
            NotLoaded: with the worker's message and stack trace.

        """
        sys.path.insert(0, self._app_dir)
        runtime.start_threadpool_executor()
        answer = await runtime.worker_init_request(_init_request(self._app_dir))
        if answer.result.status != messages.StatusResult.Success:
            raise NotLoaded(f"{answer.result.exception.message}\n{answer.result.exception.stack_trace}")
        if HttpV2Registry.http_v2_enabled():
            raise NotLoaded("HTTP streams (azurefunctions-extensions-http-fastapi) have no stand-in here")
        found = (await runtime.functions_metadata_request(None)).function_metadata_results
        if not found:
            raise NotLoaded(f"no function_app.py with functions in {self._app_dir}")
        self.functions = [_function(metadata) for metadata in found]

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
        """Runs a function; answers what it returned as TypedData, or None.

        Raises:
            FunctionFailed: it raised, or its value could not be converted.

        """
        request = messages.InvocationRequest(
            invocation_id=str(uuid.uuid4()),
            function_id=function.id,
            input_data=self._inputs(function, trigger),
            trigger_metadata=metadata or {},
            trace_context=NO_TRACE,
            retry_context=messages.RetryContext(
                retry_count=attempt.number, max_retry_count=attempt.limit, exception=None
            ),
        )
        answer = await runtime.invocation_request(SimpleNamespace(request=SimpleNamespace(invocation_request=request)))
        if answer.result.status != messages.StatusResult.Success:
            raise FunctionFailed(answer.result.exception.message, answer.result.exception.stack_trace)
        return answer.return_value

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


def _init_request(app_dir: str) -> SimpleNamespace:
    init = SimpleNamespace(capabilities={}, function_app_directory=app_dir)
    return SimpleNamespace(
        properties={"host": "127.0.0.1", "protos": messages},
        request=SimpleNamespace(worker_init_request=init),
    )


def _function(metadata: Any) -> Function:
    bindings = tuple(json.loads(binding) for binding in metadata.raw_bindings)
    return Function(metadata.function_id, metadata.name, bindings, metadata.retry_options)
