"""Scenes at a console, written as scripts: who comes, who may type, how long, and what everybody is told."""

import pytest

from shared.access.commands import Command
from shared.access.policy import Typing
from shared.base.refusals import TABLE, Code, refuse
from shared.console.events import (
    Attach,
    AttachPending,
    Commanded,
    CommandFailed,
    CommandNoted,
    Detach,
    End,
    Fence,
    LineTyped,
    PortLost,
    PortOpened,
    PortRefused,
    Printed,
    RecordingSettingsChanged,
    SessionLimits,
    TakeoverAnswered,
    TakeoverAsked,
    ViewerResumed,
    ViewerStalled,
)
from shared.console.port import IllegalMove
from shared.session.grant import Mode
from tests.unit.console.console_script import LONG, Skin

WRITE, WATCH = Mode.WRITE, Mode.WATCH


def test_the_first_visitor_is_admitted_when_the_port_opens_and_greeted_with_where_the_stream_starts() -> None:
    skin = Skin()
    skin.do(AttachPending("ada", WRITE, 1))
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
    skin.do(AttachPending("ada", WRITE, 1))
    skin.refuses(refuse(Code.VM_NOT_RUNNING))
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
    skin.do(AttachPending("late", WRITE, 1))
    assert skin.refused["late"].code is Code.SESSION_SUPERSEDED


def test_a_writer_fenced_between_admission_and_attach_is_waved_off() -> None:
    skin = Skin()
    skin.comes("ada", generation=1)
    skin.do(AttachPending("grace", WRITE, 2))
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


def test_a_writer_who_types_nothing_is_counted_down_and_ended() -> None:
    skin = Skin()
    ada = skin.comes("ada", limits=SessionLimits(200, 28800))
    bob = skin.comes("bob", WATCH, limits=SessionLimits(200, 28800))
    skin.ticks(100)
    skin.types("ada", b"x")
    skin.ticks(199)
    assert [text["secondsLeft"] for text in ada.heard("limit")] == [120, 120, 60, 30, 10]
    skin.ticks(1)
    assert ada.closed == (4002, "IdleTimeout")
    assert bob.closed is None


def test_a_session_ends_at_its_longest_duration_whatever_is_typed() -> None:
    skin = Skin()
    ada = skin.comes("ada", limits=SessionLimits(900, 45))
    for _ in range(44):
        skin.ticks(1)
        skin.types("ada", b"x")
    assert [(text["kind"], text["secondsLeft"]) for text in ada.heard("limit")] == [("session", 30), ("session", 10)]
    skin.ticks(1)
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
    skin.do(AttachPending("ada", WRITE, 1))
    skin.do(End("ada", Code.ACCESS_REVOKED, None))
    assert skin.refused["ada"].code is Code.ACCESS_REVOKED
    skin.opens()
    assert not skin.admitted
    skin.do(AttachPending("bob", WATCH, 1))
    skin.do(End("bob", Code.CONSOLE_DISABLED_BY_POLICY, "Alan"))
    skin.do(Attach("bob", WATCH, 1, "Bob", "t.bob", LONG))
    assert skin.screens["bob"].closed == (4012, "ConsoleDisabledByPolicy")
    assert not skin.console.viewers


def test_an_act_is_recorded_with_who_did_it_before_it_is_sent_and_everybody_is_told() -> None:
    skin = Skin()
    ada, bob = skin.comes("ada"), skin.comes("bob", WATCH)
    skin.do(Commanded("c1", Command.SYSRQ, "b", "Grace"))
    assert skin.sent == {"c1": ("sysrq", "b")}
    assert skin.said()[-1] == {"event": "command", "command": "sysrq", "keys": "b", "by": "Grace"}
    assert ada.texts[-1] == bob.texts[-1] == {"type": "act", "act": "sysrq", "by": {"name": "Grace"}}


def test_an_act_that_does_not_reach_the_vm_is_recorded_and_said() -> None:
    skin = Skin()
    ada = skin.comes("ada")
    skin.do(Commanded("c1", Command.NMI, "", "Grace"))
    skin.do(CommandFailed(Command.NMI, refuse(Code.GATEWAY_TIMEOUT)))
    assert skin.said()[-1] == {"event": "command-failed", "command": "nmi", "code": "GatewayTimeout"}
    assert ada.last("warning")["code"] == "GatewayTimeout"


def test_nothing_is_sent_or_recorded_where_no_port_is_open() -> None:
    skin = Skin()
    skin.do(Commanded("closed", Command.RESET, "", "Grace"))
    skin.do(CommandNoted(Command.STOP, "Grace"))
    skin.comes("ada")
    skin.loses()
    skin.do(Commanded("lost", Command.RESET, "", "Grace"))
    assert {name: refusal.code for name, refusal in skin.unsent.items()} == {
        "closed": Code.CONSOLE_NOT_OPEN, "lost": Code.CONSOLE_NOT_OPEN,
    }  # fmt: skip
    assert not skin.sent
    assert "command" not in skin.notes()


def test_a_power_act_that_went_another_way_is_recorded_and_said() -> None:
    skin = Skin()
    ada = skin.comes("ada")
    skin.do(CommandNoted(Command.RESTART, "Grace"))
    assert skin.said()[-1] == {"event": "power", "act": "restart", "by": "Grace"}
    assert ada.texts[-1] == {"type": "act", "act": "restart", "by": {"name": "Grace"}}


@pytest.mark.parametrize("allow", [True, False])
def test_the_writer_answers_who_asks_for_the_console(*, allow: bool) -> None:
    skin = Skin()
    ada = skin.comes("ada")
    skin.comes("bob", WATCH)
    skin.do(TakeoverAsked("q", 1, "Grace", 20))
    assert ada.last("ask") == {"type": "ask", "ask": "q", "by": {"name": "Grace"}, "seconds": 20}
    skin.do(TakeoverAnswered("bob", "q", allow))
    assert not skin.answers
    skin.do(TakeoverAnswered("ada", "q", allow))
    skin.do(TakeoverAnswered("ada", "q", allow))
    assert skin.answers == {"q": allow}


def test_silence_absence_and_leaving_count_as_yes() -> None:
    skin = Skin()
    skin.do(TakeoverAsked("nobody", 1, "Grace", 20))
    skin.comes("ada")
    skin.do(TakeoverAsked("silence", 1, "Grace", 20))
    skin.ticks(21)
    skin.do(TakeoverAsked("leaves", 1, "Grace", 20))
    skin.do(Detach("ada"))
    assert skin.answers == {"nobody": True, "silence": True, "leaves": True}


def test_illegal_moves_raise_and_change_nothing() -> None:
    skin = Skin()
    for event in (Printed(b"x"), PortOpened("e1"), PortRefused(refuse(Code.GATEWAY_TIMEOUT)), PortLost(False, "")):  # noqa: FBT003 - one event of four
        with pytest.raises(IllegalMove):
            skin.do(event)
    skin.comes("ada")
    with pytest.raises(IllegalMove):
        skin.do(AttachPending("ada", WRITE, 1))
    skin.types("nobody", b"x")
    skin.do(ViewerStalled("nobody"))
    skin.do(ViewerResumed("nobody"))
    skin.types("ada", b"x")
    assert skin.typed == b"x"


def test_what_is_kept_of_what_is_typed_is_recorded_as_somebodys_line() -> None:
    skin = Skin()
    skin.comes("ada")
    skin.do(LineTyped("ada", "Ada", "ls^M"))
    assert skin.said()[-1] == {"event": "typed", "session": "ada", "user": "Ada", "text": "ls^M"}


def test_whoever_is_there_knows_what_is_kept_and_so_does_the_record() -> None:
    skin = Skin()
    ada = skin.comes("ada")
    skin.do(RecordingSettingsChanged(Typing.MASKED, 2))
    skin.do(RecordingSettingsChanged(Typing.MASKED, 2))
    assert ada.heard("keeping") == [{"type": "keeping", "typed": "masked"}]
    assert [said for said in skin.said() if said["event"] == "keeping"] == [
        {"event": "keeping", "typed": "masked", "masks": 2}
    ]
    assert skin.comes("bob", WATCH).last("hello")["typed"] == "masked"
    skin.loses()
    skin.opens()
    assert skin.notes("e2")[:2] == ["port-open", "keeping"]
