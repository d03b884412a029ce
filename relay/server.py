"""One relay: its consoles, who is attached to them, and the clock that drives both."""

import asyncio
from collections.abc import Collection, Coroutine, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

from relay.console.pending_writes import PENDING_WRITE_SECONDS
from relay.console.runner import ConsoleRunner
from relay.console.viewer import WebSocketViewer
from relay.control.heartbeat import EndedSession, Heartbeat, HeartbeatSettings
from relay.dependencies import RelayDependencies
from relay.handshake.accept import Acceptor
from relay.handshake.listener import Listener
from relay.handshake.viewer_session import ViewerSession  # noqa: TC001 - the annotation of a public attribute
from shared.access.commands import Command
from shared.access.recording_settings import BY_RULE
from shared.base import correlation
from shared.base.ports import Unavailable
from shared.base.refusals import Code, Refusal, refuse
from shared.base.vm import VmId
from shared.console.events import Drain, End, Event, Fence, SpoolFull, SpoolRoom
from shared.session.grant import Grant
from shared.session.ports import Beat

TICK_SECONDS = 1.0
DRAIN_SECONDS = 20.0
CLOSE_SECONDS = 5.0
"""While draining: seconds that viewers and gateways have to answer a close. Last bytes of gateways are read."""


class RelayServer:
    """Started by `open`, ended by `drain`; everything between happens on one event loop."""

    def __init__(self, dependencies: RelayDependencies) -> None:
        self.dependencies = dependencies
        self.runners: dict[str, ConsoleRunner] = {}
        self.grants: dict[str, Grant] = {}
        """The grants of the sessions that the function app takes for live, by session."""
        self._requests: dict[str, str] = {}
        """The correlation ids of the requests that began these sessions. Their ends are reported under the same id."""
        self.viewers: set[WebSocketViewer] = set()
        self.arriving: dict[str, ViewerSession] = {}
        """Sessions whose socket is accepted and that have not joined their console yet."""
        self.acceptor = Acceptor(self)
        self.listener = Listener(self.acceptor.receive, self.new_request)
        self.heartbeat = Heartbeat(dependencies, self.grants, self._begin_heartbeat)
        self.draining = False
        self._change = asyncio.Event()
        """Set when a viewer left, background work ended, or a second passed."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._periodic_tasks: list[asyncio.Task[None]] = []

    async def open(self, host: str, port: int) -> int:
        """Starts to listen and returns the port."""
        self.dependencies.epochs.watch(self._spool_full, self._spool_room)
        self._periodic_tasks = [asyncio.create_task(self._tick()), asyncio.create_task(self.heartbeat.run())]
        return await self.listener.open(host, port)

    def _spool_full(self) -> None:
        self.dependencies.log("spool-full")
        self._handle_all(SpoolFull())

    def _spool_room(self) -> None:
        self.dependencies.log("spool-room")
        self._handle_all(SpoolRoom())

    async def drain(self) -> None:
        """Tells every viewer to connect again elsewhere, and sends records for at most DRAIN_SECONDS."""
        end = asyncio.get_running_loop().time() + DRAIN_SECONDS
        self.draining = True
        self.listener.close()
        self.acceptor.quota.clear(refuse(Code.RELAY_DRAINING))
        self._handle_all(Drain())
        await self._await_goodbyes()
        for viewer in tuple(self.viewers):
            viewer.socket.disconnect(False)  # noqa: FBT003 - picows' own: cut those who do not answer
        for task in (*self._periodic_tasks, *self._tasks):
            task.cancel()
        await asyncio.gather(*self._periodic_tasks, *self._tasks, return_exceptions=True)
        await self.dependencies.epochs.close(end - asyncio.get_running_loop().time())

    async def _await_goodbyes(self) -> None:
        """Waits until every close was answered, every port is closed, and every detach is reported.

        While a full disk delays a close, its CLOSE_SECONDS count from when the disk has room or the write is given up.
        """
        time = asyncio.get_running_loop().time
        last = time() + PENDING_WRITE_SECONDS + CLOSE_SECONDS
        end = time() + CLOSE_SECONDS
        with suppress(TimeoutError):
            while self.viewers or self._tasks or self._has_pending_writes:
                end = min(time() + CLOSE_SECONDS, last) if self._has_pending_writes else end
                self._change.clear()
                async with asyncio.timeout_at(end):
                    await self._change.wait()

    @property
    def _has_pending_writes(self) -> bool:
        return any(runner.has_pending_writes for runner in self.runners.values())

    def new_request(self) -> str:
        """A correlation id for a request that brought none: a UUID, as the function app takes them."""
        words = [self.dependencies.nonce() for _ in range(4)]
        return str(UUID(int=sum(word << 32 * at for at, word in enumerate(words)), version=4))

    # --- sessions ---------------------------------------------------------------------------------------------

    def expecting(self, grant: Grant, request: str) -> ConsoleRunner:
        """Registers an admitted session and returns the runner of its console. `request` is the correlation id."""
        self.grants[grant.session] = grant
        self._requests[grant.session] = request
        return self._get_runner(grant.vm)

    def _get_runner(self, vm: VmId) -> ConsoleRunner:
        if (runner := self.runners.get(vm.console)) is None:
            runner = self.runners[vm.console] = ConsoleRunner(vm, self.dependencies, self)
            if self.dependencies.epochs.full:
                runner.handle(SpoolFull())
        return runner

    def left(self, viewer: WebSocketViewer) -> None:
        """Forgets a viewer whose connection is closed."""
        self.viewers.discard(viewer)
        self._change.set()

    def turned_away(self, session: str, refusal: Refusal) -> None:
        """Closes an accepted socket that has not joined its console. The handshake refuses the others by HTTP."""
        if (admitted := self.arriving.get(session)) is not None:
            admitted.viewer.expel(refusal.close_code, refusal.code.value)

    def detached(self, session: str, why: str, typed: int, printed: int) -> None:
        """Reports to the function app that a session ended. `typed` and `printed` are bytes."""
        if (grant := self.grants.pop(session, None)) is not None:
            request = self._requests.pop(session)
            self.dependencies.log(
                "detach", vm=grant.vm.console, session=session, mode=grant.mode.value, why=why, typed=typed,
                printed=printed, correlation=request,
            )  # fmt: skip
            self.start("detach", self._report(grant, request, why, typed, printed))

    def request_of(self, session: str) -> str:
        """Returns the correlation id of the request that began a session; empty if it is over."""
        return self._requests.get(session, "")

    async def _report(self, grant: Grant, request: str, why: str, typed: int, printed: int) -> None:
        correlation.current.set(request)
        try:
            await self.dependencies.control_plane.detach(grant, why, typed, printed)
        except Unavailable as error:  # the next heartbeat does not name it
            self.dependencies.log("detach-unreported", session=grant.session, what=error.what)

    # --- commands ---------------------------------------------------------------------------------------------

    def fence(self, vm: VmId, generation: int, by: str) -> None:
        if (runner := self.runners.get(vm.console)) is not None:
            runner.handle(Fence(generation, by))

    def end(self, vm: VmId, session: str, code: Code, by: str | None) -> None:
        if (runner := self.runners.get(vm.console)) is not None:
            runner.handle(End(session, code, by))

    async def command(self, vm: VmId, act: Command, keys: str, by: str) -> Refusal | None:
        """Sends a command down the line of an open console. Returns None when the gateway has done it."""
        if (runner := self.runners.get(vm.console)) is None:
            return refuse(Code.CONSOLE_NOT_OPEN, target=vm.resource_id)
        refusal = await runner.command(f"{self.dependencies.nonce():08x}{self.dependencies.nonce():08x}", act, keys, by)
        self.dependencies.log(
            "act", vm=vm.console, act=act.value, by=by, code=refusal and refusal.code.value,
            correlation=correlation.current.get(),
        )  # fmt: skip
        return refusal

    def note(self, vm: VmId, act: Command, by: str) -> None:
        """Records a command that reached the VM by another way, if the console is open."""
        if (runner := self.runners.get(vm.console)) is not None:
            runner.note(act, by)

    async def ask(self, vm: VmId, generation: int, by: str, seconds: float) -> bool:
        """Asks the writer of `generation` to leave, for `seconds`. Returns True if this relay has no such console."""
        if (runner := self.runners.get(vm.console)) is None:
            return True
        return await runner.ask(f"{self.dependencies.nonce():08x}", generation, by, seconds)

    def _begin_heartbeat(self) -> HeartbeatSettings:
        """Notes the sessions and settings at the start of a heartbeat, and returns what applies its answer.

        Settings that a session brings while the call is under way are newer than its answer, and stay.
        """
        live = {grant.vm.console for grant in self.grants.values()}
        return partial(
            self._apply_answer, live, {console: runner.settings_version for console, runner in self.runners.items()}
        )

    def _apply_answer(
        self, live: Collection[str], settings_versions: Mapping[str, int], endings: Sequence[EndedSession], beat: Beat
    ) -> None:
        for session, code, by in endings:
            if (grant := self.grants.get(session)) is not None:
                self.end(grant.vm, session, code, by or None)
        captured = set[str]()
        if beat.capture is not None and not self.draining:
            captured = self._capture(beat.capture)
        if beat.keep is not None:
            spoken = {*live, *captured}
            for console in spoken if beat.covered is None else spoken.intersection(beat.covered):
                runner = self.runners.get(console)
                if runner is not None and runner.settings_version == settings_versions.get(console, 0):
                    runner.apply(beat.keep.get(console, BY_RULE))
        for console in captured:
            self.runners[console].capture(on=True)

    def _capture(self, wanted: Sequence[VmId]) -> set[str]:
        """Captures the first `capture_most` consoles by name (a stable choice) and stops capturing the others."""
        chosen = {vm.console: vm for vm in sorted(wanted, key=lambda vm: vm.console)[: self.dependencies.capture_most]}
        if len(wanted) > len(chosen):
            self.dependencies.log("capture-bounded", wanted=len(wanted), captured=len(chosen))
        for console, runner in self.runners.items():
            if runner.captured and console not in chosen:
                runner.capture(on=False)
        return {self._get_runner(vm).vm.console for vm in chosen.values()}

    @property
    def captured(self) -> list[str]:
        """The consoles that are recorded without need of a viewer."""
        return [console for console, runner in self.runners.items() if runner.captured]

    # --- time and work ----------------------------------------------------------------------------------------

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self.tick()

    def tick(self) -> None:
        """Does the work of one second: time limits, pings, retries. Tests call it instead of waiting."""
        for runner in tuple(self.runners.values()):
            runner.tick()
        for viewer in tuple(self.viewers):
            viewer.tick()
        self.dependencies.epochs.tick()
        self._change.set()
        for name in [name for name, runner in self.runners.items() if runner.idle]:
            del self.runners[name]

    def _handle_all(self, event: Event) -> None:
        for runner in tuple(self.runners.values()):
            runner.handle(event)

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Runs a coroutine in the background. A fault in it is logged and reaches no other task."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._change.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            self.dependencies.log("fault", where=task.get_name(), error=type(error).__name__)
