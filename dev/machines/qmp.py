"""QEMU's control protocol (QMP): one JSON object a line, one command at a time."""

import asyncio
import json
import socket
from typing import Any

from dev.machines.machine import MachineError


class Qmp:
    """A QMP connection. Every method raises MachineError once QEMU is gone or refuses."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._turn = asyncio.Lock()

    @classmethod
    async def open(cls, connection: socket.socket) -> "Qmp":
        """Greets QEMU on an already connected socket and leaves negotiation mode."""
        qmp = cls(*await asyncio.open_unix_connection(sock=connection))
        try:
            await qmp._receive()
            await qmp.run("qmp_capabilities")
        except BaseException:
            qmp.close()
            raise
        return qmp

    async def run(self, command: str, **arguments: str) -> dict[str, Any]:
        """Runs a command and returns QEMU's answer."""
        async with self._turn:
            self._writer.write(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
            answer = await self._receive()
            while "event" in answer:
                answer = await self._receive()
        if "error" in answer:
            raise MachineError(f"{command}: {answer['error'].get('desc', 'refused')}")
        return answer

    def close(self) -> None:
        self._writer.close()

    async def _receive(self) -> dict[str, Any]:
        try:
            line = await self._reader.readline()
        except ConnectionError as broken:
            raise MachineError("QEMU is gone") from broken
        if not line:
            raise MachineError("QEMU is gone")
        message: dict[str, Any] = json.loads(line)
        return message
