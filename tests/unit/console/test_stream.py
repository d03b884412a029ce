"""Scenes of what is printed, and of when the VM has to wait with it, written as scripts."""

from hashlib import sha256

from shared.base.record_end import RecordedTail
from shared.base.refusals import Code
from shared.console.console import SPANS
from shared.console.events import (
    Attach,
    AttachPending,
    Printed,
    RecordFailed,
    SpoolFull,
    SpoolRoom,
    ViewerResumed,
    ViewerStalled,
)
from shared.console.masking import Span
from shared.console.port import BEFORE_BYTES
from shared.console.replay import Opening, settle
from shared.session.grant import Mode
from tests.unit.console.console_script import LONG, Skin

WRITE, WATCH = Mode.WRITE, Mode.WATCH


def test_a_large_print_is_cut_into_records_of_64_kib() -> None:
    skin = Skin(scrollback=1 << 20)
    ada = skin.comes("ada")
    skin.prints(b"z" * 150_000)
    assert len(ada.seen) == 150_000
    assert max(len(record.body) for record in skin.records["e1"]) == 65536


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
    skin.do(AttachPending("bob", WATCH, 1))
    skin.do(RecordFailed())
    assert ada.closed == (4007, "AuditUnavailable")
    assert skin.refused["bob"].code is Code.AUDIT_UNAVAILABLE
    skin.do(Attach("bob", WATCH, 1, "Bob", "t.bob", LONG))
    assert skin.screens["bob"].closed == (4007, "AuditUnavailable")
    skin.do(RecordFailed())
    assert skin.console.idle


def test_a_stalled_watcher_leaves_the_stream_and_catches_up_without_a_gap() -> None:
    skin = Skin()
    skin.comes("ada")
    bob = skin.comes("bob", WATCH)
    skin.prints(b"one ")
    skin.do(ViewerStalled("bob"))
    skin.do(ViewerStalled("bob"))
    skin.prints(b"two ")
    assert not skin.held()
    assert bob.seen == b"one "
    skin.do(ViewerResumed("bob"))
    skin.do(ViewerResumed("bob"))
    skin.prints(b"three")
    assert bob.seen == b"one two three"


def test_a_stalled_watcher_that_missed_nothing_is_just_back_in_the_stream() -> None:
    skin = Skin()
    skin.comes("ada")
    bob = skin.comes("bob", WATCH)
    skin.prints(b"one ")
    skin.do(ViewerStalled("bob"))
    skin.do(ViewerResumed("bob"))
    skin.prints(b"two")
    assert bob.seen == b"one two"


def test_a_stalled_writer_holds_the_vm_for_ten_seconds_and_is_then_cut() -> None:
    skin = Skin()
    ada = skin.comes("ada")
    skin.do(ViewerStalled("ada"))
    assert skin.held()
    skin.ticks(9)
    assert "ada" in skin.console.viewers
    skin.ticks(1)
    assert ada.closed == (4011, "SlowConsumer")
    assert not skin.held()


def test_a_watcher_that_missed_more_than_is_kept_is_cut() -> None:
    skin = Skin(scrollback=8)
    skin.comes("ada")
    bob = skin.comes("bob", WATCH)
    skin.do(ViewerStalled("bob"))
    skin.prints(b"x" * 100)
    skin.do(ViewerResumed("bob"))
    assert bob.closed == (4011, "SlowConsumer")


def test_a_viewer_stalled_over_a_new_epoch_is_fed_from_its_start() -> None:
    skin = Skin()
    ada = skin.comes("ada")
    skin.do(ViewerStalled("ada"))
    skin.loses()
    skin.opens()
    assert skin.held()
    skin.prints(b"new")
    skin.do(ViewerResumed("ada"))
    assert ada.seen == b"new"


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


def test_what_came_with_an_opening_is_on_record_before_any_of_its_bytes() -> None:
    skin = Skin()
    replay = settle(RecordedTail(b"recorded before, and "), b"recorded before, and new")
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
    opening = Opening(settle(RecordedTail(again), again + b"new"), "", keyed=False)
    ada = skin.comes("ada", Mode.WATCH, opening=opening)
    skin.prints(b"new")
    grace = skin.comes("grace", Mode.WATCH)
    back = skin.comes("alan", Mode.WATCH, resume=("an earlier epoch", 7))
    assert [(screen.before, screen.seen) for screen in (ada, grace, back)] == [
        (again, b"new"), (again, b"new"), (b"", b"new"),
    ]  # fmt: skip
    skin.prints(b"x" * 60)
    assert skin.comes("later", Mode.WATCH).before == b"", "something is missing between"
    skin.loses()
    skin.opens(opening)
    assert ada.before == again
    assert skin.comes("last", Mode.WATCH).before == again


def test_no_more_is_shown_of_it_than_some_screens() -> None:
    skin, again = Skin(), b"line of a boot\r\n" * 2000
    tail = RecordedTail()
    tail.add(again)
    ada = skin.comes("ada", opening=Opening(settle(tail, again), "", keyed=False))
    assert ada.before == again[-BEFORE_BYTES:]
