"""The spool and the outbox as consoles see them."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from relay.console.pending_writes import PENDING_WRITE_SECONDS
from relay.recording import epochs as recording
from relay.recording.epochs import SpooledEpochs
from shared.base.archive_progress import RecordedLast
from shared.base.ports import Dependency, Unavailable
from shared.base.record import Record, RecordKind, Source, decode_records
from shared.session.grant import Mode
from tests.fakes import NOW, FakeClock
from tests.patience import PATIENCE
from tests.relay.full_disk import FullDisk
from tests.relay.stage import Clock, staged


class Hub:
    """Takes records while it is there."""

    def __init__(self) -> None:
        self.there = True
        self.taken: list[bytes] = []
        self.taking: Callable[[], object] = lambda: None
        self.news = asyncio.Event()

    async def send(self, source: Source, records: Sequence[bytes]) -> None:  # noqa: ARG002 - the port's words
        if not self.there:
            raise Unavailable(Dependency.EVENT_HUB, "away")
        self.taken += records
        self.taking()
        self.news.set()

    def records(self) -> list[Record]:
        return [record for encoded in self.taken for record in decode_records(encoded, 0)]


def quiet(_event: str, /, **_fields: object) -> None: ...


def source(epoch: str) -> Source:
    return Source("vm", epoch, "r0")


async def test_what_is_recorded_reaches_the_hub(tmp_path: Path) -> None:
    hub = Hub()
    epochs = SpooledEpochs(tmp_path, 1 << 20, hub, Clock(), quiet)
    epochs.begin(source("e1")).append(Record(RecordKind.PRINTED, 1, 1, b"login: "))
    await epochs.close(5)
    assert [record.body for record in hub.records()] == [b"login: "]


async def test_what_the_hub_did_not_take_is_sent_by_the_next_process(tmp_path: Path) -> None:
    hub = Hub()
    hub.there = False
    epochs = SpooledEpochs(tmp_path, 1 << 20, hub, Clock(), quiet)
    epochs.begin(source("e1")).append(Record(RecordKind.PRINTED, 1, 1, b"login: "))
    await epochs.close(0.05)
    hub.there = True
    again = SpooledEpochs(tmp_path, 1 << 20, hub, Clock(), quiet)
    await again.close(5)
    assert [record.kind for record in hub.records()] == [RecordKind.PRINTED, RecordKind.EVENT, RecordKind.END]


async def test_the_bound_is_told_and_health_says_what_waits(tmp_path: Path) -> None:
    hub, told = Hub(), list[str]()
    hub.there = False
    epochs = SpooledEpochs(tmp_path, 2000, hub, Clock(), quiet)
    epochs.watch(lambda: told.append("full"), lambda: told.append("room"))
    recorder = epochs.begin(source("e1"))
    recorder.append(Record(RecordKind.PRINTED, 1, int(Clock().now() * 1e6), b"x" * 1990))
    assert (told, epochs.full, epochs.writable) == (["full"], True, True)
    health = epochs.health()
    assert (health["writable"], health["spooledRecords"]) == (True, 1)
    assert health["oldestSeconds"] < 5
    hub.there = True
    await epochs.close(5)
    assert told == ["full", "room"]


async def test_a_relay_with_a_real_spool_records_a_whole_session_in_order(tmp_path: Path) -> None:
    hub = Hub()
    epochs = SpooledEpochs(tmp_path, 1 << 20, hub, Clock(), quiet)
    async with staged(epochs=epochs) as stage:
        ada = await stage.comes("ada")
        await stage.comes("bob", Mode.WATCH)
        for number in range(200):
            await ada.types(b"%d " % number)
        await ada.sees(b"199 ")
        seen = bytes(ada.bytes)
    records = hub.records()
    assert [record.seq for record in records] == list(range(1, len(records) + 1))
    assert records[-1].said()["records"] == len(records)
    assert b"".join(record.body for record in records if record.kind is RecordKind.PRINTED) == seen


async def test_a_recording_that_was_given_up_says_so_and_ends_once_the_disk_has_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = Hub()
    epochs = SpooledEpochs(tmp_path, 1 << 20, hub, Clock(), quiet)
    async with staged(epochs=epochs) as stage:
        ada = await stage.comes("ada")
        stage.ports.last.listener.printed(b"kept")
        await ada.sees(b"kept")
        with monkeypatch.context() as patch:
            FullDisk(patch, 0)
            stage.ports.last.listener.printed(b"unrecorded")
            stage.passes(PENDING_WRITE_SECONDS)
            assert await ada.closed() == (4007, "AuditUnavailable")
            stage.passes(1)
            assert hub.records()[-1].kind is not RecordKind.END
        stage.passes(1)
        await stage.until(lambda: hub.records()[-1].kind is RecordKind.END)
    records = hub.records()
    assert [record.seq for record in records] == list(range(1, len(records) + 1))
    assert [record.body for record in records if record.kind is RecordKind.PRINTED] == [b"kept"]
    assert records[-2].said()["event"] == "record-failed"
    assert bytes(ada.bytes) == b"kept"


async def given_up(epochs: SpooledEpochs, monkeypatch: pytest.MonkeyPatch) -> None:
    """One recording with one record, ended while the disk is full."""
    recorder = epochs.begin(source("e1"))
    recorder.append(printed(1, b"one"))
    await all_sent(epochs)
    with monkeypatch.context() as patch:
        FullDisk(patch, 0)
        recorder.give_up(5)


async def all_sent(epochs: SpooledEpochs) -> None:
    async with asyncio.timeout(PATIENCE):
        while epochs.health()["spooledRecords"]:  # noqa: ASYNC110 - an acknowledgement announces itself to nobody
            await asyncio.sleep(0.001)


def printed(seq: int, body: bytes) -> Record:
    return Record(RecordKind.PRINTED, seq, seq, body)


def told(hub: Hub) -> list[bytes | str]:
    return [each.body if each.kind is RecordKind.PRINTED else each.said()["event"] for each in hub.records()]


async def test_a_relay_that_ends_ends_what_was_given_up_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub()
    epochs = SpooledEpochs(tmp_path, 1 << 20, hub, Clock(), quiet)
    await given_up(epochs, monkeypatch)
    await epochs.close(5)
    assert told(hub) == [b"one", "record-failed", "end"]
    assert not (tmp_path / "e1").exists()


async def test_room_that_sending_makes_is_for_what_was_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = Hub()
    epochs = SpooledEpochs(tmp_path, 1 << 20, hub, Clock(), quiet)
    recorder = epochs.begin(source("e1"))
    recorder.append(printed(1, b"one"))
    await all_sent(epochs)
    epochs.begin(Source("other", "e2", "r0")).append(printed(1, b"much"))
    disk = FullDisk(monkeypatch, 0)
    recorder.give_up(5)
    hub.taking = lambda: setattr(disk, "room", 10_000)
    await epochs.close(5)
    assert told(hub) == [b"one", b"much", "record-failed", "end"]


async def test_a_recording_begins_after_the_one_before_it_was_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = Hub()
    epochs = SpooledEpochs(tmp_path, 1 << 20, hub, Clock(), quiet)
    await given_up(epochs, monkeypatch)
    epochs.begin(source("e2")).append(printed(1, b"two"))
    await all_sent(epochs)
    await epochs.close(5)
    assert told(hub) == [b"one", "record-failed", "end", b"two"]


async def test_no_recording_begins_while_the_one_before_it_cannot_be_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = Hub()
    epochs = SpooledEpochs(tmp_path, 1 << 20, hub, Clock(), quiet)
    await given_up(epochs, monkeypatch)
    later = epochs.begin(source("e2"))
    with monkeypatch.context() as patch:
        FullDisk(patch, 10)
        with pytest.raises(OSError, match="No space"):
            later.append(printed(1, b"two"))
    later.append(printed(1, b"two"))
    await all_sent(epochs)
    await epochs.close(5)
    assert told(hub) == [b"one", "record-failed", "end", b"two"]


@pytest.mark.parametrize("disk", ["the same", "another"])
async def test_a_relay_that_is_moved_without_its_disk_loses_what_the_hub_had_not_and_nothing_else(
    tmp_path: Path, disk: str
) -> None:
    """docs/faults.md, "The relay's disk": such an epoch has no end on record."""
    hub = Hub()
    epochs = SpooledEpochs(tmp_path / "the same", 1 << 20, hub, Clock(), quiet)
    recorder = epochs.begin(source("e1"))
    recorder.append(Record(RecordKind.PRINTED, 1, 1, b"acknowledged"))
    async with asyncio.timeout(PATIENCE):
        while epochs.health()["spooledRecords"]:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
    hub.there = False
    recorder.append(Record(RecordKind.PRINTED, 2, 2, b"on this disk alone"))
    await epochs.close(0.05)
    hub.there = True
    await SpooledEpochs(tmp_path / disk, 1 << 20, hub, Clock(), quiet).close(5)
    bodies = [record.body for record in hub.records() if record.kind is RecordKind.PRINTED]
    kinds = [record.kind for record in hub.records()]
    if disk == "another":
        assert (bodies, kinds) == ([b"acknowledged"], [RecordKind.PRINTED])
    else:
        assert list(dict.fromkeys(bodies)) == [b"acknowledged", b"on this disk alone"]  # repeats the archive drops
        assert kinds[-2:] == [RecordKind.EVENT, RecordKind.END]


async def test_that_records_wait_for_long_is_told_every_minute_until_they_are_gone(tmp_path: Path) -> None:
    hub, clock, told = Hub(), FakeClock(), list[tuple[str, dict[str, object]]]()
    hub.there = False

    def tell(event: str, /, **fields: Any) -> None:
        told.append((event, fields))

    epochs = SpooledEpochs(tmp_path, 1 << 20, hub, clock, tell)
    epochs.begin(source("e1")).append(Record(RecordKind.PRINTED, 1, int(clock.now() * 1e6), b"login: "))
    for ahead, count in ((0, 0), (59, 0), (69, 1), (80, 1), (130, 2)):
        clock.time = NOW + ahead
        epochs.tick()
        assert [event for event, _ in told] == ["spool-behind"] * count
    _, fields = told[-1]
    assert (fields["records"], fields["bytes"]) == (1, epochs.health()["spooledBytes"])
    assert fields["oldestSeconds"] == 130
    hub.there = True
    async with asyncio.timeout(PATIENCE):
        while epochs.health()["spooledRecords"]:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
    clock.time = NOW + 140
    epochs.tick()
    assert told[-1] == ("spool-caught-up", {})
    await epochs.close(5)


async def test_the_newest_record_of_a_console_is_known_also_of_what_lay_on_the_disk(tmp_path: Path) -> None:
    hub = Hub()
    hub.there = False
    epochs = SpooledEpochs(tmp_path, 1 << 20, hub, Clock(), quiet)
    assert epochs.recorded_last("vm") is None
    epochs.begin(Source("vm", "e1", "r0")).append(Record(RecordKind.PRINTED, 1, 5_000_000, b"x"))
    assert epochs.recorded_last("vm") == RecordedLast("e1", 1, 5.0)
    await epochs.close(0.05)
    hub.there = True
    again = SpooledEpochs(tmp_path, 1 << 20, hub, Clock(), quiet)
    found = again.recorded_last("vm")
    assert found
    assert (found.epoch, found.sequence) == ("e1", 3), "what the new process wrote to end it is its last"
    await again.close(5)


async def test_the_newest_records_of_a_bounded_number_of_consoles_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "NEWEST_KEPT", 1)
    epochs = SpooledEpochs(tmp_path, 1 << 20, Hub(), Clock(), quiet)
    for console in ("one", "two"):
        epochs.begin(Source(console, f"e-{console}", "r0")).append(Record(RecordKind.PRINTED, 1, 5_000_000, b"x"))
    assert epochs.recorded_last("one") is None
    assert epochs.recorded_last("two")
    await epochs.close(5)
