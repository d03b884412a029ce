"""What policies want of the record, at a real relay: masks, typed lines, capture without a viewer."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.access.policy import Typing
from shared.access.recording_settings import RecordingSettings
from shared.base.vm import VmId
from shared.console.events import Tick
from shared.console.masking import HELD_SECONDS
from shared.session.grant import Mode
from tests.relay.stage import VM, Stage, staged

PINS = RecordingSettings(mask=(r"\d{4}",))
OTHER = VmId(VM.subscription, VM.group, "web-02")


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged() as on_it:
        yield on_it


async def test_what_a_pattern_finds_is_shown_and_not_recorded(stage: Stage) -> None:
    stage.control_plane.keeping = PINS
    ada = await stage.comes("ada")
    stage.ports.last.listener.printed(b"\r\npin 12")
    stage.ports.last.listener.printed(b"34 ok\n")
    await ada.sees(b"\r\npin 1234 ok\n")
    assert stage.epochs.printed() == b"\r\npin **** ok\n"
    assert stage.epochs.notes()[:2] == ["port-open", "keeping"]


async def test_what_may_become_a_secret_is_shown_after_a_moment_and_before_the_epoch_ends(stage: Stage) -> None:
    stage.control_plane.keeping = PINS
    ada = await stage.comes("ada")
    stage.ports.last.listener.printed(b"\r\n12")
    await ada.sees(b"12")
    stage.ports.last.listener.printed(b" 56")
    await ada.sees(b" ")
    stage.ports.last.listener.lost(False, "reset")  # noqa: FBT003 - shared.console.ports.PortListener's words
    assert stage.epochs.printed() == b"\r\n** **"
    assert HELD_SECONDS < 1, "or an operator waits for each prompt"


async def test_lines_that_are_echoed_are_recorded_with_who_typed_them(stage: Stage) -> None:
    stage.control_plane.keeping = RecordingSettings(Typing.MASKED)
    ada = await stage.comes("ada")
    await ada.types(b"ls\r")
    await ada.sees(b"ls\r")
    await stage.until(lambda: "typed" in stage.epochs.notes())
    line = next(said for said in stage.epochs.said() if said["event"] == "typed")
    assert line == {"event": "typed", "session": "ada", "user": "Ada", "text": "ls^M"}


async def test_what_is_not_echoed_is_asterisks_also_when_somebody_leaves(stage: Stage) -> None:
    stage.control_plane.keeping = RecordingSettings(Typing.MASKED)
    stage.ports.echo = False
    ada = await stage.comes("ada")
    await ada.types(b"s3cret")
    await stage.until(lambda: stage.ports.last.typed == b"s3cret")
    await ada.leave()
    await stage.until(lambda: "typed" in stage.epochs.notes())
    line = next(said for said in stage.epochs.said() if said["event"] == "typed")
    assert (line["user"], line["text"]) == ("Ada", "******")
    assert not any(b"s3cret" in record.body for record in stage.epochs.all())


async def test_an_echo_that_does_not_come_is_given_up_by_the_clock(stage: Stage) -> None:
    stage.control_plane.keeping = RecordingSettings(Typing.MASKED)
    stage.ports.echo = False
    ada = await stage.comes("ada")
    await ada.types(b"s3cret\r")
    await stage.until(lambda: stage.ports.last.typed)

    def told() -> bool:
        stage.relay.tick()
        return "typed" in stage.epochs.notes()

    await stage.until(told)


async def test_a_policy_that_changes_is_followed_with_the_next_heartbeat(stage: Stage) -> None:
    ada = await stage.comes("ada")
    stage.control_plane.keep = {VM.console: RecordingSettings(Typing.MASKED, (r"\d{4}",))}
    await stage.relay.heartbeat.beat()
    assert (await ada.heard("keeping"))["typed"] == "masked"
    stage.ports.last.listener.printed(b"\r\n1234 \n")
    await ada.sees(b"\r\n1234 \n")
    assert stage.epochs.printed() == b"\r\n**** \n"
    stage.control_plane.keep = None
    await stage.relay.heartbeat.beat()
    stage.control_plane.keep = {}
    await stage.relay.heartbeat.beat()
    await ada.heard("keeping", typed="counted")
    assert stage.epochs.notes().count("keeping") == 2


async def test_what_is_masked_as_printed_is_masked_as_typed(stage: Stage) -> None:
    stage.control_plane.keeping = RecordingSettings(Typing.MASKED, (r"Token: \S+",))
    ada = await stage.comes("ada")
    stage.ports.last.listener.printed(b"Token: ")
    await ada.types(b"hunter2\r")
    await ada.sees(b"hunter2\r")
    stage.ports.last.listener.printed(b"\n$ ")
    await stage.until(lambda: "typed" in stage.epochs.notes())
    assert stage.epochs.printed() == b"*" * 14 + b"\r\n$ "
    assert next(said["text"] for said in stage.epochs.said() if said["event"] == "typed") == "*******^M"


@pytest.mark.parametrize(
    "then",
    [
        RecordingSettings(mask=(r"password=\S+", r"\d{16}")), RecordingSettings(Typing.ECHOED, (r"password=\S+",)),
        RecordingSettings(mask=(r"\d{16}", r"word=[^;]*;")),
    ],
)  # fmt: skip
async def test_a_policy_that_changes_within_a_secret_shows_nothing_of_its_rest(
    stage: Stage, then: RecordingSettings
) -> None:
    stage.control_plane.keeping = RecordingSettings(mask=(r"password=\S+",))
    ada = await stage.comes("ada")
    stage.ports.last.listener.printed(b"password=hun")
    stage.relay.runners[VM.console].apply(then)
    stage.ports.last.listener.printed(b"ter2;\n")
    await ada.sees(b"ter2;\n")
    assert stage.epochs.printed().strip() == b"*" * 17


async def test_a_port_that_is_dialled_again_within_a_secret_shows_nothing_of_its_rest(stage: Stage) -> None:
    stage.control_plane.keeping = RecordingSettings(mask=(r"password=\S+",))
    ada = await stage.comes("ada")
    stage.ports.last.listener.printed(b"password=hun")
    stage.ports.last.listener.lost(False, "reset")  # noqa: FBT003 - shared.console.ports.PortListener's words
    await stage.until(lambda: len(stage.ports.opened) > 1 and stage.relay.runners[VM.console].connection.connected)
    stage.ports.last.listener.printed(b"ter2\n")
    await ada.sees(b"ter2\n")
    assert stage.epochs.printed() == b"*" * 16 + b"\n"


async def test_an_answer_to_a_heartbeat_that_left_before_a_policy_was_set_is_not_followed(stage: Stage) -> None:
    await stage.comes("ada")
    stage.control_plane.slow.clear()
    beat = asyncio.create_task(stage.relay.heartbeat.beat())
    await stage.until(lambda: stage.control_plane.beats)
    stage.control_plane.keeping = PINS
    bob = await stage.comes("bob", Mode.WATCH)
    stage.control_plane.slow.set()
    await beat
    stage.ports.last.listener.printed(b"\r\npin 1234 ok\n")
    await bob.sees(b"1234")
    assert stage.epochs.printed() == b"\r\npin **** ok\n"


async def test_a_console_is_recorded_without_a_viewer_and_let_go_when_it_need_not_be() -> None:
    async with staged(capture_most=1) as stage:
        stage.control_plane.capture = [OTHER, VM]
        stage.control_plane.keep = {VM.console: PINS}
        await stage.relay.heartbeat.beat()
        stage.relay.tick()
        await stage.until(lambda: stage.epochs.notes()[:2] == ["port-open", "keeping"])
        stage.ports.last.listener.printed(b"\r\npin 1234\n")
        assert stage.epochs.printed() == b"\r\npin ****\n"
        assert stage.relay.captured == [VM.console]
        assert [line["wanted"] for line in stage.log if line["event"] == "capture-bounded"] == [2]
        await stage.relay.heartbeat.beat()
        assert len(stage.control_plane.beats) == 1, "nobody is there: the function app may sleep"
        stage.control_plane.capture = []
        stage.clock.ahead += 61
        await stage.relay.heartbeat.beat()
        stage.clock.ahead += 61
        stage.relay.tick()
        await stage.until(lambda: stage.ports.last.closed)
        await stage.until(lambda: not stage.relay.captured)


async def test_who_watches_a_captured_console_sees_what_was_printed_before() -> None:
    async with staged(capture_most=5) as stage:
        stage.control_plane.capture = [VM]
        await stage.relay.heartbeat.beat()
        stage.relay.tick()
        await stage.until(lambda: stage.ports.opened)
        await stage.until(stage.epochs.notes)
        stage.ports.last.listener.printed(b"panic at midnight")
        bob = await stage.comes("bob", Mode.WATCH)
        await bob.sees(b"panic at midnight")
        assert stage.ports.dials == 1


async def test_what_could_not_be_learnt_changes_nothing() -> None:
    async with staged(capture_most=5) as stage:
        stage.control_plane.capture = [VM]
        await stage.relay.heartbeat.beat()
        stage.control_plane.capture = None
        stage.clock.ahead += 61
        await stage.relay.heartbeat.beat()
        assert stage.relay.captured == [VM.console]
        stage.relay.draining = True
        stage.control_plane.capture = [VM, OTHER]
        stage.clock.ahead += 61
        await stage.relay.heartbeat.beat()
        assert stage.relay.captured == [VM.console]
        await asyncio.sleep(0)
        stage.relay.runners[VM.console].handle(Tick())
