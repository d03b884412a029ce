"""Requests that no client library would send: written byte by byte, and their one answer."""

import json
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any

from tests.functions.control_plane import ControlPlane
from tests.patience import PATIENCE


@dataclass(frozen=True)
class Answered:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str | None:
        """Of the error envelope; None where the answer is no error, or is not ours."""
        if "x-ms-error-code" not in self.headers:
            return None
        code: str = self.json["error"]["code"]
        assert code == self.headers["x-ms-error-code"]
        return code

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def sent(
    plane: ControlPlane, target: bytes, lines: Iterable[bytes] = (), *, method: bytes = b"GET", body: bytes = b""
) -> Answered:
    """`target` goes out as it is, `lines` are whole header lines."""
    length = [b"Content-Length: %d" % len(body)] if body else []
    head = [method + b" " + target + b" HTTP/1.1", b"Host: localhost", b"Connection: close", *lines, *length]
    return received(plane, b"\r\n".join(head) + b"\r\n\r\n" + body)


def received(plane: ControlPlane, request: bytes) -> Answered:
    address = plane.host.client.base_url
    with socket.create_connection((address.host, address.port or 80), timeout=PATIENCE) as connection:
        connection.sendall(request)
        answer = HTTPResponse(connection)
        answer.begin()
        return Answered(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
