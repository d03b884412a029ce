"""The Durable Task extension itself, with its Azure Storage engine, in a process of its own (`host-parts durable`).

It tells which function is to run, we run it in the worker and say what it answered: JSON, a line each. The host that it
stands for has it inside: it must not outlive us, however we end, and while it is gone only what is durable waits.
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
from pathlib import Path
from typing import Any

from dev.functions_host.messages import TypedData
from dev.functions_host.stopping import FIRST_WAIT, LONGEST_WAIT
from dev.functions_host.worker import Function, FunctionFailed, NotLoaded, Worker, log_failure
from dev.machines.leash import leashed

READY_SECONDS = 300.0
"""It needs two seconds, and on a machine that is busy with other things some minutes."""
STARTS = 6
"""Tries until it was ready once: the storage may come up beside it."""
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
        self._ready = asyncio.Event()
        self._stopping = False
        self._lives = 0

    async def start(self, worker: Worker) -> None:
        """Returns when functions can be called, and the worker has the client's text.

        Raises:
            NotLoaded: with what it said.

        """
        self._worker = worker
        self._functions = {function.name: function for function in worker.functions}
        self._life = asyncio.create_task(self._live())
        waiting = asyncio.create_task(self._ready.wait())
        await asyncio.wait({self._life, waiting}, timeout=READY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not self._ready.is_set():
            raise NotLoaded("the durable engine did not start: its own lines above say why")

    async def stop(self) -> None:
        """Its input ends, so it stops in order; one that does not is killed."""
        self._stopping = True
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

    async def _live(self) -> None:
        wait, tries = FIRST_WAIT, 0
        while not self._stopping:
            process = self._process = await self._spawn()
            await asyncio.gather(self._listen(process), _repeat(process), return_exceptions=True)
            status = await process.wait()
            tries += 1
            if self._stopping or (tries == STARTS and not self._ready.is_set()):
                return  # whoever started us sees it
            log.error("the durable engine ended with status %d; another is started", status)
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT)

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
                self._worker.durable_client = self._client(told["client"])
                self._ready.set()
                log.info("the durable engine is ready, at %s", json.loads(told["client"])["rpcBaseUrl"])
            else:
                self._begin(process, told)

    def _client(self, text: str) -> str:
        """With a key, as in Azure: it must reach no log, no answer and no exception of the app."""
        return json.dumps({**json.loads(text), "requiredQueryStringParameters": f"code={self._key}"})

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
    """Its warnings, as lines of our log."""
    async for line in _lines(process.stderr):
        if text := line.decode(errors="replace").strip():
            log.warning("engine: %s", text)


async def _lines(pipe: asyncio.StreamReader | None) -> AsyncIterator[bytes]:
    """None, which the types know and we never ask for, has none."""
    while pipe and (line := await pipe.readline()):
        yield line
