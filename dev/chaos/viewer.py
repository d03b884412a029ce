"""Somebody who watches a console and comes back whenever the connection ends, where it broke."""

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from dev import demo
from dev.chaos.service import Service

AGAIN_SECONDS = 0.25
_WRONG_ENDS = (4004, 4005, 4008, 4012)
"""A right withdrawn, a VM gone, a session ended, a console switched off: no act does any of these, and a lock that is
away ends nobody.
"""
_NO = (403, 404)


@dataclass
class Run:
    """Bytes of one epoch that were shown without a break, from `start` on."""

    epoch: str
    start: int
    data: bytearray = field(default_factory=bytearray)

    @property
    def end(self) -> int:
        return self.start + len(self.data)


class Viewer:
    """`runs` is everything that was ever shown; `faults` what a viewer must never see."""

    def __init__(self, service: Service, vm: demo.VirtualMachine) -> None:
        self.vm = vm
        self.runs: list[Run] = []
        self.faults: list[str] = []
        self.attached = 0
        """How often."""
        self._service = service
        self._socket: ClientConnection | None = None
        self._task = asyncio.create_task(self._watch())

    @property
    def is_attached(self) -> bool:
        return self._socket is not None

    def cut(self) -> None:
        """Breaks the connection, without a goodbye."""
        if self._socket is not None:
            self._socket.transport.abort()

    async def leave(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            with contextlib.suppress(httpx.HTTPError, WebSocketException, OSError, TimeoutError):
                await self._visit(await self._open())
            await asyncio.sleep(AGAIN_SECONDS)

    async def _open(self) -> dict[str, Any]:
        try:
            return await self._service.open_session(self.vm)
        except httpx.HTTPStatusError as error:
            if error.response.status_code in _NO and error.request.url.path.startswith("/api/"):
                self.faults.append(f"a session was refused with {error.response.text}")
            raise

    async def _visit(self, session: dict[str, Any]) -> None:
        last = self.runs[-1] if self.runs else None
        query = f"?epoch={last.epoch}&offset={last.end}" if last else ""
        asked: Any = ["serial-console.v1", f"serial-console.token.{session['token']}"]
        address = f"{session['relay']}/v1/console{query}"
        async with connect(
            address, subprotocols=asked, max_size=None, compression=None, open_timeout=20, ping_interval=None,
            close_timeout=1, proxy=None,
        ) as socket:  # fmt: skip
            self.attached += 1
            self._socket = socket
            try:
                async for frame in socket:
                    self._see(frame)
            finally:
                self._socket = None
                if socket.close_code in _WRONG_ENDS:
                    self.faults.append(f"ended with {socket.close_code}, while nothing had changed")

    def _see(self, frame: str | bytes) -> None:
        if isinstance(frame, str):
            said = json.loads(frame)
            if said["type"] == "hello":
                self._begin(said["epoch"], said["offset"])
            return
        offset = int.from_bytes(frame[:8])
        if offset != self.runs[-1].end:
            self.faults.append(f"epoch {self.runs[-1].epoch}: byte {offset} shown where {self.runs[-1].end} was due")
        self.runs[-1].data += frame[8:]

    def _begin(self, epoch: str, offset: int) -> None:
        """Goes on with the run that broke, or begins another."""
        if not (self.runs and (self.runs[-1].epoch, self.runs[-1].end) == (epoch, offset)):
            self.runs.append(Run(epoch, offset))
