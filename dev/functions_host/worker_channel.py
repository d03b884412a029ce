"""What host and worker say to each other, and the worker's process as the host holds it.

In Azure both speak gRPC (FunctionRpc.proto); here the same messages go through a pair of sockets.
"""

import asyncio
import logging
import pickle
import socket
import sys
from dataclasses import dataclass, field
from typing import Any

from dev.functions_host import messages

type Binding = dict[str, Any]
"""What function.json would hold of one binding."""

LENGTH = 8
"""Bytes that say how long a message is."""
log = logging.getLogger("host.worker")


class NotLoaded(Exception):
    """The app could not be indexed; Azure would then run none of its functions."""


class WorkerLost(Exception):
    """The worker's process ended."""


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
class Loaded:
    """The app's functions."""

    functions: list[Function]


@dataclass(frozen=True)
class Invoke:
    """Run a function."""

    request: messages.InvocationRequest


@dataclass(frozen=True)
class Done:
    """A function ended."""

    id: str
    response: messages.InvocationResponse


async def send(writer: asyncio.StreamWriter, message: Any) -> None:
    """Sends a message to the other side."""
    data = pickle.dumps(message)
    writer.write(len(data).to_bytes(LENGTH) + data)
    await writer.drain()


async def receive(reader: asyncio.StreamReader) -> Any:
    """The next message; None: the other side is gone."""
    try:
        length = int.from_bytes(await reader.readexactly(LENGTH))
        return pickle.loads(await reader.readexactly(length))  # noqa: S301 - at the other end is our own process
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


@dataclass
class WorkerProcess:
    """A worker's process: functions run in it side by side."""

    process: asyncio.subprocess.Process
    functions: list[Function]
    _reader: asyncio.StreamReader
    _writer: asyncio.StreamWriter
    _waiting: dict[str, asyncio.Future[messages.InvocationResponse]] = field(default_factory=dict)
    _is_retired: bool = False

    def __post_init__(self) -> None:
        self.listening = asyncio.create_task(self._listen())
        """Done as soon as the process is gone; who waits for it is told by `end`."""

    async def invoke(self, request: messages.InvocationRequest) -> messages.InvocationResponse:
        """Runs a function.

        Raises:
            WorkerLost: the process ended first.

        """
        if self.listening.done():
            raise WorkerLost
        done = asyncio.get_running_loop().create_future()
        self._waiting[request.invocation_id] = done
        try:
            await send(self._writer, Invoke(request))
            response: messages.InvocationResponse = await done
        except ConnectionError:
            raise WorkerLost from None
        else:
            return response
        finally:
            self._waiting.pop(request.invocation_id, None)
            self._end_if_idle()

    def retire(self) -> None:
        """Ends it as soon as nothing is under way in it that anybody waits for."""
        self._is_retired = True
        self._end_if_idle()

    async def end(self) -> None:
        """Ends it now. What is under way in it is lost."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        await asyncio.gather(self.listening, return_exceptions=True)
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(WorkerLost())

    def _end_if_idle(self) -> None:
        if self._is_retired and not self._waiting and self.process.returncode is None:
            self.process.kill()

    async def _listen(self) -> None:
        while isinstance(done := await receive(self._reader), Done):
            if (waiting := self._waiting.get(done.id)) and not waiting.done():
                waiting.set_result(done.response)
        self._writer.close()


async def start_worker(app_dir: str, python: str = sys.executable) -> WorkerProcess:
    """Starts a worker under this Python and lets it load the app.

    Raises:
        NotLoaded: it could not.

    """
    ours, theirs = socket.socketpair()
    with theirs:
        level = logging.getLevelName(logging.getLogger().getEffectiveLevel()).lower()
        command = [python, "-m", "dev.functions_host.worker_process", app_dir, str(theirs.fileno()), level]
        process = await asyncio.create_subprocess_exec(*command, pass_fds=[theirs.fileno()])
    reader, writer = await asyncio.open_unix_connection(sock=ours)
    match await receive(reader):
        case Loaded() as loaded:
            return WorkerProcess(process, loaded.functions, reader, writer)
        case NotLoaded() as error:
            reason: Exception = error
        case _:
            reason = NotLoaded("the worker ended before it had loaded the app")
    writer.close()
    await process.wait()
    raise reason
