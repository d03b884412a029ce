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
"""How long goodbyes may take while draining: those of viewers, and those of gateways, whose last bytes are read."""


class RelayServer:
    """Started by `open`, ended by `drain`; everything between happens on one event loop."""

    def __init__(self, dependencies: RelayDependencies) -> None:
        self.dependencies = dependencies
        self.bridges: dict[str, ConsoleRunner] = {}
        self.grants: dict[str, Grant] = {}
        """Of every session that the function app takes for live."""
        self._requests: dict[str, str] = {}
        """Correlation ids of the requests that began these sessions: their end is said under the same."""
        self.viewers: set[WebSocketViewer] = set()
        self.arriving: dict[str, ViewerSession] = {}
        """Accepted, and not at the console yet."""
        self.door = Acceptor(self)
        self.reception = Listener(self.door.receive, self.new_request)
        self.heartbeat = Heartbeat(dependencies, self.grants, self._ask)
        self.draining = False
        self._change = asyncio.Event()
        """Somebody left, some background work ended, or a second passed."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._clockwork: list[asyncio.Task[None]] = []

    async def open(self, host: str, port: int) -> int:
        """Answers the port listened on."""
        self.dependencies.epochs.watch(self._spool_full, self._spool_room)
        self._clockwork = [asyncio.create_task(self._tick()), asyncio.create_task(self.heartbeat.run())]
        return await self.reception.open(host, port)

    def _spool_full(self) -> None:
        self.dependencies.log("spool-full")
        self._tell_all(SpoolFull())

    def _spool_room(self) -> None:
        self.dependencies.log("spool-room")
        self._tell_all(SpoolRoom())

    async def drain(self) -> None:
        """Everybody is told to connect again elsewhere; what was recorded is sent as far as time allows."""
        end = asyncio.get_running_loop().time() + DRAIN_SECONDS
        self.draining = True
        self.reception.close()
        self.door.places.clear(refuse(Code.RELAY_DRAINING))
        self._tell_all(Drain())
        await self._farewells()
        for viewer in tuple(self.viewers):
            viewer.socket.disconnect(False)  # noqa: FBT003 - picows' own: cut those who do not answer
        for task in (*self._clockwork, *self._tasks):
            task.cancel()
        await asyncio.gather(*self._clockwork, *self._tasks, return_exceptions=True)
        await self.dependencies.epochs.close(end - asyncio.get_running_loop().time())

    async def _farewells(self) -> None:
        """Until every goodbye was answered, every port is closed, every detach reported, everything recorded.

        Where a full disk keeps goodbyes from being said, their time counts from when it has room or is given up.
        """
        time = asyncio.get_running_loop().time
        last = time() + PENDING_WRITE_SECONDS + CLOSE_SECONDS
        end = time() + CLOSE_SECONDS
        with suppress(TimeoutError):
            while self.viewers or self._tasks or self._stands_still:
                end = min(time() + CLOSE_SECONDS, last) if self._stands_still else end
                self._change.clear()
                async with asyncio.timeout_at(end):
                    await self._change.wait()

    @property
    def _stands_still(self) -> bool:
        return any(bridge.stands_still for bridge in self.bridges.values())

    def new_request(self) -> str:
        """A correlation id for a request that brought none: a UUID, as the function app takes them."""
        words = [self.dependencies.nonce() for _ in range(4)]
        return str(UUID(int=sum(word << 32 * at for at, word in enumerate(words)), version=4))

    # --- visitors ---------------------------------------------------------------------------------------------

    def expecting(self, grant: Grant, request: str) -> ConsoleRunner:
        """The console of a visitor who was let in, which is to be reached now."""
        self.grants[grant.session] = grant
        self._requests[grant.session] = request
        return self._bridge(grant.vm)

    def _bridge(self, vm: VmId) -> ConsoleRunner:
        if (bridge := self.bridges.get(vm.console)) is None:
            bridge = self.bridges[vm.console] = ConsoleRunner(vm, self.dependencies, self)
            if self.dependencies.epochs.full:
                bridge.handle(SpoolFull())
        return bridge

    def left(self, viewer: WebSocketViewer) -> None:
        """A browser's connection is no more."""
        self.viewers.discard(viewer)
        self._change.set()

    def turned_away(self, session: str, refusal: Refusal) -> None:
        """One who waits for the port is refused by HTTP; who is accepted already, by a close."""
        if (guest := self.arriving.get(session)) is not None:
            guest.viewer.expel(refusal.close_code, refusal.code.value)

    def detached(self, session: str, why: str, typed: int, printed: int) -> None:
        """A session ended: the function app is told."""
        if (grant := self.grants.pop(session, None)) is not None:
            request = self._requests.pop(session)
            self.dependencies.log(
                "detach", vm=grant.vm.console, session=session, mode=grant.mode.value, why=why, typed=typed,
                printed=printed, correlation=request,
            )  # fmt: skip
            self.start("detach", self._report(grant, request, why, typed, printed))

    def request_of(self, session: str) -> str:
        """The correlation id under which a session began."""
        return self._requests.get(session, "")

    async def _report(self, grant: Grant, request: str, why: str, typed: int, printed: int) -> None:
        correlation.current.set(request)
        try:
            await self.dependencies.control_plane.detach(grant, why, typed, printed)
        except Unavailable as error:  # the next heartbeat does not name it
            self.dependencies.log("detach-unreported", session=grant.session, what=error.what)

    # --- commands ---------------------------------------------------------------------------------------------

    def fence(self, vm: VmId, generation: int, by: str) -> None:
        if (bridge := self.bridges.get(vm.console)) is not None:
            bridge.handle(Fence(generation, by))

    def end(self, vm: VmId, session: str, code: Code, by: str | None) -> None:
        if (bridge := self.bridges.get(vm.console)) is not None:
            bridge.handle(End(session, code, by))

    async def command(self, vm: VmId, act: Command, keys: str, by: str) -> Refusal | None:
        """Sends an act down the line of an open console."""
        if (bridge := self.bridges.get(vm.console)) is None:
            return refuse(Code.CONSOLE_NOT_OPEN, target=vm.resource_id)
        refusal = await bridge.command(f"{self.dependencies.nonce():08x}{self.dependencies.nonce():08x}", act, keys, by)
        self.dependencies.log(
            "act", vm=vm.console, act=act.value, by=by, code=refusal and refusal.code.value,
            correlation=correlation.current.get(),
        )  # fmt: skip
        return refusal

    def note(self, vm: VmId, act: Command, by: str) -> None:
        """Records an act that went another way, where the console is open."""
        if (bridge := self.bridges.get(vm.console)) is not None:
            bridge.note(act, by)

    async def ask(self, vm: VmId, generation: int, by: str, seconds: float) -> bool:
        """A console that is not here has nobody to say no."""
        if (bridge := self.bridges.get(vm.console)) is None:
            return True
        return await bridge.ask(f"{self.dependencies.nonce():08x}", generation, by, seconds)

    def _ask(self) -> HeartbeatSettings:
        """A heartbeat leaves, about who is here now. What a visitor brings meanwhile is newer than its answer."""
        live = {grant.vm.console for grant in self.grants.values()}
        return partial(self._told, live, {console: bridge.told_to_keep for console, bridge in self.bridges.items()})

    def _told(
        self, live: Collection[str], asked: Mapping[str, int], endings: Sequence[EndedSession], beat: Beat
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
                bridge = self.bridges.get(console)
                if bridge is not None and bridge.told_to_keep == asked.get(console, 0):
                    bridge.keep(beat.keep.get(console, BY_RULE))
        for console in captured:
            self.bridges[console].capture(on=True)

    def _capture(self, wanted: Sequence[VmId]) -> set[str]:
        """The first so many by name, the same ones each time; who was captured and is not wanted any more is left."""
        chosen = {vm.console: vm for vm in sorted(wanted, key=lambda vm: vm.console)[: self.dependencies.capture_most]}
        if len(wanted) > len(chosen):
            self.dependencies.log("capture-bounded", wanted=len(wanted), captured=len(chosen))
        for console, bridge in self.bridges.items():
            if bridge.captured and console not in chosen:
                bridge.capture(on=False)
        return {self._bridge(vm).vm.console for vm in chosen.values()}

    @property
    def captured(self) -> list[str]:
        """Consoles that are recorded whether anybody is there or not."""
        return [console for console, bridge in self.bridges.items() if bridge.captured]

    # --- time and work ----------------------------------------------------------------------------------------

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self.tick()

    def tick(self) -> None:
        """What a second brings; tests call it instead of waiting."""
        for bridge in tuple(self.bridges.values()):
            bridge.tick()
        for viewer in tuple(self.viewers):
            viewer.tick()
        self.dependencies.epochs.tick()
        self._change.set()
        for name in [name for name, bridge in self.bridges.items() if bridge.idle]:
            del self.bridges[name]

    def _tell_all(self, event: Event) -> None:
        for bridge in tuple(self.bridges.values()):
            bridge.handle(event)

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Runs it in the background; a fault in it is logged, and is nobody else's."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._change.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            self.dependencies.log("fault", where=task.get_name(), error=type(error).__name__)
