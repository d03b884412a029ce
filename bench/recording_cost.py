"""What recording costs a relay: processor time under the same load, with and without it.

One VM prints at a fixed pace to one viewer. Three relays, in alternating rounds: one whose recorder discards; one
that spools, and whose hub takes everything at once; one that spools and sends to the Event Hubs stand-in through the
SDK, as in Azure.
"""

import asyncio
import contextlib
import multiprocessing
import secrets
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import uvloop

from bench.relay_echo import UnixPorts, Yes, cpu, dialled, free_port
from relay.dependencies import Epochs, RelayDependencies
from relay.recording.epochs import SpooledEpochs
from relay.server import RelayServer
from shared.base.record import Record, Source
from shared.base.record_end import RecordedTail
from shared.base.system_clock import SystemClock
from shared.console.ports import Recorder
from shared.transcript.eventhub.records import EventHubRecords
from tests.dev.event_hubs.stand_in import HUB, StandIn

SECONDS = 5.0
SILENCE_SECONDS = 1.0
"""Until the VM prints: a viewer knows by silence that all was said that is said first."""
HANG_UP_SECONDS = 1.5
"""Until a relay has closed the port of a VM that nobody watches."""
PIECE = b"[    1.234567] systemd[1]: Started Serial Getty on ttyS0, and some more of such words.\r\n"
PIECES_A_SECOND = 2000
"""Of 88 bytes: a boot that hurries, about ten times what COM1's 115,200 baud carry."""
WAYS = ("nothing recorded", "spooled", "spooled and sent")


class Discarding:
    """A relay.dependencies.Epochs, and a Recorder, that keep nothing."""

    full, writable = False, True

    def begin(self, source: Source) -> Recorder:  # noqa: ARG002 - whoever it is of
        return self

    def append(self, record: Record) -> None: ...

    def give_up(self, now_us: int) -> None: ...

    def tail(self, console: str) -> RecordedTail:  # noqa: ARG002 - whoever it is of
        return RecordedTail()

    def recorded_last(self, console: str) -> None: ...

    def tick(self) -> None: ...

    def watch(self, on_full: Callable[[], None], on_room: Callable[[], None]) -> None: ...

    def health(self) -> dict[str, Any]:
        return {"writable": True}

    async def close(self, seconds: float) -> None: ...


def _quiet(_event: str, /, **_fields: object) -> None: ...


def relay(way: str, path: str, port: int, spool: str, hub: str) -> None:
    async def serve() -> None:
        clock, yes = SystemClock(), Yes()
        sink = EventHubRecords(hub, HUB) if way == WAYS[2] else yes
        epochs: Epochs = Discarding() if way == WAYS[0] else SpooledEpochs(Path(spool), 1 << 28, sink, clock, _quiet)
        world = RelayDependencies(
            name="r0", control_plane=yes, ports=UnixPorts(path), keys=yes, epochs=epochs, clock=clock,
            log=_quiet, nonce=lambda: secrets.randbits(32), origins=frozenset(), scrollback_bytes=262144,
            linger_seconds=0, heartbeat_seconds=5, mask_key=b"key",
        )  # fmt: skip
        await RelayServer(world).open("127.0.0.1", port)
        await asyncio.Event().wait()

    uvloop.run(serve())


def printing(door: socket.socket, stop: threading.Event) -> None:
    """A VM that prints at its pace to whoever connects."""
    while not stop.is_set():
        try:
            line, _ = door.accept()
        except OSError:
            return
        threading.Thread(target=_print_on, args=(line, stop), daemon=True).start()


def _print_on(line: socket.socket, stop: threading.Event) -> None:
    stop.wait(SILENCE_SECONDS)
    began, count = time.perf_counter(), 0
    with line, contextlib.suppress(OSError):  # the relay hangs up
        while not stop.is_set():
            due = int((time.perf_counter() - began) * PIECES_A_SECOND)
            for _ in range(due - count):
                line.sendall(PIECE)
            count = due
            time.sleep(0.001)


def watched(port: int, process: BaseProcess) -> tuple[int, float]:
    """Bytes that a viewer was shown in one round, and the relay's processor time meanwhile."""
    with dialled(port) as line:
        line.settimeout(10)
        seen, before, until = len(line.recv(1)), cpu(process), time.perf_counter() + SECONDS
        while time.perf_counter() < until:
            seen += len(line.recv(1 << 16))
        used = cpu(process) - before
        line.sendall(b"\x88\x80\0\0\0\0")
    time.sleep(HANG_UP_SECONDS)
    return seen, used


def measured(rounds: int, say: Callable[[str], None]) -> dict[str, float]:
    """Processor milliseconds per second of the load, by way."""
    used, seen = dict.fromkeys(WAYS, 0.0), dict.fromkeys(WAYS, 0)
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as door:
        hub = StandIn(Path(folder) / "hub")
        hub.start()
        path, stop = f"{folder}/com1", threading.Event()
        door.bind(path)
        door.listen()
        threading.Thread(target=printing, args=(door, stop), daemon=True).start()
        ports = {way: free_port() for way in WAYS}
        spawn = multiprocessing.get_context("spawn")
        processes = {
            way: spawn.Process(target=relay, args=(way, path, port, f"{folder}/{way}", hub.connection_string))
            for way, port in ports.items()
        }
        for process in processes.values():
            process.start()
        try:
            _await_doors(ports.values())
            for number in range(rounds):
                for way in WAYS:
                    say(f"recording: round {number + 1} of {rounds}, {way}")
                    shown, spent = watched(ports[way], processes[way])
                    seen[way] += shown
                    used[way] += spent
        finally:
            stop.set()
            for process in processes.values():
                process.terminate()
                process.join()
            hub.stop()
    least, most = min(seen.values()), max(seen.values())
    assert least > 0.8 * most, f"the loads differ too much to be compared: {seen}"  # noqa: S101 - else the figures lie
    return {way: spent * 1000 / (rounds * SECONDS) for way, spent in used.items()}


def _await_doors(ports: Any) -> None:
    for port in ports:
        until = time.perf_counter() + 30
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert time.perf_counter() < until, "a relay does not start"  # noqa: S101 - nothing to measure then
            time.sleep(0.05)
