"""AMQP 1.0 as bytes (OASIS AMQP 1.0, parts 1 and 2): as much as a test needs to say what a client says."""

import socket
import struct
from typing import Any

SASL, AMQP = b"AMQP\x03\x01\x00\x00", b"AMQP\x00\x01\x00\x00"
MECHANISMS, INIT, OUTCOME = 0x40, 0x41, 0x44
OPEN, BEGIN, ATTACH, DETACH = 0x10, 0x11, 0x12, 0x16
SOURCE, TARGET = 0x28, 0x29


class Symbol(str):
    """A symbol on the wire; a plain str is a string."""

    __slots__ = ()


class Described:
    """A list of fields under a descriptor: a performative, a source, a target."""

    def __init__(self, descriptor: int, *fields: Any) -> None:
        self.descriptor, self.fields = descriptor, fields


class Raw(bytes):
    """A value that is encoded already."""

    __slots__ = ()


def encoded(value: Any) -> bytes:  # noqa: PLR0911 - a line for each type
    match value:
        case None:
            return b"\x40"
        case bool():
            return b"\x41" if value else b"\x42"
        case Raw():
            return bytes(value)
        case int():
            return b"\x70" + struct.pack(">I", value)
        case Symbol():
            return b"\xb3" + struct.pack(">I", len(value)) + value.encode()
        case str():
            return b"\xb1" + struct.pack(">I", len(value)) + value.encode()
        case Described():
            return b"\x00\x53" + bytes([value.descriptor]) + compound(0xD0, value.fields)
        case dict():
            return compound(0xD1, [part for pair in value.items() for part in pair])
    raise TypeError(value)


def ubyte(value: int) -> Raw:
    return Raw(b"\x50" + bytes([value]))


def compound(code: int, values: Any) -> bytes:
    body = b"".join(map(encoded, values))
    return bytes([code]) + struct.pack(">II", len(body) + 4, len(values)) + body


class Wire:
    """A connection on which frames are said and heard."""

    def __init__(self, port: int, patience: float) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=patience)

    def header(self, header: bytes) -> bytes:
        self.socket.sendall(header)
        return self._read(8)

    def say(self, performative: Described, kind: int = 0) -> None:
        body = encoded(performative)
        self.socket.sendall(struct.pack(">IBBH", len(body) + 8, 2, kind, 0) + body)

    def hear(self, *descriptors: int) -> bytes:
        """The body of the next frame that bears one of these descriptors."""
        while True:
            (size,) = struct.unpack(">I", self._read(4))
            body = self._read(size - 4)[4:]
            if body and body[2] in descriptors:
                return body

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            assert more, "the stand-in ended the connection"
            data += more
        return data
