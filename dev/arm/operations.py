"""Long-running operations: how far is it, asked at the address the 202 gave.

Source: https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations
"""

from datetime import UTC, datetime

from starlette.responses import JSONResponse, Response

from dev.arm.refusals import RefusedError
from dev.arm.routing import Call, Route
from dev.arm.world import Operation

_POLLS = 3
"""Answers until it is done: two say no, so that a client's waiting is exercised."""


async def _ask(call: Call) -> Response:
    operation = call.world.operations.get(call.parts["operation"])
    if operation is None:
        raise RefusedError(404, "OperationNotFound", f"The operation '{call.parts['operation']}' was not found.")
    operation.polls += 1
    done = operation.polls >= _POLLS and operation.work.done()
    monitor = "monitor" in call.request.query_params
    answer = _monitored(operation, done=done) if monitor else _status(operation, done=done)
    if not done:
        answer.headers["Retry-After"] = str(call.world.retry_seconds)
    return answer


def _status(operation: Operation, *, done: bool) -> Response:
    told = {"name": operation.id, "startTime": datetime.now(UTC).isoformat(), "status": "InProgress"}
    if not done:
        return JSONResponse(told)
    failure = operation.work.exception()
    if failure is None:
        return JSONResponse({**told, "status": "Succeeded"})
    error = {"code": "InternalExecutionError", "message": str(failure)}
    return JSONResponse({**told, "status": "Failed", "error": error})


def _monitored(operation: Operation, *, done: bool) -> Response:
    if not done:
        return Response(status_code=202)
    failure = operation.work.exception()
    if failure is None:
        return Response(status_code=200)
    raise RefusedError(409, "InternalExecutionError", str(failure))


ROUTES = [
    Route(
        "GET",
        "/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{location}/operations/{operation}",
        None,
        _ask,
    )
]
