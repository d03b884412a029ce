"""A real relay on a free port, in a world where every outside thing follows a script."""

import asyncio
import json
import struct
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from relay.console.output_coalescer import OpeningWaits
from relay.dependencies import RelayDependencies
from relay.server import RelayServer
from shared.access.commands import Command
from shared.access.recording_settings import BY_RULE, RecordingSettings
from shared.base import correlation
from shared.base.archive_progress import RecordedLast
from shared.base.http_json import Http
from shared.base.ports import Dependency, Unavailable
from shared.base.record import Record, RecordKind, Source
from shared.base.record_end import RecordedTail, RecordEnd
from shared.base.refusals import Code, Refusal, refuse
from shared.base.vm import VmId
from shared.console.frames import PROTOCOL, TOKEN_PREFIX
from shared.console.ports import PortListener, SerialPort
from shared.session.grant import Grant, Mode
from shared.session.keys.token_keys import TokenKeys
from shared.session.ports import Admission, Beat
from shared.transcript.flows.find_record_end import find_record_end
from tests.contract.memory_transcripts import MemoryTranscripts
from tests.patience import PATIENCE
from tests.signing import PemTokens, new_pem

VM = VmId.parse(
    "/subscriptions/5b5c0000-0000-4000-8000-000000000001/resourceGroups/rg-web"
    "/providers/Microsoft.Compute/virtualMachines/web-01"
)
ISSUER, RELAY, PAGE = "http://issuer", "r0", "http://page"


PEM = new_pem()


class Clock:
    """Real time, moved by hand."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> float:
        return time.time() + self.ahead


class Port:
    """A VM's COM1; `echo` types back."""

    def __init__(self, listener: PortListener, *, echo: bool) -> None:
        self.listener, self.echo = listener, echo
        self.typed = bytearray()
        self.acts: list[tuple[Command, str]] = []
        self.act_refusal: Refusal | None = None
        self.obeys = asyncio.Event()
        self.obeys.set()
        self.paused = False
        self.closed = False
        self.goodbye = asyncio.Event()
        """Cleared: the gateway takes its time to answer it."""
        self.goodbye.set()
        self.unread = b""
        """What the gateway has sent and nobody has read: it comes before the goodbye is answered."""

    def type(self, data: bytes) -> None:
        self.typed += data
        if self.echo:
            self.listener.printed(data)

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    async def command(self, act: Command, keys: str) -> Refusal | None:
        await self.obeys.wait()
        self.acts.append((act, keys))
        return self.act_refusal

    async def close(self) -> None:
        self.closed, self.paused = True, False
        await self.goodbye.wait()
        unread, self.unread = self.unread, b""
        self.listener.printed(unread)
        self.listener.lost(False, "closed")  # noqa: FBT003 - shared.console.ports.PortListener's words


class Ports:
    def __init__(self) -> None:
        self.opened: list[Port] = []
        self.refusal: Refusal | None = None
        self.error: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.dials = 0
        self.echo = True

    async def open(self, vm: VmId, listener: PortListener) -> SerialPort | Refusal:  # noqa: ARG002 - the port asks it
        self.dials += 1
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        if self.refusal is not None:
            return self.refusal
        self.opened.append(Port(listener, echo=self.echo))
        return self.opened[-1]

    @property
    def last(self) -> Port:
        return self.opened[-1]


class ControlPlane:
    """The function app: it burns each token once, whichever relay brings it."""

    def __init__(self) -> None:
        self.burnt: set[str] = set()
        self.correlations: list[tuple[str, str]] = []
        self.refusal: Refusal | None = None
        self.away = False
        self.attached: list[Grant] = []
        self.beats: list[Sequence[Grant]] = []
        self.endings: list[tuple[str, str, str]] = []
        self.keeping = BY_RULE
        self.keep: dict[str, RecordingSettings] | None = {}
        self.capture: list[VmId] | None = []
        self.detached: list[tuple[str, str, int, int]] = []
        self.limits = (900, 28800)
        self.transcripts = MemoryTranscripts()
        self.slow = asyncio.Event()
        """Cleared: heartbeats are answered later, as things were when they came."""
        self.slow.set()

    async def attach(self, grant: Grant) -> Admission | Refusal:
        if self.away:
            raise Unavailable(Dependency.CONTROL_PLANE, "away")
        self.correlations.append(("attach", correlation.current.get()))
        if grant.token_id in self.burnt:
            return refuse(Code.TOKEN_REPLAYED)
        self.burnt.add(grant.token_id)
        self.attached.append(grant)
        return self.refusal or Admission(grant.session, *self.limits, self.keeping)

    async def heartbeat(self, live: Sequence[Grant]) -> Beat:
        if self.away:
            raise Unavailable(Dependency.CONTROL_PLANE, "away")
        self.beats.append(live)
        endings, self.endings = self.endings, []
        beat = Beat(endings, self.keep, self.capture)
        await self.slow.wait()
        return beat

    async def record_end(self, vm: VmId) -> RecordEnd:
        """Nobody else has recorded; what the archive says is for the tests that have one."""
        if self.away:
            raise Unavailable(Dependency.CONTROL_PLANE, "away")
        return await find_record_end(vm.console, self.transcripts)

    async def detach(self, grant: Grant, why: str, typed: int, printed: int) -> None:
        if self.away:
            raise Unavailable(Dependency.CONTROL_PLANE, "away")
        self.correlations.append(("detach", correlation.current.get()))
        self.detached.append((grant.session, why, typed, printed))


class Epochs:
    """Records in memory."""

    def __init__(self) -> None:
        self.records: dict[str, list[Record]] = {}
        self.tails: dict[str, RecordedTail] = {}
        self.full = False
        self.writable = True
        self.failing = False
        self.room_for: int | None = None
        """Records that the disk takes, as far as it has a bound."""
        self.on_full: Callable[[], None] = lambda: None
        self.on_room: Callable[[], None] = lambda: None
        self.on_end: Callable[[], None] = lambda: None
        """While what was given up is ended."""
        self.closed = False

    def begin(self, source: Source) -> "Recorder":
        if self.failing:
            raise OSError(28, "No space left on device")
        self.records[source.epoch] = []
        return Recorder(self, self.records[source.epoch])

    def tail(self, console: str) -> RecordedTail:
        return self.tails.setdefault(console, RecordedTail())

    def recorded_last(self, console: str) -> RecordedLast | None:  # noqa: ARG002 - one console
        written = [(epoch, records[-1]) for epoch, records in self.records.items() if records]
        if not written:
            return None
        epoch, record = written[-1]
        return RecordedLast(epoch, record.seq, record.time_us / 1e6)

    def watch(self, on_full: Callable[[], None], on_room: Callable[[], None]) -> None:
        self.on_full, self.on_room = on_full, on_room

    def tick(self) -> None: ...

    def health(self) -> dict[str, Any]:
        return {"writable": self.writable, "spooledBytes": sum(len(r.body) for r in self.all())}

    async def close(self, seconds: float) -> None:  # noqa: ARG002 - the port asks it
        self.closed = True

    def all(self) -> list[Record]:
        return [record for records in self.records.values() for record in records]

    def printed(self) -> bytes:
        return b"".join(record.body for record in self.all() if record.kind is RecordKind.PRINTED)

    def said(self) -> list[dict[str, Any]]:
        return [record.said() for record in self.all() if record.kind is not RecordKind.PRINTED]

    def notes(self) -> list[str]:
        return [said["event"] for said in self.said()]


class Recorder:
    def __init__(self, epochs: Epochs, records: list[Record]) -> None:
        self._epochs, self._records = epochs, records

    def append(self, record: Record) -> None:
        if self._epochs.failing or len(self._epochs.all()) == self._epochs.room_for:
            raise OSError(28, "No space left on device")
        self._records.append(record)

    def give_up(self, now_us: int) -> None:
        """As if the disk had room for this: relay/recording/epoch_log.py waits until it has."""
        if (at := len(self._records)) > 0:
            self._records.append(Record.event(at + 1, now_us, "record-failed"))
            self._epochs.on_end()
            self._records.append(Record.end(at + 2, now_us, "AuditUnavailable"))


class KeysAddress(Http):
    """Answers the function app's key set."""

    def __init__(self, pem: str) -> None:
        super().__init__()
        self.pem: str | None = pem
        self.asked = 0

    async def get_json(self, address: str, what: Dependency) -> dict[str, Any]:  # noqa: ARG002 - the port asks it
        self.asked += 1
        if self.pem is None:
            raise Unavailable(what, "away")
        return PemTokens(self.pem, ISSUER, Clock()).public_keys()


class Client:
    """A browser: reads whatever comes, in the background."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.texts: list[dict[str, Any]] = []
        self.bytes = bytearray()
        self.next: int | None = None
        self._news = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            async for frame in self.connection:
                if isinstance(frame, str):
                    self.texts.append(json.loads(frame))
                    if self.texts[-1]["type"] == "hello":
                        self.next = self.texts[-1]["offset"]
                else:
                    assert struct.unpack(">Q", frame[:8])[0] == self.next
                    self.bytes += frame[8:]
                    self.next = (self.next or 0) + len(frame) - 8
                self._news.set()
        except ConnectionClosed:
            pass
        finally:
            self._news.set()

    async def until(self, true: Callable[[], object]) -> None:
        """Returns when something that this client heard makes it true."""
        async with asyncio.timeout(PATIENCE):
            while not true():
                assert not self._reading.done(), self.connection.close_code
                self._news.clear()
                if not true():
                    await self._news.wait()

    async def heard(self, what: str, **fields: Any) -> dict[str, Any]:
        def found() -> list[dict[str, Any]]:
            wanted = {"type": what, **fields}
            return [text for text in self.texts if wanted.items() <= text.items()]

        await self.until(found)
        return found()[-1]

    async def sees(self, data: bytes) -> None:
        await self.until(lambda: data in self.bytes)

    async def types(self, data: bytes) -> None:
        await self.connection.send(data)

    async def closed(self) -> tuple[int | None, str | None]:
        async with asyncio.timeout(PATIENCE):
            await asyncio.shield(self._reading)
            await self.connection.wait_closed()
        return self.connection.close_code, self.connection.close_reason

    async def leave(self) -> None:
        await self.connection.close()
        await self._reading


@dataclass
class Stage:
    relay: RelayServer
    port: int
    clock: Clock
    ports: Ports
    control_plane: ControlPlane
    epochs: Epochs
    keys: KeysAddress
    log: list[dict[str, Any]]
    clients: list[Client] = field(default_factory=list)
    numbers: Any = field(default_factory=lambda: count(1))

    def grant(self, session: str, **changes: Any) -> Grant:
        now = int(self.clock.now())
        about: dict[str, Any] = {
            "token_id": f"j{next(self.numbers)}", "session": session, "subject": f"t.{session}",
            "name": session.title(), "vm": VM, "mode": Mode.WRITE, "generation": 1, "audience": f"relay:{RELAY}",
            "issuer": ISSUER, "issued_at": now, "expires_at": now + 30,
        }  # fmt: skip
        return Grant(**about | changes)

    def token(self, session: str = "ada", *, pem: str = PEM, **changes: Any) -> str:
        return PemTokens(pem, ISSUER, self.clock).sign(self.grant(session, **changes))

    async def dial(
        self, token: str, *, query: str = "", origin: str | None = PAGE, protocols: Sequence[str] | None = None,
        path: str = "/v1/console", **options: Any,
    ) -> Client:  # fmt: skip
        offered = [PROTOCOL, TOKEN_PREFIX + token] if protocols is None else protocols
        connection = await connect(
            f"ws://127.0.0.1:{self.port}{path}{query}", subprotocols=[Subprotocol(each) for each in offered],
            origin=None if origin is None else Origin(origin), compression=None, proxy=None,
            open_timeout=PATIENCE, **options,
        )  # fmt: skip
        self.clients.append(Client(connection))
        return self.clients[-1]

    async def comes(
        self, session: str = "ada", mode: Mode = Mode.WRITE, generation: int = 1, query: str = ""
    ) -> Client:
        """Attached, and greeted."""
        client = await self.dial(self.token(session, mode=mode, generation=generation), query=query)
        await client.heard("hello")
        return client

    def passes(self, seconds: float) -> None:
        """Time does, and the relay notices."""
        self.clock.ahead += seconds
        self.relay.tick()

    async def until(self, true: Callable[[], object]) -> None:
        """Lets the relay work until it is so."""
        async with asyncio.timeout(PATIENCE):
            while not true():  # noqa: ASYNC110 - as below
                await asyncio.sleep(0.001)  # what the relay does towards the far side announces itself to nobody


@asynccontextmanager
async def staged(**changes: Any) -> AsyncIterator[Stage]:
    clock, epochs, keys = Clock(), Epochs(), KeysAddress(PEM)
    ports = changes.get("ports") or Ports()
    control_plane = changes.get("control_plane") or ControlPlane()
    name = changes.get("name", RELAY)
    log: list[dict[str, Any]] = []
    numbers = count(1)
    about: dict[str, Any] = {
        "name": RELAY, "control_plane": control_plane, "ports": ports, "epochs": epochs, "clock": clock,
        "keys": TokenKeys("http://api/keys", ISSUER, name, keys, clock),
        "log": lambda event, **fields: log.append({"event": event, **fields}), "nonce": lambda: next(numbers),
        "origins": frozenset({PAGE}), "scrollback_bytes": 65536, "linger_seconds": 20.0, "heartbeat_seconds": 3600.0,
        "mask_key": b"key", "waits": OpeningWaits(0, 0, 0),
    }  # fmt: skip
    relay = RelayServer(RelayDependencies(**about | changes))
    port = await relay.open("127.0.0.1", 0)
    stage = Stage(relay, port, clock, ports, control_plane, epochs, keys, log)
    try:
        yield stage
    finally:
        for client in stage.clients:
            await client.leave()
        await relay.drain()
    assert not [line for line in log if line["event"] == "fault"], log
