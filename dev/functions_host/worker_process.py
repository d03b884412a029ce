"""The worker: Microsoft's azure_functions_runtime in a process of its own, driven as in Azure.

Started by the host with one end of a socket pair; it goes when the other end does, and with the host however that goes.
An app object can be indexed once per process: a worker loads once, and is replaced whole.
"""

import asyncio
import ctypes
import json
import os
import signal
import socket
import sys
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as runtime
from azure_functions_runtime.http_v2 import HttpV2Registry

from dev.functions_host import messages
from dev.functions_host.logs import to_stderr
from dev.functions_host.worker_channel import Done, Function, Invoke, Loaded, NotLoaded, receive, send

PR_SET_PDEATHSIG = 1


async def serve(app_dir: str, channel: socket.socket) -> None:
    """Loads the app, then runs what the host asks for, side by side, until the host is gone."""
    reader, writer = await asyncio.open_unix_connection(sock=channel)
    running: set[asyncio.Task[None]] = set()
    try:
        loaded = Loaded(await _load(app_dir))
    except NotLoaded as error:
        await send(writer, error)
        return
    await send(writer, loaded)
    while isinstance(asked := await receive(reader), Invoke):
        task = asyncio.create_task(_run(asked, writer))
        running.add(task)
        task.add_done_callback(running.discard)


async def _run(asked: Invoke, writer: asyncio.StreamWriter) -> None:
    request = SimpleNamespace(request=SimpleNamespace(invocation_request=asked.request))
    await send(writer, Done(asked.request.invocation_id, await runtime.invocation_request(request)))


async def _load(app_dir: str) -> list[Function]:
    """Imports and indexes the app.

    Raises:
        NotLoaded: with the library's message and stack trace.

    """
    sys.path.insert(0, app_dir)
    runtime.start_threadpool_executor()
    answer = await runtime.worker_init_request(_init_request(app_dir))
    if answer.result.status != messages.StatusResult.Success:
        raise NotLoaded(f"{answer.result.exception.message}\n{answer.result.exception.stack_trace}")
    if HttpV2Registry.http_v2_enabled():
        raise NotLoaded("HTTP streams (azurefunctions-extensions-http-fastapi) have no stand-in here")
    found = (await runtime.functions_metadata_request(None)).function_metadata_results
    if not found:
        raise NotLoaded(f"no function_app.py with functions in {app_dir}")
    return [_function(metadata) for metadata in found]


def _init_request(app_dir: str) -> SimpleNamespace:
    init = SimpleNamespace(capabilities={}, function_app_directory=app_dir)
    return SimpleNamespace(
        properties={"host": "127.0.0.1", "protos": messages},
        request=SimpleNamespace(worker_init_request=init),
    )


def _function(metadata: Any) -> Function:
    bindings = tuple(json.loads(binding) for binding in metadata.raw_bindings)
    return Function(metadata.function_id, metadata.name, bindings, metadata.retry_options)


def main() -> None:
    """`python -m dev.functions_host.worker_process APP_DIR FILE_DESCRIPTOR LOG_LEVEL`."""
    app_dir, descriptor, level = sys.argv[1:]
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the host ends it, when nothing is under way any more
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    to_stderr(level)
    asyncio.run(serve(app_dir, socket.socket(fileno=int(descriptor))))


if __name__ == "__main__":
    try:
        main()
    finally:
        # Threads of functions that never end must not hold the process.
        sys.stdout.flush()
        os._exit(0)
