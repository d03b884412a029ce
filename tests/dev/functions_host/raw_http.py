"""A client that sends bytes and reads what comes, to the letter."""

import socket
from dataclasses import dataclass
from typing import BinaryIO

from tests.patience import PATIENCE


@dataclass(frozen=True)
class RawAnswer:
    status: str
    """The status line after its version."""
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for known, value in self.headers if known.lower() == name.lower()), None)


def exchange(port: int, request: bytes) -> RawAnswer:
    """Sends one request on a connection of its own."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        connection.sendall(request)
        with connection.makefile("rb") as incoming:
            status = incoming.readline()
            if status.startswith(b"HTTP/1.1 100 "):
                assert incoming.readline() == b"\r\n"
                status = incoming.readline()
            headers = []
            while (line := incoming.readline()) not in {b"\r\n", b""}:
                name, _, value = line.decode("latin-1").partition(":")
                headers.append((name, value.strip()))
            answer = RawAnswer(status.decode("latin-1").removeprefix("HTTP/1.1 ").rstrip("\r\n"), headers, b"")
            body = b"" if request.startswith(b"HEAD ") else _body(incoming, answer)
            return RawAnswer(answer.status, headers, body)


def _body(incoming: BinaryIO, answer: RawAnswer) -> bytes:
    if length := answer.header("content-length"):
        return incoming.read(int(length))
    if answer.header("transfer-encoding") is None:
        return b""
    body = b""
    try:
        while size := int(incoming.readline(), 16):
            body += incoming.read(size)
            incoming.read(2)
    except ValueError:
        return body  # said to be chunks, and is none
    return body
