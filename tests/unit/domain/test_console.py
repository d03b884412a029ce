"""Scenes at a console, written as scripts."""

from dataclasses import replace
from hashlib import sha256
from itertools import pairwise

import pytest

from shared.domain.acts import Act
from shared.domain.console import SPANS
from shared.domain.console_events import (
    Answered,
    Ask,
    Attach,
    Capture,
    Commanded,
    CommandFailed,
    Detach,
    Drain,
    Eased,
    End,
    Expect,
    Fence,
    Forget,
    Keep,
    Limits,
    Noted,
    PortLost,
    PortOpened,
    PortRefused,
    Printed,
    RecordFailed,
    Slow,
    SpoolFull,
    SpoolRoom,
    Tick,
    TypedLine,
)  # fmt: skip
from shared.domain.console_port import BEFORE_BYTES, CAPTURE_BACKOFF, IllegalMove
from shared.domain.grant import Mode
from shared.domain.masking import Span
from shared.domain.policy import Typing
from shared.domain.refusals import TABLE, Code, refuse
from shared.domain.replay import Opening, Tail, settle
from tests.unit.domain.console_script import LONG, Skin

WRITE, WATCH = Mode.WRITE, Mode.WATCH


def ticks(skin: Skin, seconds: float, step: float = 1.0) -> None:
    until = skin.now + seconds
    while skin.now < until:
        skin.now = min(until, skin.now + step)
        skin.do(Tick())


def test_the_first_visitor_is_admitted_when_the_port_opens_and_greeted_with_where_the_stream_starts() -> None:
    skin = Skin()
    skin.do(Expect("ada", WRITE, 1))
    assert not skin.admitted
    skin.opens()
    assert skin.admitted == {"ada"}
    skin.do(Attach("ada", WRITE, 1, "Ada", "t.ada", LONG))
    hello = skin.screens["ada"].texts[0]
    assert hello == {
        "type": "hello", "session": "ada", "console": "vm", "mode": "write", "epoch": "e1", "offset": 0, "live": 0,
        "gap": False,
        "writer": {"name": "Ada"}, "watchers": 0, "idleSeconds": 900, "sessionSeconds": 28800,
        "typed": "counted",
    }  # fmt: skip
    assert skin.notes() == ["port-open", "attach"]


def test_what_the_vm_prints_is_recorded_and_shown_and_what_is_typed_reaches_it_unrecorded() -> None:
    skin = Skin()
    ada = skin.comes("ada")
    skin.types("ada", b"s3cret\r")
    skin.prints(b"login: ")
    assert skin.typed == b"s3cret\r"
    assert ada.seen == b"login: "
    assert skin.printed() == b"login: "
    skin.do(Detach("ada"))
    assert not any(b"s3cret" in record.body for record in skin.records["e1"])
    assert (skin.reports["ada"].typed, skin.reports["ada"].printed) == (7, 7)
    assert skin.said()[-1] == {
        "event": "detach", "session": "ada", "user": "ada", "why": "Goodbye", "by": None, "typed": 7, "printed": 7,
    }  # fmt: skip


def test_a_port_that_does_not_open_refuses_the_visitor_and_leaves_nothing_behind() -> None:
    skin = Skin()
    skin.do(Expect("ada", WRITE, 1))
    skin.port = "closed"
    skin.do(PortRefused(refuse(Code.VM_NOT_RUNNING)))
    assert skin.refused["ada"].code is Code.VM_NOT_RUNNING
    assert skin.console.idle


def test_a_newer_writer_displaces_the_older_one_and_says_who_it_is() -> None:
    skin = Skin()
    ada = skin.comes("ada", generation=1)
    skin.comes("grace", generation=2, name="Grace")
    assert ada.last("bye")["by"] == {"name": "Grace"}
    assert ada.closed == (4001, "SessionSuperseded")
    skin.types("ada", b"rm")
    skin.types("grace", b"ls")
    assert skin.typed == b"ls"
    assert "takeover" in skin.notes()
    assert skin.reports["ada"].why == "SessionSuperseded"


def test_the_same_generation_twice_leaves_the_console_to_the_later_one() -> None:
    skin = Skin()
    ada = skin.comes("ada", generation=1)
    skin.comes("ada-again", generation=1)
    assert ada.closed == (4001, "SessionSuperseded")


def test_a_fence_displaces_older_writers_before_the_new_one_arrives_and_keeps_them_out() -> None:
    skin = Skin()
    ada = skin.comes("ada", generation=1)
    skin.do(Fence(2, "Grace"))
    assert ada.closed == (4001, "SessionSuperseded")
    skin.do(Expect("late", WRITE, 1))
    assert skin.refused["late"].code is Code.SESSION_SUPERSEDED


def test_a_writer_fenced_between_admission_and_attach_is_waved_off() -> None:
    skin = Skin()
    skin.comes("ada", generation=1)
    skin.do(Expect("grace", WRITE, 2))
    skin.do(Fence(3, "Alan"))
    skin.do(Attach("grace", WRITE, 2, "Grace", "t.grace", LONG))
    assert skin.screens["grace"].closed == (4001, "SessionSuperseded")
    assert "refused" in skin.notes()


def test_a_watcher_sees_everything_and_is_told_once_that_it_cannot_type() -> None:
    skin = Skin()
    ada = skin.comes("ada")
    skin.prints(b"before ")
    bob = skin.comes("bob", WATCH)
    skin.prints(b"after")
    skin.types("bob", b"x")
    skin.types("bob", b"y")
    assert bob.seen == b"before after"
    assert not skin.typed
    assert [text["code"] for text in bob.heard("warning")] == ["WatchOnly"]
    assert ada.last("people") == {"type": "people", "writer": {"name": "ada"}, "watchers": 1}
    skin.do(Detach("bob"))
    assert ada.last("people")["watchers"] == 0
    skin.do(Detach("bob"))


def test_a_returning_viewer_goes_on_at_the_byte_where_it_broke() -> None:
    skin = Skin()
    skin.comes("ada")
    skin.prints(b"0123456789")
    skin.do(Detach("ada", "network"))
    skin.prints(b"abc")
    back = skin.comes("ada-2", generation=2, resume=("e1", 4))
    assert back.last("hello")["offset"] == 4
    assert back.last("hello")["gap"] is False
    assert back.seen == b"456789abc"


@pytest.mark.parametrize("resume", [("e1", 2), ("e0", 2), ("e1", 10_000)])
def test_a_resume_point_that_is_gone_is_answered_with_a_gap_and_what_is_kept(resume: tuple[str, int]) -> None:
    skin = Skin(scrollback=8)
    skin.comes("ada")
    skin.prints(b"x" * 100)
    skin.prints(b"0123456789")
    back = skin.comes("bob", WATCH, resume=resume)
    assert back.last("hello")["gap"] is True
    assert back.seen == b"23456789"


def test_a_large_print_is_cut_into_records_of_64_kib() -> None:
    skin = Skin(scrollback=1 << 20)
    ada = skin.comes("ada")
    skin.prints(b"z" * 150_000)
    assert len(ada.seen) == 150_000
    assert max(len(record.body) for record in skin.records["e1"]) == 65536


def test_a_lost_port_is_dialled_again_and_every_viewer_is_told_the_new_epoch() -> None:
    skin = Skin()
    ada = skin.comes("ada")
    skin.prints(b"one")
    skin.port = "closed"
    skin.do(PortLost(taken_over=False, why="reset"))
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
    skin.port = "closed"
    skin.do(PortLost(taken_over=False, why="reset"))
    dials = []
    while ada.closed is None:
        if skin.port == "opening":
            dials.append(skin.now)
            skin.port = "closed"
            skin.do(PortRefused(refuse(Code.GATEWAY_TIMEOUT)))
        skin.now += 1
        skin.do(Tick())
    assert ada.closed == (4006, "GatewayTimeout")
    assert [later - dials[0] for later in dials] == [0, 1, 3, 7, 15, 30, 45, 60]
    assert skin.console.idle


def test_a_port_is_not_dialled_again_before_a_throttling_azure_wants_to_be_asked() -> None:
    skin = Skin()
    ada = skin.comes("ada")
    skin.port = "closed"
    skin.do(PortLost(taken_over=False, why="reset"))
    dials = []
    while ada.closed is None:
        if skin.port == "opening":
            dials.append(skin.now)
            skin.port = "closed"
            skin.do(PortRefused(replace(refuse(Code.AZURE_THROTTLED), retry_after=23)))
        skin.now += 1
        skin.do(Tick())
    assert ada.closed == (4006, "AzureThrottled")
    assert [later - dials[0] for later in dials] == [0, 23, 46, 69]


def test_a_vm_that_stopped_while_the_port_was_lost_ends_the_sessions_at_once() -> None:
    skin = Skin()
    ada = skin.comes("ada")
    skin.port = "closed"
    skin.do(PortLost(taken_over=False, why="reset"))
    skin.do(PortRefused(refuse(Code.VM_NOT_RUNNING)))
    assert ada.closed == (4005, "VmStopped")


def test_a_permanent_refusal_without_a_close_code_of_its_own_is_a_console_fault() -> None:
    skin = Skin()
    ada = skin.comes("ada")
    skin.port = "closed"
    skin.do(PortLost(taken_over=False, why="reset"))
    skin.do(PortRefused(refuse(Code.SCALE_SET_NOT_SPECIFIED)))
    assert ada.closed == (4006, "ConsoleFault")


def test_one_who_attaches_while_the_port_is_lost_is_told_so() -> None:
    skin = Skin()
    skin.comes("ada")
    skin.do(Expect("bob", WATCH, 1))
    skin.port = "closed"
    skin.do(PortLost(taken_over=False, why="reset"))
    skin.do(Attach("bob", WATCH, 1, "Bob", "t.bob", LONG))
    assert skin.screens["bob"].last("port")["state"] == "lost"
    skin.do(PortRefused(refuse(Code.GATEWAY_TIMEOUT)))
    skin.port = "closed"
    skin.do(Expect("eve", WATCH, 1))
    skin.opens()
    assert "eve" in skin.admitted


def test_a_takeover_from_outside_ends_the_sessions_with_a_code_of_its_own() -> None:
    skin = Skin()
    ada = skin.comes("ada")
    skin.port = "closed"
    skin.do(PortLost(taken_over=True, why="another connection"))
    assert ada.closed == (4010, "ExternalTakeover")
    assert skin.notes()[-1] == "end"


def test_the_port_lingers_after_the_last_one_left_and_its_epoch_then_ends() -> None:
    skin = Skin(linger=20)
    skin.comes("ada")
    skin.do(Detach("ada"))
    ticks(skin, 19)
    assert skin.port == "open"
    skin.comes("bob", WATCH)
    ticks(skin, 30)
    skin.do(Detach("bob"))
    ticks(skin, 21)
    assert skin.port == "closing"
    skin.closes()
    assert skin.said()[-1]["reason"] == "goodbye"
    assert skin.said()[-1]["records"] == len(skin.records["e1"])
    assert skin.console.idle


def test_a_port_lost_while_it_lingers_is_not_dialled_again() -> None:
    skin = Skin()
    skin.comes("ada")
    skin.do(Detach("ada"))
    skin.port = "closed"
    skin.do(PortLost(taken_over=False, why="reset"))
    assert skin.port == "closed"
    assert skin.console.idle


def test_a_writer_who_types_nothing_is_counted_down_and_ended() -> None:
    skin = Skin()
    ada = skin.comes("ada", limits=Limits(200, 28800))
    bob = skin.comes("bob", WATCH, limits=Limits(200, 28800))
    ticks(skin, 100)
    skin.types("ada", b"x")
    ticks(skin, 199)
    assert [text["secondsLeft"] for text in ada.heard("limit")] == [120, 120, 60, 30, 10]
    ticks(skin, 1)
    assert ada.closed == (4002, "IdleTimeout")
    assert bob.closed is None


def test_a_session_ends_at_its_longest_duration_whatever_is_typed() -> None:
    skin = Skin()
    ada = skin.comes("ada", limits=Limits(900, 45))
    for _ in range(44):
        ticks(skin, 1)
        skin.types("ada", b"x")
    assert [(text["kind"], text["secondsLeft"]) for text in ada.heard("limit")] == [("session", 30), ("session", 10)]
    ticks(skin, 1)
    assert ada.closed == (4003, "SessionExpired")


def test_the_function_app_ends_a_session_and_says_by_whom() -> None:
    skin = Skin()
    ada = skin.comes("ada")
    skin.do(End("ada", Code.ACCESS_REVOKED, "Alan"))
    skin.do(End("nobody", Code.ACCESS_REVOKED, None))
    assert ada.closed == (4004, "AccessRevoked")
    assert ada.last("bye")["by"] == {"name": "Alan"}


@pytest.mark.parametrize("code", Code)
def test_a_session_may_end_for_any_reason_there_is(code: Code) -> None:
    skin = Skin()
    ada = skin.comes("ada")
    skin.do(End("ada", code, None))
    assert ada.closed == (TABLE[code].close or 4000, code.value)
    assert ada.last("bye")["code"] == skin.reports["ada"].why == code.value


def test_a_session_ended_before_it_is_attached_hears_why() -> None:
    skin = Skin()
    skin.do(Expect("ada", WRITE, 1))
    skin.do(End("ada", Code.ACCESS_REVOKED, None))
    assert skin.refused["ada"].code is Code.ACCESS_REVOKED
    skin.opens()
    assert not skin.admitted
    skin.do(Expect("bob", WATCH, 1))
    skin.do(End("bob", Code.CONSOLE_DISABLED_BY_POLICY, "Alan"))
    skin.do(Attach("bob", WATCH, 1, "Bob", "t.bob", LONG))
    assert skin.screens["bob"].closed == (4012, "ConsoleDisabledByPolicy")
    assert not skin.console.viewers


def test_an_act_is_recorded_with_who_did_it_before_it_is_sent_and_everybody_is_told() -> None:
    skin = Skin()
    ada, bob = skin.comes("ada"), skin.comes("bob", WATCH)
    skin.do(Commanded("c1", Act.SYSRQ, "b", "Grace"))
    assert skin.sent == {"c1": ("sysrq", "b")}
    assert skin.said()[-1] == {"event": "command", "command": "sysrq", "keys": "b", "by": "Grace"}
    assert ada.texts[-1] == bob.texts[-1] == {"type": "act", "act": "sysrq", "by": {"name": "Grace"}}


def test_an_act_that_does_not_reach_the_vm_is_recorded_and_said() -> None:
    skin = Skin()
    ada = skin.comes("ada")
    skin.do(Commanded("c1", Act.NMI, "", "Grace"))
    skin.do(CommandFailed(Act.NMI, refuse(Code.GATEWAY_TIMEOUT)))
    assert skin.said()[-1] == {"event": "command-failed", "command": "nmi", "code": "GatewayTimeout"}
    assert ada.last("warning")["code"] == "GatewayTimeout"


def test_nothing_is_sent_or_recorded_where_no_port_is_open() -> None:
    skin = Skin()
    skin.do(Commanded("closed", Act.RESET, "", "Grace"))
    skin.do(Noted(Act.STOP, "Grace"))
    skin.comes("ada")
    skin.port = "closed"
    skin.do(PortLost(taken_over=False, why="reset"))
    skin.do(Commanded("lost", Act.RESET, "", "Grace"))
    assert {name: refusal.code for name, refusal in skin.unsent.items()} == {
        "closed": Code.CONSOLE_NOT_OPEN, "lost": Code.CONSOLE_NOT_OPEN,
    }  # fmt: skip
    assert not skin.sent
    assert "command" not in skin.notes()


def test_a_power_act_that_went_another_way_is_recorded_and_said() -> None:
    skin = Skin()
    ada = skin.comes("ada")
    skin.do(Noted(Act.RESTART, "Grace"))
    assert skin.said()[-1] == {"event": "power", "act": "restart", "by": "Grace"}
    assert ada.texts[-1] == {"type": "act", "act": "restart", "by": {"name": "Grace"}}


@pytest.mark.parametrize("allow", [True, False])
def test_the_writer_answers_who_asks_for_the_console(*, allow: bool) -> None:
    skin = Skin()
    ada = skin.comes("ada")
    skin.comes("bob", WATCH)
    skin.do(Ask("q", 1, "Grace", 20))
    assert ada.last("ask") == {"type": "ask", "ask": "q", "by": {"name": "Grace"}, "seconds": 20}
    skin.do(Answered("bob", "q", allow))
    assert not skin.answers
    skin.do(Answered("ada", "q", allow))
    skin.do(Answered("ada", "q", allow))
    assert skin.answers == {"q": allow}


def test_silence_absence_and_leaving_count_as_yes() -> None:
    skin = Skin()
    skin.do(Ask("nobody", 1, "Grace", 20))
    skin.comes("ada")
    skin.do(Ask("silence", 1, "Grace", 20))
    ticks(skin, 21)
    skin.do(Ask("leaves", 1, "Grace", 20))
    skin.do(Detach("ada"))
    assert skin.answers == {"nobody": True, "silence": True, "leaves": True}


def test_a_full_spool_pauses_the_vm_and_says_so() -> None:
    skin = Skin()
    ada = skin.comes("ada")
    skin.do(SpoolFull())
    assert skin.held()
    assert ada.last("port")["state"] == "paused"
    skin.do(SpoolRoom())
    assert not skin.held()
    assert ada.last("port")["state"] == "open"


def test_a_spool_that_fills_and_empties_while_no_port_is_open_holds_nothing() -> None:
    skin = Skin()
    skin.do(SpoolFull())
    skin.do(SpoolRoom())
    skin.comes("ada")
    assert not skin.held()


def test_a_port_that_opens_while_the_spool_is_full_is_held_at_once() -> None:
    skin = Skin()
    skin.do(SpoolFull())
    skin.comes("ada")
    assert skin.held()


def test_a_record_that_cannot_be_written_ends_every_session() -> None:
    skin = Skin()
    ada = skin.comes("ada")
    skin.do(Expect("bob", WATCH, 1))
    skin.do(RecordFailed())
    assert ada.closed == (4007, "AuditUnavailable")
    assert skin.refused["bob"].code is Code.AUDIT_UNAVAILABLE
    skin.do(Attach("bob", WATCH, 1, "Bob", "t.bob", LONG))
    assert skin.screens["bob"].closed == (4007, "AuditUnavailable")
    skin.do(RecordFailed())
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
    skin.do(Expect("ada", WRITE, 1))
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
    skin.do(Expect("ada", WRITE, 1))
    skin.do(Drain())
    skin.port = "closed"
    skin.do(PortRefused(refuse(Code.GATEWAY_TIMEOUT)))
    assert skin.console.idle


def test_who_comes_while_the_port_is_closing_waits_for_the_next_epoch() -> None:
    skin = Skin(linger=5)
    skin.comes("ada")
    skin.do(Detach("ada"))
    ticks(skin, 6)
    skin.do(Expect("bob", WATCH, 1))
    assert skin.port == "closing"
    skin.closes()
    skin.opens()
    assert "bob" in skin.admitted
    assert skin.epoch == "e2"


def test_a_relay_that_is_told_to_end_while_a_port_is_closing_closes_it_once() -> None:
    skin = Skin(linger=5)
    skin.comes("ada")
    skin.do(Detach("ada"))
    ticks(skin, 6)
    skin.do(Expect("bob", WATCH, 1))
    skin.do(Drain())
    assert skin.refused["bob"].code is Code.RELAY_DRAINING
    skin.closes()
    assert skin.said()[-1]["reason"] == "goodbye"
    assert skin.console.idle


def test_who_comes_while_an_unwanted_dial_is_under_way_gets_its_port() -> None:
    skin = Skin()
    skin.do(Expect("ada", WRITE, 1))
    skin.do(Drain())
    skin.do(Expect("bob", WATCH, 1))
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


def test_a_stalled_watcher_leaves_the_stream_and_catches_up_without_a_gap() -> None:
    skin = Skin()
    skin.comes("ada")
    bob = skin.comes("bob", WATCH)
    skin.prints(b"one ")
    skin.do(Slow("bob"))
    skin.do(Slow("bob"))
    skin.prints(b"two ")
    assert not skin.held()
    assert bob.seen == b"one "
    skin.do(Eased("bob"))
    skin.do(Eased("bob"))
    skin.prints(b"three")
    assert bob.seen == b"one two three"


def test_a_stalled_watcher_that_missed_nothing_is_just_back_in_the_stream() -> None:
    skin = Skin()
    skin.comes("ada")
    bob = skin.comes("bob", WATCH)
    skin.prints(b"one ")
    skin.do(Slow("bob"))
    skin.do(Eased("bob"))
    skin.prints(b"two")
    assert bob.seen == b"one two"


def test_a_stalled_writer_holds_the_vm_for_ten_seconds_and_is_then_cut() -> None:
    skin = Skin()
    ada = skin.comes("ada")
    skin.do(Slow("ada"))
    assert skin.held()
    ticks(skin, 9)
    assert "ada" in skin.console.viewers
    ticks(skin, 1)
    assert ada.closed == (4011, "SlowConsumer")
    assert not skin.held()


def test_a_watcher_that_missed_more_than_is_kept_is_cut() -> None:
    skin = Skin(scrollback=8)
    skin.comes("ada")
    bob = skin.comes("bob", WATCH)
    skin.do(Slow("bob"))
    skin.prints(b"x" * 100)
    skin.do(Eased("bob"))
    assert bob.closed == (4011, "SlowConsumer")


def test_a_viewer_stalled_over_a_new_epoch_is_fed_from_its_start() -> None:
    skin = Skin()
    ada = skin.comes("ada")
    skin.do(Slow("ada"))
    skin.port = "closed"
    skin.do(PortLost(taken_over=False, why="reset"))
    skin.opens()
    assert skin.held()
    skin.prints(b"new")
    skin.do(Eased("ada"))
    assert ada.seen == b"new"


def test_illegal_moves_raise_and_change_nothing() -> None:
    skin = Skin()
    for event in (Printed(b"x"), PortOpened("e1"), PortRefused(refuse(Code.GATEWAY_TIMEOUT)), PortLost(False, "")):  # noqa: FBT003 - one event of four
        with pytest.raises(IllegalMove):
            skin.do(event)
    skin.comes("ada")
    with pytest.raises(IllegalMove):
        skin.do(Expect("ada", WRITE, 1))
    skin.types("nobody", b"x")
    skin.do(Slow("nobody"))
    skin.do(Eased("nobody"))
    skin.types("ada", b"x")
    assert skin.typed == b"x"


def test_an_expected_visitor_who_goes_away_lets_the_port_close() -> None:
    skin = Skin(linger=5)
    skin.do(Expect("ada", WRITE, 1))
    skin.do(Expect("bob", WATCH, 1))
    skin.do(Forget("ada"))
    skin.do(Detach("bob"))
    skin.opens()
    assert not skin.admitted
    ticks(skin, 6)
    assert skin.port == "closing"


def test_what_is_masked_is_shown_as_it_is_and_recorded_with_its_place_and_digest() -> None:
    skin = Skin()
    ada = skin.comes("ada")
    skin.prints(b"pin ")
    skin.do(Printed(b"x 1234\n", b"x ****\n", (Span(2, 4, 0, "d"),)))
    assert ada.seen == b"pin x 1234\n"
    assert skin.printed() == b"pin x ****\n"
    assert skin.said()[-1] == {"event": "masked", "spans": [[6, 4, 0, "d"]]}


def test_a_large_print_with_many_masks_is_told_in_records_that_fit() -> None:
    skin = Skin(scrollback=1 << 20)
    skin.comes("ada")
    spans = tuple(Span(2 * at, 1, 0, "d" * 32) for at in range(SPANS + 1))
    skin.do(Printed(b"1 " * 40_000, b"* " * 40_000, spans))
    assert [len(said["spans"]) for said in skin.said() if said["event"] == "masked"] == [SPANS, 1]
    assert skin.printed() == b"* " * 40_000
    assert skin.screens["ada"].seen == b"1 " * 40_000


def test_what_is_kept_of_what_is_typed_is_recorded_as_somebodys_line() -> None:
    skin = Skin()
    skin.comes("ada")
    skin.do(TypedLine("ada", "Ada", "ls^M"))
    assert skin.said()[-1] == {"event": "typed", "session": "ada", "user": "Ada", "text": "ls^M"}


def test_whoever_is_there_knows_what_is_kept_and_so_does_the_record() -> None:
    skin = Skin()
    ada = skin.comes("ada")
    skin.do(Keep(Typing.MASKED, 2))
    skin.do(Keep(Typing.MASKED, 2))
    assert ada.heard("keeping") == [{"type": "keeping", "typed": "masked"}]
    assert [said for said in skin.said() if said["event"] == "keeping"] == [
        {"event": "keeping", "typed": "masked", "masks": 2}
    ]
    assert skin.comes("bob", WATCH).last("hello")["typed"] == "masked"
    skin.port = "closed"
    skin.do(PortLost(taken_over=False, why="reset"))
    skin.opens()
    assert skin.notes("e2")[:2] == ["port-open", "keeping"]


def test_a_captured_console_is_recorded_though_nobody_is_there() -> None:
    skin = Skin(linger=5)
    skin.do(Capture(on=True))
    skin.do(Tick())
    skin.opens()
    skin.prints(b"at night")
    ticks(skin, 60)
    assert skin.port == "open"
    assert skin.printed() == b"at night"
    skin.do(Capture(on=False))
    ticks(skin, 6)
    skin.closes()
    assert skin.console.idle


def test_a_captured_console_outlives_its_viewers_and_a_lost_port() -> None:
    skin = Skin(linger=5)
    skin.comes("ada")
    skin.do(Capture(on=True))
    skin.do(Detach("ada"))
    ticks(skin, 30)
    assert skin.port == "open"
    skin.port = "closed"
    skin.do(PortLost(taken_over=False, why="reset"))
    assert skin.port == "opening"
    skin.opens()
    assert skin.epoch == "e2"


def test_a_captured_vm_that_is_off_is_dialled_with_growing_pauses_for_as_long_as_it_takes() -> None:
    skin = Skin()
    skin.do(Capture(on=True))
    dials: list[float] = []
    while len(dials) < 8:
        skin.do(Tick())
        if skin.port == "opening":
            dials.append(skin.now)
            skin.port = "closed"
            skin.do(PortRefused(refuse(Code.VM_NOT_RUNNING)))
        skin.now += 1
    pauses = [later - sooner for sooner, later in pairwise(dials)]
    assert pauses == [*CAPTURE_BACKOFF, 300, 300]


def test_capture_does_not_fight_with_somebody_outside_the_service() -> None:
    skin = Skin()
    skin.do(Capture(on=True))
    skin.do(Tick())
    skin.opens()
    skin.port = "closed"
    skin.do(PortLost(taken_over=True, why="another connection"))
    ticks(skin, CAPTURE_BACKOFF[-1] - 1)
    assert skin.port == "closed"
    ticks(skin, 1)
    assert skin.port == "opening"


def test_a_captured_console_whose_relay_drains_is_let_go() -> None:
    skin = Skin()
    skin.do(Capture(on=True))
    skin.do(Tick())
    skin.opens()
    skin.do(Drain())
    skin.closes()
    ticks(skin, 60)
    assert skin.console.idle


# --- what a gateway replays -------------------------------------------------------------------------------------------


def test_what_came_with_an_opening_is_on_record_before_any_of_its_bytes() -> None:
    skin = Skin()
    replay = settle(Tail(b"recorded before, and "), b"recorded before, and new")
    skin.comes("ada", opening=Opening(replay, replay.hash(None), keyed=False))
    skin.prints(replay.fresh)
    assert skin.notes()[:2] == ["port-open", "replayed"]
    said = skin.said()[1]
    assert (said["length"], said["compared"], said["before"], said["found"], said["perhapsNew"]) == (21, 21, 3, True, 0)
    assert said["hash"] == sha256(b"recorded before, and ").hexdigest()
    assert skin.printed("e1") == b"new"


def test_an_opening_with_which_nothing_came_is_none_of_a_replay() -> None:
    skin = Skin()
    skin.comes("ada")
    assert "replayed" not in skin.notes()


def test_who_comes_anew_sees_what_was_there_before_the_epoch_and_nobody_sees_it_twice() -> None:
    skin, again = Skin(scrollback=30), b"recorded before, and "
    opening = Opening(settle(Tail(again), again + b"new"), "", keyed=False)
    ada = skin.comes("ada", Mode.WATCH, opening=opening)
    skin.prints(b"new")
    grace = skin.comes("grace", Mode.WATCH)
    back = skin.comes("alan", Mode.WATCH, resume=("an earlier epoch", 7))
    assert [(screen.before, screen.seen) for screen in (ada, grace, back)] == [
        (again, b"new"), (again, b"new"), (b"", b"new"),
    ]  # fmt: skip
    skin.prints(b"x" * 60)
    assert skin.comes("later", Mode.WATCH).before == b"", "something is missing between"
    skin.port = "closed"
    skin.do(PortLost(taken_over=False, why="reset"))
    skin.opens(opening)
    assert ada.before == again
    assert skin.comes("last", Mode.WATCH).before == again


def test_no_more_is_shown_of_it_than_some_screens() -> None:
    skin, again = Skin(), b"line of a boot\r\n" * 2000
    tail = Tail()
    tail.add(again)
    ada = skin.comes("ada", opening=Opening(settle(tail, again), "", keyed=False))
    assert ada.before == again[-BEFORE_BYTES:]
