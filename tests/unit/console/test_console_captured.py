"""Scenes at a console that is recorded though nobody is there, written as scripts."""

from itertools import pairwise

from shared.base.refusals import Code, refuse
from shared.console.events import Capture, Detach, Drain, Tick
from shared.console.port import CAPTURE_BACKOFF
from shared.session.grant import Mode
from tests.unit.console.console_script import Skin

WRITE, WATCH = Mode.WRITE, Mode.WATCH


def test_a_captured_console_is_recorded_though_nobody_is_there() -> None:
    skin = Skin(linger=5)
    skin.do(Capture(on=True))
    skin.do(Tick())
    skin.opens()
    skin.prints(b"at night")
    skin.ticks(60)
    assert skin.port == "open"
    assert skin.printed() == b"at night"
    skin.do(Capture(on=False))
    skin.ticks(6)
    skin.closes()
    assert skin.console.idle


def test_a_captured_console_outlives_its_viewers_and_a_lost_port() -> None:
    skin = Skin(linger=5)
    skin.comes("ada")
    skin.do(Capture(on=True))
    skin.do(Detach("ada"))
    skin.ticks(30)
    assert skin.port == "open"
    skin.loses()
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
            skin.refuses(refuse(Code.VM_NOT_RUNNING))
        skin.now += 1
    pauses = [later - sooner for sooner, later in pairwise(dials)]
    assert pauses == [*CAPTURE_BACKOFF, 300, 300]


def test_capture_does_not_fight_with_somebody_outside_the_service() -> None:
    skin = Skin()
    skin.do(Capture(on=True))
    skin.do(Tick())
    skin.opens()
    skin.loses("another connection", taken_over=True)
    skin.ticks(CAPTURE_BACKOFF[-1] - 1)
    assert skin.port == "closed"
    skin.ticks(1)
    assert skin.port == "opening"


def test_a_captured_console_whose_relay_drains_is_let_go() -> None:
    skin = Skin()
    skin.do(Capture(on=True))
    skin.do(Tick())
    skin.opens()
    skin.do(Drain())
    skin.closes()
    skin.ticks(60)
    assert skin.console.idle
