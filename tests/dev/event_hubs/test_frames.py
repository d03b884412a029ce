"""What .NET's client says on the wire and Python's does not: taken by the stand-in, frame by frame."""

from collections.abc import Iterator

import pytest

from tests.dev.event_hubs import frames
from tests.dev.event_hubs.frames import Described, Raw, Symbol, Wire, ubyte
from tests.dev.event_hubs.stand_in import running
from tests.patience import PATIENCE

SETTLED, SECOND = 1, 1
SELECTOR = Symbol("apache.org:selector-filter:string")


@pytest.fixture
def wire() -> Iterator[Wire]:
    """A connection that got in by the mechanism that .NET's client takes, with a session."""
    with running() as hub:
        wire = Wire(hub.port, PATIENCE)
        assert wire.header(frames.SASL) == frames.SASL
        assert b"MSSBCBS" in wire.hear(frames.MECHANISMS)
        wire.say(Described(frames.INIT, Symbol("MSSBCBS")), kind=1)
        assert wire.hear(frames.OUTCOME).endswith(bytes([0x50, 0])), "the outcome is OK"
        wire.header(frames.AMQP)
        wire.say(Described(frames.OPEN, "dotnet"))
        wire.say(Described(frames.BEGIN, None, 0, 100, 100))
        wire.hear(frames.BEGIN)
        yield wire
        wire.socket.close()


def attach(role: str, address: str, settle: int, selector: str | None = None) -> Described:
    """An attach that asks for sender settle mode `settle` and for a receiver that settles second."""
    described = Raw(b"\x00" + frames.encoded(SELECTOR) + frames.encoded(selector))
    filters = {SELECTOR: described} if selector else None
    source = Described(frames.SOURCE, address, None, None, None, None, None, None, filters)
    target = Described(frames.TARGET, address)
    receives = role == "receiver"
    modes = ubyte(settle), ubyte(SECOND)
    return Described(frames.ATTACH, role, 0, receives, *modes, source, target, None, None, None if receives else 0)


def test_settle_modes_come_back_as_they_were_asked_for(wire: Wire) -> None:
    wire.say(attach("sender", "$cbs", SETTLED))
    answer = wire.hear(frames.ATTACH)
    handle_and_role = b"sender" + b"\x43\x41"  # 0, true: the peer receives
    assert handle_and_role + ubyte(SETTLED) + ubyte(SECOND) in answer


@pytest.mark.parametrize("selector", ["amqp.annotation.x-opt-offset > -1", "amqp.annotation.x-opt-offset > '-1'"])
def test_a_path_with_a_leading_slash_and_a_selector_without_quotes_are_taken(wire: Wire, selector: str) -> None:
    wire.say(attach("receiver", "/records/ConsumerGroups/$Default/Partitions/1", SETTLED, selector))
    answer = wire.hear(frames.ATTACH)
    assert b"/records/ConsumerGroups/$Default/Partitions/1" in answer
    assert selector.encode() in answer


def test_a_partition_that_is_not_there_is_refused_with_the_services_condition(wire: Wire) -> None:
    wire.say(attach("receiver", "/records/ConsumerGroups/$Default/Partitions/17", SETTLED))
    assert b"com.microsoft:argument-out-of-range" in wire.hear(frames.DETACH)
