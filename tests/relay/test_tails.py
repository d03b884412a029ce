"""What was recorded last is known to the next process too: a relay that is replaced or killed records nothing twice."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from relay.recording.epochs import SpooledEpochs
from relay.recording.spool_file import framed
from relay.recording.tails import FOLDER, TAILS, Tails
from shared.access.recording_settings import BY_RULE, RecordingSettings
from shared.base.archive_progress import RecordedLast
from shared.base.ports import Dependency, Unavailable
from shared.base.record import Record, RecordKind, Source, decode_records
from shared.base.record_end import TAIL_BYTES
from tests.relay.stage import Clock, staged
from tests.relay.test_replay import BOOT, Replaying, masked

LATER = b"printed while no relay was there\r\n"


class Hub:
    """What arrived, each record once: a relay may send one again."""

    def __init__(self) -> None:
        self.there = True
        self.records: dict[tuple[str, int], Record] = {}

    async def send(self, source: Source, records: Sequence[bytes]) -> None:
        if not self.there:
            raise Unavailable(Dependency.EVENT_HUB, "away")
        for encoded in records:
            for record in decode_records(encoded, 0):
                self.records[source.epoch, record.seq] = record

    def printed(self) -> bytes:
        return b"".join(
            self.records[at].body for at in sorted(self.records) if self.records[at].kind is RecordKind.PRINTED
        )

    def replayed(self) -> list[dict[str, Any]]:
        said = [self.records[at].said() for at in sorted(self.records) if self.records[at].kind is RecordKind.EVENT]
        return [each for each in said if each["event"] == "replayed"]


def quiet(_event: str, /, **_fields: object) -> None: ...


async def relay_life(folder: Path, hub: Hub, ports: Replaying, keeping: RecordingSettings = BY_RULE) -> None:
    """Starts, somebody looks in, and it is told to end; all it recorded is sent, where the hub is there."""
    epochs = SpooledEpochs(folder, 1 << 30, hub, Clock(), quiet)
    async with staged(ports=ports, epochs=epochs) as stage:
        stage.control_plane.keeping = keeping
        ada = await stage.comes("ada", generation=len(ports.opened) + 1)
        ports.prints(b"%d is here\r\n" % len(ports.opened))
        await ada.sees(b"%d is here\r\n" % len(ports.opened))


async def test_a_relay_that_follows_another_on_its_disk_records_nothing_twice(tmp_path: Path) -> None:
    hub, ports = Hub(), Replaying()
    ports.prints(BOOT)
    for _ in range(4):
        await relay_life(tmp_path, hub, ports)
        ports.log += LATER
    assert hub.printed() + LATER == ports.log
    assert [each["found"] for each in hub.replayed()] == [False, True, True, True]


@pytest.mark.parametrize("arrived", [True, False])
async def test_a_relay_that_is_killed_leaves_what_the_next_needs_to_know(tmp_path: Path, *, arrived: bool) -> None:
    hub, ports = Hub(), Replaying()
    ports.prints(BOOT)
    first, second = tmp_path / "first", tmp_path / "second"
    await relay_life(first, hub, ports)
    epochs = SpooledEpochs(first, 1 << 30, hub, Clock(), quiet)
    async with staged(ports=ports, epochs=epochs) as stage:
        hub.there = arrived
        ada = await stage.comes("ada")
        ports.prints(b"before the kill\r\n")
        await ada.sees(b"before the kill\r\n")
        await stage.until(lambda: not arrived or hub.printed() == ports.log)
        shutil.copytree(first, second)  # as a kill leaves it
        at_the_kill, hub.there = dict(hub.records), True
    hub.records = at_the_kill
    ports.log += LATER
    await relay_life(second, hub, ports)
    assert hub.printed() == ports.log
    assert [each["found"] for each in hub.replayed()] == [False, True, True]


async def test_a_burst_of_the_gateways_own_words_without_end_is_recorded_as_the_vms(tmp_path: Path) -> None:
    hub, ports = Hub(), Replaying(ring=1 << 20)
    ports.prints(b"Connecting..." + b"\x1b[m" * 80_000)
    await relay_life(tmp_path, hub, ports)
    assert ports.log.endswith(hub.printed())
    assert len(hub.printed()) > len(ports.log) - 1000


async def test_a_secret_around_two_lives_of_a_relay_is_masked(tmp_path: Path) -> None:
    hub, ports, pins = Hub(), Replaying(), RecordingSettings(mask=(r"(?<=pin )\d{4}",))
    ports.prints(BOOT + b"\r\n")
    await relay_life(tmp_path, hub, ports, pins)
    epochs = SpooledEpochs(tmp_path, 1 << 30, hub, Clock(), quiet)
    async with staged(ports=ports, epochs=epochs) as stage:
        stage.control_plane.keeping = pins
        ports.log += b"a line\r\npin "
        await (await stage.comes("ada", generation=5)).sees(b"pin ")
    ports.log += b"1234\r\n"
    await relay_life(tmp_path, hub, ports, pins)
    assert b"1234" not in hub.printed()


async def test_a_login_prompt_behind_a_masked_secret_hides_nothing_that_was_printed_meanwhile(tmp_path: Path) -> None:
    hub, ports, pins, prompt = Hub(), Replaying(), RecordingSettings(mask=(r"pin \d{4}",)), b"\r\nubuntu-web-01 login: "
    epochs = SpooledEpochs(tmp_path, 1 << 30, hub, Clock(), quiet)
    async with staged(ports=ports, epochs=epochs) as stage:
        stage.control_plane.keeping = pins
        ada = await stage.comes("ada")
        ports.prints(BOOT + b"pin 1234" + prompt)
        await ada.sees(prompt)
    ports.log += b"root\r\n$ printed to nobody\r\n" + prompt
    await relay_life(tmp_path, hub, ports, pins)
    assert b"printed to nobody" in hub.printed()


async def test_an_epoch_that_the_disk_did_not_take_hides_nothing_of_the_one_before(tmp_path: Path) -> None:
    epochs = SpooledEpochs(tmp_path, 1 << 30, Hub(), Clock(), quiet)
    assert epochs.recorded_last("vm") is None
    epochs.begin(Source("vm", "0001", "r0")).append(Record(RecordKind.PRINTED, 1, 2_000_000, b"x"))
    epochs.begin(Source("vm", "0002", "r0")).give_up(3)
    assert epochs.recorded_last("vm") == RecordedLast("0001", 1, 2.0)
    await epochs.close(0.1)


async def test_on_another_disk_nothing_is_known_and_the_record_says_so(tmp_path: Path) -> None:
    hub, ports = Hub(), Replaying()
    ports.prints(BOOT)
    for name in ("first", "second"):
        await relay_life(tmp_path / name, hub, ports)
    assert [(each["found"], each["before"]) for each in hub.replayed()] == [
        (False, len(BOOT)),
        (False, len(BOOT) + len(b"1 is here\r\n")),
    ]


async def test_no_secret_that_is_masked_is_on_the_disk(tmp_path: Path) -> None:
    hub, ports, pins = Hub(), Replaying(), RecordingSettings(mask=(r"pin \d{4}",))
    ports.prints(BOOT + b"pin 1234\r\n" + BOOT[:300])
    await relay_life(tmp_path, hub, ports, pins)
    (kept,) = (tmp_path / FOLDER).iterdir()
    assert b"1234" not in kept.read_bytes()
    assert BOOT[:300] in kept.read_bytes()
    assert kept.stat().st_mode & 0o777 == 0o600
    ports.log += LATER
    await relay_life(tmp_path, hub, ports, pins)
    assert hub.printed() == masked(ports.log).replace(b"pin 1234", b"********")


def spooled(folder: Path, *records: Record) -> Path:
    """Another epoch's."""
    epoch = folder / f"epoch-{len(list(folder.iterdir()))}"
    epoch.mkdir()
    file = epoch / "000001.spool"
    file.write_bytes(b"".join(framed(each) for each in (b"source", *(record.encode() for record in records))))
    return file


def kept(folder: Path) -> tuple[bytes, bool]:
    tails = Tails(folder)
    tails.take_up()
    tail = tails.of("vm")
    return bytes(tail), tail.cut


def known_epoch(folder: Path) -> str:
    tails = Tails(folder)
    tails.take_up()
    return tails.of("vm").epoch


def test_only_what_follows_without_a_gap_is_one_with_what_was_before(tmp_path: Path) -> None:
    tails = Tails(tmp_path)
    tails.learn("vm", spooled(tmp_path, Record(RecordKind.PRINTED, 1, 1, b"one ")))
    assert kept(tmp_path) == (b"one ", False)
    found, not_found = (Record.event(1, 1, "replayed", found=found) for found in (True, False))
    tails.learn("vm", spooled(tmp_path, found, Record(RecordKind.PRINTED, 2, 1, b"two")))
    assert kept(tmp_path) == (b"one two", False)
    tails.learn("vm", spooled(tmp_path, found, Record.end(2, 1, "goodbye")))
    assert kept(tmp_path) == (b"one two", False)
    others = Record.event(1, 1, "replayed", found=True, after="epoch-9")
    tails.learn("vm", spooled(tmp_path, others, Record(RecordKind.PRINTED, 2, 1, b"after what others recorded")))
    assert kept(tmp_path) == (b"after what others recorded", True)
    ours = Record.event(1, 1, "replayed", found=True, after=known_epoch(tmp_path))
    tails.learn("vm", spooled(tmp_path, ours, Record(RecordKind.PRINTED, 2, 1, b" and us")))
    assert kept(tmp_path) == (b"after what others recorded and us", True)
    tails.learn("vm", spooled(tmp_path, not_found, Record(RecordKind.PRINTED, 2, 1, b"three")))
    assert kept(tmp_path) == (b"three", False)
    tails.learn("vm", spooled(tmp_path, Record(RecordKind.PRINTED, 9, 1, b"of a file that is not the first")))
    assert kept(tmp_path) == (b"of a file that is not the first", True)
    tails.learn("vm", spooled(tmp_path, Record(RecordKind.PRINTED, 1, 1, b"x" * (TAIL_BYTES + 1))))
    assert kept(tmp_path) == (b"x" * TAIL_BYTES, True)


def test_an_epoch_that_is_left_by_one_process_after_another_counts_once(tmp_path: Path) -> None:
    tails, found = Tails(tmp_path), Record.event(1, 1, "replayed", found=True)
    tails.learn("vm", spooled(tmp_path, Record(RecordKind.PRINTED, 1, 1, b"one ")))
    left = spooled(tmp_path, found, Record(RecordKind.PRINTED, 2, 1, b"two"))
    for _ in range(2):
        Tails(tmp_path).learn("vm", left)
        assert kept(tmp_path) == (b"one two", False)


def test_epochs_that_are_left_by_one_process_after_another_count_once_each(tmp_path: Path) -> None:
    found = Record.event(1, 1, "replayed", found=True)
    Tails(tmp_path).learn("vm", spooled(tmp_path, Record(RecordKind.PRINTED, 1, 1, b"one ")))
    left = [spooled(tmp_path, found, Record(RecordKind.PRINTED, 2, 1, text)) for text in (b"two ", b"three")]
    for _ in range(2):
        for file in left:
            Tails(tmp_path).learn("vm", file)
        assert kept(tmp_path) == (b"one two three", False)


def test_what_cannot_be_remembered_is_forgotten(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tails = Tails(tmp_path)
    tails.learn("vm", spooled(tmp_path, Record(RecordKind.PRINTED, 1, 1, b"one")))
    tails.learn("vm", tmp_path / "gone")
    assert kept(tmp_path) == (b"", False)
    assert "not remembered: FileNotFoundError" in caplog.text
    tails.learn("vm", spooled(tmp_path, Record(RecordKind.PRINTED, 1, 1, b"one")))
    (file,) = (tmp_path / FOLDER).iterdir()
    file.write_bytes(file.read_bytes()[:-1])
    assert kept(tmp_path) == (b"", False)
    assert not list((tmp_path / FOLDER).iterdir())


def test_so_many_consoles_are_remembered_and_no_more(tmp_path: Path) -> None:
    tails = Tails(tmp_path)
    for number in range(TAILS + 1):
        tails.of(f"vm{number}").add(b"x")
    assert bytes(tails.of("vm1")) == b"x"
    assert bytes(tails.of("vm0")) == b""
    for number in range(TAILS + 1):
        tails.learn(f"vm{number}", spooled(tmp_path, Record(RecordKind.PRINTED, 1, 1, b"one")))
    tails.take_up()
    assert len(list((tmp_path / FOLDER).iterdir())) == TAILS
