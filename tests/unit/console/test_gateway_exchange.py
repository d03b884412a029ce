"""When a token is sent to a gateway, and when never."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.base.refusals import Code
from shared.console.gateway_exchange import (
    BANNER_BYTES,
    Exchange,
    Flow,
    Move,
    distrusts,
    find_refusal,
    is_banner,
    names_another,
)

BUSY = "Another connection is currently in progress to this VM. Please wait and retry the request."
frames = st.lists(st.tuples(st.binary(max_size=200), st.booleans()), max_size=12)


def test_the_current_flow_has_nothing_in_the_address_and_the_older_one_the_token_quoted() -> None:
    assert Flow.CURRENT.address("wss://g/client", "a+b=") == "wss://g/client"
    assert Flow.ADDRESS.address("wss://g/client", "a+b=") == "wss://g/client?authorization=a%2Bb%3D"


def test_the_token_goes_after_the_first_message_and_what_follows_is_the_vms() -> None:
    exchange = Exchange(Flow.CURRENT)
    assert exchange.receive(b"Conn", final=False) == (Move.WAIT, b"")
    assert exchange.receive(b"ecting...", final=True) == (Move.SEND, b"")
    assert exchange.token_sent
    assert exchange.receive(b"login: ", final=True) == (Move.SHOW, b"login: ")


@pytest.mark.parametrize("said", [b"", b"Verbindung wird hergestellt", b"\xff\x00"])
def test_a_banner_in_other_words_is_a_banner(said: bytes) -> None:
    assert Exchange(Flow.CURRENT).receive(said, final=True)[0] is Move.SEND


def test_who_shows_what_a_vm_prints_without_having_asked_gets_no_token() -> None:
    exchange = Exchange(Flow.CURRENT)
    assert exchange.receive(b"x" * BANNER_BYTES, final=False)[0] is Move.WAIT
    assert exchange.receive(b"y", final=True) == (Move.STOP, b"x" * BANNER_BYTES + b"y")


def test_a_refusal_instead_of_the_banner_stops_it() -> None:
    assert Exchange(Flow.CURRENT).receive(BUSY.encode(), final=True) == (Move.STOP, BUSY.encode())


def test_a_refusal_after_the_token_is_held_for_a_vm_may_print_it_too() -> None:
    exchange = Exchange(Flow.CURRENT)
    assert exchange.pending_output == b""
    exchange.receive(b"Connecting...", final=True)
    assert exchange.receive(BUSY.encode(), final=True) == (Move.WAIT, b"")
    assert exchange.pending_output == BUSY.encode()
    assert exchange.receive(b"\r\n" + b"x" * BANNER_BYTES, final=True)[0] is Move.SHOW
    assert exchange.pending_output == b""


def test_a_gateway_that_took_the_address_and_asks_all_the_same_is_a_newer_one() -> None:
    assert Exchange(Flow.ADDRESS).receive(b"Connecting...\r\n", final=True)[0] is Move.STOP
    assert Exchange(Flow.ADDRESS).receive(b"$ ", final=True) == (Move.SHOW, b"$ ")
    assert not Exchange(Flow.ADDRESS).token_sent


@given(st.sampled_from(Flow), frames)
def test_the_token_is_sent_at_most_once_never_by_address_and_nothing_shown_is_lost(
    flow: Flow, said: list[tuple[bytes, bool]]
) -> None:
    exchange, moves, shown = Exchange(flow), list[Move](), b""
    for number, (payload, final) in enumerate(said):
        move, data = exchange.receive(payload, final=final)
        moves.append(move)
        if move is Move.SHOW:
            shown = data
            assert data.endswith(payload)
        if move in (Move.SHOW, Move.STOP):
            assert number == len(moves) - 1
            break
    assert moves.count(Move.SEND) <= (flow is Flow.CURRENT)
    assert Move.SEND not in moves[moves.index(Move.SHOW) :] if Move.SHOW in moves else True
    if shown and flow is Flow.CURRENT:
        assert shown == b"".join(payload for payload, _ in said[moves.index(Move.SEND) + 1 : len(moves)])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (BUSY, Code.EXTERNAL_TAKEOVER),
        (
            "Provisioning for this VM has not yet succeeded. Please ensure the VM is fully deployed and",
            Code.VM_PROVISIONING,
        ),
        ("Azure Serial Console requires a virtual machine to be running. Use", Code.VM_NOT_RUNNING),
        ("... because the service did not respond in a timely manner.", Code.GATEWAY_TIMEOUT),
        ('Existing console has conflicting OS type "Windows"', Code.OS_TYPE_CONFLICT),
    ],
)
def test_published_sentences_are_refusals(text: str, code: Code) -> None:
    refusal = find_refusal(text, "vm")
    assert refusal is not None
    assert (refusal.code, refusal.target) == (code, "vm")


def test_a_port_that_is_busy_may_be_dialled_again() -> None:
    refusal = find_refusal(f"{BUSY}\r\n")
    assert refusal is not None
    assert refusal.message == BUSY
    assert refusal.retryable


def test_other_words_are_none() -> None:
    assert find_refusal("login: ") is None
    assert distrusts("Connection not trusted")
    assert not distrusts("")
    assert names_another("Another user connected")
    assert not names_another("")
    assert not is_banner(b"connecting" + b" " * BANNER_BYTES)
