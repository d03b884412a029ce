"""Scenes of a port that opens, is lost, dialled again and closed, written as scripts."""

from dataclasses import replace

from shared.base.refusals import Code, refuse
from shared.console.events import (
    Attach,
    AttachPending,
    Detach,
    Drain,
    PortRefused,
    RecordFailed,
    SpoolFull,
    SpoolRoom,
    VisitCancelled,
)
from shared.session.grant import Mode
from tests.unit.console.console_script import LONG, Skin

WRITE, WATCH = Mode.WRITE, Mode.WATCH


def test_a_lost_port_is_dialled_again_and_every_viewer_is_told_the_new_epoch() -> None:
    skin = Skin()
    ada = skin.comes("ada")
    skin.prints(b"one")
    skin.loses()
    assert ada.last("port")["state"] == "lost"
    assert skin.port == "opening"
    skin.types("ada", b"unheard")
    assert ada.last("warning")["code"] == "PortLost"
    skin.opens()
    skin.prints(b"two")
    assert [text["epoch"] for text in ada.heard("hello")] == ["e1", "e2"]
    assert ada.last("port")["state"] == "open"
    assert ada.seen == b"two"
    assert skin.said("e1")[-1] == {"event": "end", "records": 5, "reason": "port lost"}
    skin.do(Detach("ada"))
    assert skin.reports["ada"].printed == 6


def test_a_port_that_stays_lost_is_dialled_with_growing_pauses_and_given_up_after_a_minute() -> None:
    skin = Skin()
    ada = skin.comes("ada")
    skin.loses()
    dials = skin.refuses_until_gone(ada, refuse(Code.GATEWAY_TIMEOUT))
    assert ada.closed == (4006, "GatewayTimeout")
    assert dials == [0, 1, 3, 7, 15, 30, 45, 60]
    assert skin.console.idle


def test_a_port_is_not_dialled_again_before_a_throttling_azure_wants_to_be_asked() -> None:
    skin = Skin()
    ada = skin.comes("ada")
    skin.loses()
    dials = skin.refuses_until_gone(ada, replace(refuse(Code.AZURE_THROTTLED), retry_after=23))
    assert ada.closed == (4006, "AzureThrottled")
    assert dials == [0, 23, 46, 69]


def test_a_vm_that_stopped_while_the_port_was_lost_ends_the_sessions_at_once() -> None:
    skin = Skin()
    ada = skin.comes("ada")
    skin.loses()
    skin.do(PortRefused(refuse(Code.VM_NOT_RUNNING)))
    assert ada.closed == (4005, "VmStopped")


def test_a_permanent_refusal_without_a_close_code_of_its_own_is_a_console_fault() -> None:
    skin = Skin()
    ada = skin.comes("ada")
    skin.loses()
    skin.do(PortRefused(refuse(Code.SCALE_SET_NOT_SPECIFIED)))
    assert ada.closed == (4006, "ConsoleFault")


def test_one_who_attaches_while_the_port_is_lost_is_told_so() -> None:
    skin = Skin()
    skin.comes("ada")
    skin.do(AttachPending("bob", WATCH, 1))
    skin.loses()
    skin.do(Attach("bob", WATCH, 1, "Bob", "t.bob", LONG))
    assert skin.screens["bob"].last("port")["state"] == "lost"
    skin.do(PortRefused(refuse(Code.GATEWAY_TIMEOUT)))
    skin.port = "closed"
    skin.do(AttachPending("eve", WATCH, 1))
    skin.opens()
    assert "eve" in skin.admitted


def test_a_takeover_from_outside_ends_the_sessions_with_a_code_of_its_own() -> None:
    skin = Skin()
    ada = skin.comes("ada")
    skin.loses("another connection", taken_over=True)
    assert ada.closed == (4010, "ExternalTakeover")
    assert skin.notes()[-1] == "end"


def test_the_port_lingers_after_the_last_one_left_and_its_epoch_then_ends() -> None:
    skin = Skin(linger=20)
    skin.comes("ada")
    skin.do(Detach("ada"))
    skin.ticks(19)
    assert skin.port == "open"
    skin.comes("bob", WATCH)
    skin.ticks(30)
    skin.do(Detach("bob"))
    skin.ticks(21)
    assert skin.port == "closing"
    skin.closes()
    assert skin.said()[-1]["reason"] == "goodbye"
    assert skin.said()[-1]["records"] == len(skin.records["e1"])
    assert skin.console.idle


def test_a_port_lost_while_it_lingers_is_not_dialled_again() -> None:
    skin = Skin()
    skin.comes("ada")
    skin.do(Detach("ada"))
    skin.loses()
    assert skin.port == "closed"
    assert skin.console.idle


def test_draining_says_goodbye_to_everyone_and_ends_the_epoch() -> None:
    skin = Skin()
    ada, bob = skin.comes("ada"), skin.comes("bob", WATCH)
    skin.do(Drain())
    assert ada.closed == bob.closed == (4009, "RelayDraining")
    skin.closes()
    assert skin.said()[-1]["reason"] == "RelayDraining"
    assert skin.console.idle


def test_what_the_gateway_sent_before_it_answers_the_goodbye_is_recorded_though_nobody_sees_it() -> None:
    skin = Skin()
    ada = skin.comes("ada")
    skin.do(SpoolFull())
    skin.do(Drain())
    assert not skin.held()
    skin.do(SpoolRoom())
    skin.do(SpoolFull())
    skin.prints(b"kernel panic")
    assert not skin.console.idle
    skin.closes()
    assert (skin.printed("e1"), ada.seen) == (b"kernel panic", b"")
    assert skin.notes()[-1] == "end"
    assert skin.console.idle


def test_a_port_that_opens_when_nobody_wants_it_any_more_is_recorded_and_closed() -> None:
    skin = Skin()
    skin.do(AttachPending("ada", WRITE, 1))
    skin.do(Drain())
    assert skin.refused["ada"].code is Code.RELAY_DRAINING
    skin.opens()
    skin.prints(b"login: ")
    skin.closes()
    assert skin.printed("e1") == b"login: "
    assert skin.notes() == ["port-open", "end"]
    assert skin.console.idle


def test_a_dial_that_nobody_waits_for_any_more_may_fail() -> None:
    skin = Skin()
    skin.do(AttachPending("ada", WRITE, 1))
    skin.do(Drain())
    skin.refuses(refuse(Code.GATEWAY_TIMEOUT))
    assert skin.console.idle


def test_who_comes_while_the_port_is_closing_waits_for_the_next_epoch() -> None:
    skin = Skin(linger=5)
    skin.comes("ada")
    skin.do(Detach("ada"))
    skin.ticks(6)
    skin.do(AttachPending("bob", WATCH, 1))
    assert skin.port == "closing"
    skin.closes()
    skin.opens()
    assert "bob" in skin.admitted
    assert skin.epoch == "e2"


def test_a_relay_that_is_told_to_end_while_a_port_is_closing_closes_it_once() -> None:
    skin = Skin(linger=5)
    skin.comes("ada")
    skin.do(Detach("ada"))
    skin.ticks(6)
    skin.do(AttachPending("bob", WATCH, 1))
    skin.do(Drain())
    assert skin.refused["bob"].code is Code.RELAY_DRAINING
    skin.closes()
    assert skin.said()[-1]["reason"] == "goodbye"
    assert skin.console.idle


def test_who_comes_while_an_unwanted_dial_is_under_way_gets_its_port() -> None:
    skin = Skin()
    skin.do(AttachPending("ada", WRITE, 1))
    skin.do(Drain())
    skin.do(AttachPending("bob", WATCH, 1))
    skin.opens()
    assert skin.port == "open"
    assert "bob" in skin.admitted


def test_a_record_that_cannot_be_written_while_the_port_is_closing_ends_it_at_once() -> None:
    skin = Skin()
    skin.comes("ada")
    skin.do(Drain())
    skin.do(RecordFailed())
    assert skin.port == "closed"
    assert skin.console.idle


def test_an_expected_visitor_who_goes_away_lets_the_port_close() -> None:
    skin = Skin(linger=5)
    skin.do(AttachPending("ada", WRITE, 1))
    skin.do(AttachPending("bob", WATCH, 1))
    skin.do(VisitCancelled("ada"))
    skin.do(Detach("bob"))
    skin.opens()
    assert not skin.admitted
    skin.ticks(6)
    assert skin.port == "closing"
