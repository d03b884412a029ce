"""Starts every part, watches them, starts one that died again, ends them all: one supervisor over processes.

Each part is its own session (process group), logs to `.local/logs/<part>.log`, and dies with the supervisor even
when that is killed. Nothing here knows what the parts do.
"""

import asyncio
import contextlib
import ctypes
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from dev import parts
from dev.parts import Part
from dev.stack import ROOT, Port, Stack
from dev.steps import StepFailed

PATIENCE = 240.0
"""Seconds until a part that does not answer is given up at start."""
RESTARTS = 3
"""Deaths within a minute after which a part is not started again."""
GRACE = 25.0
"""Seconds from SIGTERM to SIGKILL: the relay drains for up to 20."""
_PR_SET_PDEATHSIG = 1


@dataclass
class Running:
    """A part's process and what befell it."""

    part: Part
    log: Path
    process: asyncio.subprocess.Process
    deaths: list[float] = field(default_factory=list)


class Supervisor:
    """`say` hears, in words, of every part that dies and what its log said last."""

    def __init__(self, stack: Stack, say: Callable[[str], None]) -> None:
        self.stack = stack
        self.say = say
        self.running: dict[str, Running] = {}
        self.failed = asyncio.Event()
        self._watchers: set[asyncio.Task[None]] = set()
        self._ending = False

    async def start(self, part: Part) -> None:
        """Raises StepFailed when the program cannot be started at all."""
        log = self.stack.home / "logs" / f"{part.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"")
        process = await self._spawn(part, log)
        self.running[part.name] = Running(part, log, process)
        watcher = asyncio.create_task(self._watch(self.running[part.name]))
        self._watchers.add(watcher)
        watcher.add_done_callback(self._watchers.discard)

    async def ready(self, name: str) -> None:
        """Returns when the part answers. Raises StepFailed with the end of its log when it does not."""
        part = self.running[name].part
        until = time.monotonic() + PATIENCE
        async with httpx.AsyncClient(timeout=2) as client:
            while not await _answers(part.ready, client):
                if self.failed.is_set():
                    raise StepFailed("a part died too often; its last words are above.")
                if time.monotonic() > until:
                    raise StepFailed(f"{name} ({part.what}) does not answer at {part.ready}.\n{self._last_words(name)}")
                await asyncio.sleep(0.1)

    async def stop(self) -> None:
        """SIGTERM to all in the reverse order of their start, SIGKILL to who does not go."""
        self._ending = True
        for name in reversed(self.running):
            await self._end(self.running[name])
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)

    async def _spawn(self, part: Part, log: Path) -> asyncio.subprocess.Process:
        with log.open("ab") as output:
            try:
                process = await asyncio.create_subprocess_exec(
                    *part.command,
                    cwd=ROOT,
                    env=parts.environment(part),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                    preexec_fn=_die_with_parent,
                )
            except OSError as error:
                raise StepFailed(f"{part.name} ({part.what}) cannot be started: {error}") from error
        written = self._pid_file(part).with_suffix(".new")
        written.write_text(str(process.pid))
        written.rename(self._pid_file(part))  # whoever reads it finds the old number or the new one, never half
        return process

    def _pid_file(self, part: Part) -> Path:
        """Where a person, or a test of faults, finds the part's process."""
        folder = self.stack.home / "run"
        folder.mkdir(exist_ok=True)
        return folder / f"{part.name}.pid"

    async def _watch(self, running: Running) -> None:
        while True:
            status = await running.process.wait()
            if self._ending:
                return
            running.deaths = [t for t in running.deaths if t > time.monotonic() - 60] + [time.monotonic()]
            again = len(running.deaths) <= RESTARTS
            self.say(
                f"{running.part.name} ({running.part.what}) died with {_status(status)}; "
                f"{'starting it again' if again else 'it dies too often, giving up'}. "
                f"Its log: {running.log}\n{self._last_words(running.part.name)}"
            )
            if not again:
                self.failed.set()
                return
            running.process = await self._spawn(running.part, running.log)

    async def _end(self, running: Running) -> None:
        self._pid_file(running.part).unlink(missing_ok=True)
        with contextlib.suppress(ProcessLookupError):
            running.process.terminate()
        try:
            await asyncio.wait_for(running.process.wait(), GRACE)
        except TimeoutError:
            running.process.kill()
            await running.process.wait()

    def _last_words(self, name: str, lines: int = 12) -> str:
        text = self.running[name].log.read_text(errors="replace")
        return "\n".join(f"    | {line}" for line in text.splitlines()[-lines:])


@contextlib.asynccontextmanager
async def stack_running(stack: Stack, say: Callable[[str], None]) -> AsyncIterator[Supervisor]:
    """The whole stack, up inside the `async with`, gone after it. Raises StepFailed."""
    supervisor = Supervisor(stack, say)
    try:
        for part in parts.parts(stack):
            await supervisor.start(part)
        for name in list(supervisor.running):
            await supervisor.ready(name)
        yield supervisor
    finally:
        await supervisor.stop()


def taken_ports(stack: Stack) -> list[tuple[Port, int]]:
    """Those of the stack's ports that somebody else listens on."""
    return [(p, stack.port(p)) for p in Port if not _free(stack.port(p))]


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


async def _answers(address: str, client: httpx.AsyncClient) -> bool:
    parsed = urlsplit(address)
    try:
        if parsed.scheme == "tcp":
            _, writer = await asyncio.open_connection(parsed.hostname, parsed.port)
            writer.close()
            return True
        return (await client.get(address)).status_code == httpx.codes.OK
    except (OSError, httpx.HTTPError):
        return False


def _status(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"


def _die_with_parent() -> None:
    """Runs in the child before exec: the kernel ends it when this process is gone, however it went."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
