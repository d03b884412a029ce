"""What a console's answer to Enter is, and what is none."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve
from websockets.typing import Subprotocol

from smoke.outcome import Failed, TimedOut
from smoke.service import PROTOCOL, Socket

HELLO = json.dumps({"type": "hello", "epoch": "e", "offset": 0, "live": 0})


@contextmanager
def relay(guest: Callable[[ServerConnection], None]) -> Iterator[Socket]:
    """A console at which this guest prints."""

    def console(connection: ServerConnection) -> None:
        connection.send(HELLO)
        with suppress(ConnectionClosed):
            guest(connection)

    with serve(console, "127.0.0.1", 0, subprotocols=[Subprotocol(PROTOCOL)]) as server:
        threading.Thread(target=server.serve_forever).start()
        port = server.socket.getsockname()[1]
        socket = Socket(f"ws://127.0.0.1:{port}", "t", ssl.create_default_context(), 1.0)
        try:
            yield socket
        finally:
            socket.leave()
            server.shutdown()


def frame(offset: int, data: bytes) -> bytes:
    return offset.to_bytes(8) + data


def test_a_vm_that_prints_without_a_pause_gives_no_answer_that_can_be_told() -> None:
    def boots(connection: ServerConnection) -> None:
        offset = 0
        while True:
            connection.send(frame(offset, b"x"))
            offset += 1

    with relay(boots) as socket, pytest.raises(Failed, match="without a pause"):
        socket.quiet(0.5)


def test_a_vm_that_is_quiet_and_answers_answers() -> None:
    def logs_in(connection: ServerConnection) -> None:
        connection.send(frame(0, b"web-01 login: "))
        assert connection.recv() == b"\r"
        connection.send(frame(14, b"\r\nweb-01 login: "))
        connection.recv()

    with relay(logs_in) as socket:
        socket.quiet(0.2)
        assert socket.next == 14
        socket.type(b"\r")
        socket.printed_after(14)
        assert socket.next == 30


def test_a_vm_that_does_not_answer_is_waited_for_as_long_as_was_asked() -> None:
    def sleeps(connection: ServerConnection) -> None:
        for _ in connection:
            pass

    with relay(sleeps) as socket:
        socket.quiet(0.1)
        socket.type(b"\r")
        with pytest.raises(TimedOut, match="waited 1 s for anything that the VM prints"):
            socket.printed_after(0)
