"""What the relay adds to a keystroke's echo, recording on: `python -m bench.relay_echo [rounds]`.

Three ways to the same echoing socket, in alternating rounds: straight; through the thinnest forwarder that can be
built on the relay's own WebSocket library (no record, no rules, no scrollback); through the relay.
"""

import asyncio
import contextlib
import multiprocessing
import os
import secrets
import socket
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import aiofastnet
import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_create_server

from relay.dependencies import RelayDependencies
from relay.recording.epochs import SpooledEpochs
from relay.server import RelayServer
from shared.access.commands import Command
from shared.base.record import Source
from shared.base.record_end import RecordEnd
from shared.base.refusals import Code, Refusal, refuse
from shared.base.system_clock import SystemClock
from shared.base.vm import VmId
from shared.console.frames import PROTOCOL, TOKEN_PREFIX
from shared.console.ports import PortListener, SerialPort
from shared.session.grant import Grant, Mode
from shared.session.ports import Admission, Beat

VM = VmId.parse(
    "/subscriptions/5b5c0000-0000-4000-8000-000000000001/resourceGroups/rg"
    "/providers/Microsoft.Compute/virtualMachines/vm"
)
ECHOES = 1000
WARM = 100


def echo(path: str) -> None:
    """A VM that types back, one connection at a time."""
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(path)
        door.listen()
        while True:
            line, _ = door.accept()
            with line, contextlib.suppress(ConnectionError):
                while data := line.recv(4096):
                    line.sendall(data)


class UnixPort(asyncio.Protocol):
    """COM1 as a unix socket."""

    def __init__(self, printed: Callable[[bytes], None]) -> None:
        self.transport: Any = None
        self._printed = printed

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._printed(data)

    def type(self, data: bytes) -> None:
        self.transport.write(data)

    def pause(self) -> None:
        self.transport.pause_reading()

    def resume(self) -> None:
        self.transport.resume_reading()

    async def command(self, act: Command, keys: str) -> Refusal | None:  # noqa: ARG002 - the port's words
        return refuse(Code.CONSOLE_FAULT)

    async def close(self) -> None:
        self.transport.close()


class UnixPorts:
    def __init__(self, path: str) -> None:
        self._path = path

    async def open(self, vm: VmId, listener: PortListener) -> SerialPort | Refusal:  # noqa: ARG002 - there is one VM
        loop = asyncio.get_running_loop()
        _, port = await aiofastnet.create_unix_connection(loop, lambda: UnixPort(listener.printed), self._path)
        return port


class Yes:
    """A function app and its keys that admit everybody, and a hub that takes everything."""

    async def grant(self, token: str) -> Grant:
        return Grant(token, token, "t.o", "Ada", VM, Mode.WRITE, 1, "", "", 0, 0)

    async def commanded(self, authorization: str | None, body: bytes) -> bool:  # noqa: ARG002 - nobody asks
        return False

    async def attach(self, grant: Grant) -> Admission:
        return Admission(grant.session, 900, 28800)

    async def heartbeat(self, live: Sequence[Grant]) -> Beat:  # noqa: ARG002 - says nothing
        return Beat((), None, None)

    async def record_end(self, vm: VmId) -> RecordEnd:  # noqa: ARG002 - nobody has recorded anything
        return RecordEnd()

    async def detach(self, grant: Grant, why: str, typed: int, printed: int) -> None:
        pass

    async def send(self, source: Source, records: Sequence[bytes]) -> None:
        pass


def _quiet(_event: str, /, **_fields: object) -> None: ...


def relay(path: str, port: int, spool: str) -> None:
    async def serve() -> None:
        clock, yes = SystemClock(), Yes()
        world = RelayDependencies(
            name="r0", control_plane=yes, ports=UnixPorts(path), keys=yes,
            epochs=SpooledEpochs(Path(spool), 1 << 28, yes, clock, _quiet), clock=clock, log=_quiet,
            nonce=lambda: secrets.randbits(32), origins=frozenset(), scrollback_bytes=262144, linger_seconds=0,
            heartbeat_seconds=5, mask_key=b"key",
        )  # fmt: skip
        await RelayServer(world).open("127.0.0.1", port)
        await asyncio.Event().wait()

    uvloop.run(serve())


class Thin(WSListener):
    """Forwards, and nothing else."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._early: list[bytes] = []
        self._port: UnixPort | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._socket = transport
        self._task = asyncio.create_task(self._dial())

    async def _dial(self) -> None:
        loop = asyncio.get_running_loop()
        printed = lambda data: self._socket.send(WSMsgType.BINARY, data)  # noqa: E731 - the thinnest there is
        _, self._port = await aiofastnet.create_unix_connection(loop, lambda: UnixPort(printed), self._path)
        for data in self._early:
            self._port.type(data)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.disconnect()
        elif self._port is None:
            self._early.append(frame.get_payload_as_bytes())
        else:
            self._port.type(frame.get_payload_as_bytes())

    def on_ws_disconnected(self, transport: WSTransport) -> None:  # noqa: ARG002 - as picows calls it
        if self._port is not None:
            self._port.transport.abort()


def thin(path: str, port: int) -> None:
    async def serve() -> None:
        server = await ws_create_server(lambda _request: Thin(path), "127.0.0.1", port)
        await server.serve_forever()

    uvloop.run(serve())


def dialled(port: int) -> socket.socket:
    """A WebSocket, past its handshake and its first text frames."""
    line = socket.create_connection(("127.0.0.1", port))
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    line.sendall(
        (
            "GET /v1/console HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            f"Sec-WebSocket-Protocol: {PROTOCOL}, {TOKEN_PREFIX}{secrets.token_hex(8)}\r\n\r\n"
        ).encode()
    )
    line.settimeout(0.3)
    with contextlib.suppress(TimeoutError):
        while line.recv(65536):
            pass
    line.settimeout(None)
    return line


def measured(line: socket.socket, key: bytes) -> list[float]:
    """Microseconds of every echo."""
    times = []
    for at in range(ECHOES + WARM):
        began = time.perf_counter_ns()
        line.send(key)
        line.recv(4096)
        if at >= WARM:
            times.append((time.perf_counter_ns() - began) / 1000)
    return times


def cpu(process: BaseProcess) -> float:
    """Seconds of processor time so far."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main(rounds: int) -> None:
    ways: dict[str, list[list[float]]] = {"straight": [], "thinnest": [], "relay": []}
    used = dict.fromkeys(ways, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        path, ports = f"{folder}/com1", {"thinnest": free_port(), "relay": free_port()}
        processes = {
            "straight": multiprocessing.Process(target=echo, args=(path,)),
            "thinnest": multiprocessing.Process(target=thin, args=(path, ports["thinnest"])),
            "relay": multiprocessing.Process(target=relay, args=(path, ports["relay"], f"{folder}/spool")),
        }
        for process in processes.values():
            process.start()
        try:
            time.sleep(1.5)
            for _ in range(rounds):
                for way, runs in ways.items():
                    before = cpu(processes[way])
                    runs.append(one_round(path, ports.get(way)))
                    used[way] += cpu(processes[way]) - before
        finally:
            for process in processes.values():
                process.terminate()
                process.join()
    report(ways, used)


def one_round(path: str, port: int | None) -> list[float]:
    if port is None:
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(path)
            return measured(line, b"x")
    with dialled(port) as line:
        times = measured(line, b"\x82\x81" + struct.pack(">I", 0) + b"x")
        line.sendall(b"\x88\x80\0\0\0\0")
    time.sleep(0.2)
    return times


def report(ways: dict[str, list[list[float]]], used: dict[str, float]) -> None:
    print(f"{'':10} {'p50 us':>8} {'p99 us':>8} {'CPU ms per 10,000':>18}")
    for way, runs in ways.items():
        p50 = statistics.median(statistics.median(run) for run in runs)
        p99 = statistics.median(statistics.quantiles(run, n=100)[98] for run in runs)
        spent = used[way] * 1000 / (len(runs) * (ECHOES + WARM)) * 10_000
        print(f"{way:10} {p50:8.1f} {p99:8.1f} {spent:18.0f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
