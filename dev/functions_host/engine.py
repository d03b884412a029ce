"""The Durable Task extension itself, with its Azure Storage engine, in a process of its own (`host-parts durable`).

It tells which function is to run, we run it in the worker and say what it answered: JSON, a line each. The host that it
stands for has it inside: it must not outlive us, however we end, and while it is gone only what is durable waits.

A host whose task hub cannot be started runs all the same, and answers HTTP: its durable functions' listeners are tried
again, 2 s later, then after growing pauses of up to 2 minutes (Azure/azure-webjobs-sdk, FunctionListener and
JobHostOptions.AllowPartialHostStartup, which Azure/azure-functions-host, ScriptHostBuilderExtensions sets).
"""

import asyncio
import contextlib
import json
import logging
import os
import secrets
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from dev.functions_host.engine_door import EngineDoor
from dev.functions_host.messages import TypedData
from dev.functions_host.retries import delay
from dev.functions_host.stopping import FIRST_WAIT, Stopping, pause
from dev.functions_host.worker import Function, FunctionFailed, Worker, log_failure
from dev.machines.die_with_parent import leashed

LISTENER = SimpleNamespace(minimum_interval=timedelta(seconds=2), maximum_interval=timedelta(minutes=2))
"""How long a listener that could not start waits before it is tried again."""
STOP_SECONDS = 10.0
_LINE_BYTES = 64 * 1024 * 1024
_TRIGGERS = {"entityTrigger": "entityName", "orchestrationTrigger": "orchestration", "activityTrigger": "activity"}
log = logging.getLogger("host.durable")


@dataclass(frozen=True)
class EngineOptions:
    program: Path
    durable_task: dict[str, Any]
    """The section of host.json, as it is."""
    storage: str
    """The connection string of AzureWebJobsStorage."""


class Engine:
    """Started again when it ends by itself, as the platform starts another host instance."""

    def __init__(self, options: EngineOptions) -> None:
        self._options = options
        self._key = secrets.token_urlsafe(32)
        self._process: asyncio.subprocess.Process | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._life: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._lives = 0
        self._is_ready = False
        """Whether the engine of this moment has started its task hub."""

    async def start(self, worker: Worker) -> None:
        """Returns when the worker has the client's text; the task hub starts meanwhile, once its storage is there."""
        self._worker = worker
        self._functions = {function.name: function for function in worker.functions}
        self._door = EngineDoor()
        await self._door.open()
        worker.durable_client = self._client(self._client_before())
        self._life = asyncio.create_task(self._live())

    async def stop(self) -> None:
        """Its input ends, so it stops in order; one that does not is killed."""
        self._stopping.set()
        if self._process and self._process.stdin:
            self._process.stdin.close()
        if self._life:
            await asyncio.wait({self._life}, timeout=STOP_SECONDS)
            if self._process and self._process.returncode is None:
                self._process.kill()
            await asyncio.gather(self._life, return_exceptions=True)
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        if self._life:
            await self._door.close()

    async def _live(self) -> None:
        failed = 0
        while not self._stopping.is_set():
            process = self._process = await self._spawn()
            await asyncio.gather(self._listen(process), _repeat(process), return_exceptions=True)
            status = await process.wait()
            self._door.lead_nowhere()
            failed = 0 if self._is_ready else failed + 1
            self._is_ready = False
            if self._stopping.is_set():
                return
            wait = delay(LISTENER, failed - 1) if failed else FIRST_WAIT
            log.error("the durable engine ended with status %d; another is started in %.1f s", status, wait)
            with contextlib.suppress(Stopping):
                await pause(wait, self._stopping)

    async def _spawn(self) -> asyncio.subprocess.Process:
        """The configuration holds a connection string: the file is ours alone, and gone when the engine ends."""
        self._file = tempfile.NamedTemporaryFile("w", suffix=".json")  # noqa: SIM115 - as long as the process
        json.dump(self._configuration(), self._file)
        self._file.flush()
        self._lives += 1
        return await asyncio.create_subprocess_exec(
            *_as_instance(self._lives, [str(self._options.program), "durable", self._file.name]),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_LINE_BYTES,
        )

    def _configuration(self) -> dict[str, Any]:
        functions = [
            {"name": function.name, "type": trigger, "as": binding.get(named) or function.name}
            for trigger, named in _TRIGGERS.items()
            for function, binding in self._worker.triggered_by(trigger)
        ]
        return {
            "storage": self._options.storage, "durableTask": self._options.durable_task, "functions": functions,
        }  # fmt: skip

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        async for line in _lines(process.stdout):
            told = json.loads(line)
            if told.get("ready"):
                client = json.loads(told["client"])
                self._worker.durable_client = self._client(client) if self._speaks_grpc() else self._keyed(client)
                self._door.lead_to(client["rpcBaseUrl"])
                self._is_ready = True
                log.info("the durable engine is ready, at %s", client["rpcBaseUrl"])
            else:
                self._begin(process, told)

    def _client_before(self) -> dict[str, Any]:
        """What the extension says of itself, as far as that is known before it was ever ready."""
        path = "" if self._speaks_grpc() else "/durabletask/"
        return {"taskHubName": self._options.durable_task.get("hubName"), "rpcBaseUrl": f"http://engine{path}"}

    def _speaks_grpc(self) -> bool:
        """The released library speaks HTTP instead, which names the host that it asks: the door cannot pass that on."""
        bindings = [binding for function in self._worker.functions for binding in function.bindings]
        return any(binding.get("durableRequiresGrpc") for binding in bindings)

    def _client(self, text: dict[str, Any]) -> str:
        """The client's text, with the address of our own door."""
        url = urlsplit(text["rpcBaseUrl"])._replace(netloc=self._door.address).geturl()
        return self._keyed({**text, "rpcBaseUrl": url})

    def _keyed(self, text: dict[str, Any]) -> str:
        """With a key, as in Azure: it must reach no log, no answer and no exception of the app."""
        return json.dumps({**text, "requiredQueryStringParameters": f"code={self._key}"})

    def _begin(self, process: asyncio.subprocess.Process, told: dict[str, Any]) -> None:
        task = asyncio.create_task(self._run(process, told))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run(self, process: asyncio.subprocess.Process, told: dict[str, Any]) -> None:
        function = self._functions[told["function"]]
        answer = {"id": told["id"], **await self._answer(function, told["value"])}
        if process.stdin is None:
            return
        with contextlib.suppress(ConnectionError, RuntimeError):  # it is gone; what was under way is told again
            process.stdin.write(json.dumps(answer).encode() + b"\n")
            await process.stdin.drain()

    async def _answer(self, function: Function, value: str | None) -> dict[str, str]:
        try:
            result = await self._worker.invoke(function, TypedData(string=value or ""))
        except FunctionFailed as error:
            log_failure(function, error)
            # The message of the host's RpcException, which the extension takes apart.
            return {"error": f"Result: Failure\nException: {error}\nStack: {error.stack_trace}"}
        if function.binding("activityTrigger"):
            return {"json": "null" if result is None else getattr(result, result.WhichOneof("data"))}
        if result.WhichOneof("data") == "json":  # of azure-functions-durable 1.x
            return {"json": result.json}
        return {"result": result.string}


def _as_instance(number: int, command: list[str]) -> list[str]:
    """Under a host name of its own, where we may give one: partitions of the hub are leased to a name, and one that
    comes back under the same name has at once what another instance gets after half a minute (docs/fidelity.md).
    """
    if os.geteuid() != 0:
        log.warning("not root: a durable engine that is started again has its partitions at once, unlike in Azure")
        return leashed(command)
    named = f"instance-{os.getpid()}-{number}"
    return ["unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', named, *leashed(command)]


async def _repeat(process: asyncio.subprocess.Process) -> None:
    """Its warnings, as lines of our log, without the places in its code."""
    async for line in _lines(process.stderr):
        text = line.decode(errors="replace").strip()
        if text and not text.startswith(("at ", "--->", "---")):
            log.warning("engine: %s", text)


async def _lines(pipe: asyncio.StreamReader | None) -> AsyncIterator[bytes]:
    """None, which the types know and we never ask for, has none."""
    while pipe and (line := await pipe.readline()):
        yield line
