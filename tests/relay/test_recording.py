"""The spool and the outbox as consoles see them."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from relay.recording import SpooledEpochs
from relay.standstill import STANDSTILL_SECONDS
from shared.domain.grant import Mode
from shared.domain.record import Kind, Record, Source, decode_records
from shared.ports import Unavailable
from tests.relay.full_disk import FullDisk
from tests.relay.stage import Clock, staged


class Hub:
    """Takes records while it is there."""

    def __init__(self) -> None:
        self.there = True
        self.taken: list[bytes] = []
        self.news = asyncio.Event()

    async def send(self, source: Source, records: Sequence[bytes]) -> None:  # noqa: ARG002 - the port's words
        if not self.there:
            raise Unavailable("hub", "away")
        self.taken += records
        self.news.set()

    def records(self) -> list[Record]:
        return [record for encoded in self.taken for record in decode_records(encoded, 0)]


def source(epoch: str) -> Source:
    return Source("vm", epoch, "r0")


async def test_what_is_recorded_reaches_the_hub(tmp_path: Path) -> None:
    hub = Hub()
    epochs = SpooledEpochs(tmp_path, 1 << 20, hub, Clock())
    epochs.begin(source("e1")).append(Record(Kind.PRINTED, 1, 1, b"login: "))
    await epochs.close(5)
    assert [record.body for record in hub.records()] == [b"login: "]


async def test_what_the_hub_did_not_take_is_sent_by_the_next_process(tmp_path: Path) -> None:
    hub = Hub()
    hub.there = False
    epochs = SpooledEpochs(tmp_path, 1 << 20, hub, Clock())
    epochs.begin(source("e1")).append(Record(Kind.PRINTED, 1, 1, b"login: "))
    await epochs.close(0.05)
    hub.there = True
    again = SpooledEpochs(tmp_path, 1 << 20, hub, Clock())
    await again.close(5)
    assert [record.kind for record in hub.records()] == [Kind.PRINTED, Kind.EVENT, Kind.END]


async def test_the_bound_is_told_and_health_says_what_waits(tmp_path: Path) -> None:
    hub, told = Hub(), list[str]()
    hub.there = False
    epochs = SpooledEpochs(tmp_path, 2000, hub, Clock())
    epochs.watch(lambda: told.append("full"), lambda: told.append("room"))
    recorder = epochs.begin(source("e1"))
    recorder.append(Record(Kind.PRINTED, 1, int(Clock().now() * 1e6), b"x" * 1990))
    assert (told, epochs.full, epochs.writable) == (["full"], True, True)
    health = epochs.health()
    assert (health["writable"], health["spooledRecords"]) == (True, 1)
    assert health["oldestSeconds"] < 5
    hub.there = True
    await epochs.close(5)
    assert told == ["full", "room"]


async def test_a_relay_with_a_real_spool_records_a_whole_session_in_order(tmp_path: Path) -> None:
    hub = Hub()
    epochs = SpooledEpochs(tmp_path, 1 << 20, hub, Clock())
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
    assert b"".join(record.body for record in records if record.kind is Kind.PRINTED) == seen


async def test_a_recording_that_was_given_up_says_so_and_ends_once_the_disk_has_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = Hub()
    epochs = SpooledEpochs(tmp_path, 1 << 20, hub, Clock())
    async with staged(epochs=epochs) as stage:
        ada = await stage.comes("ada")
        stage.ports.last.listener.printed(b"kept")
        await ada.sees(b"kept")
        with monkeypatch.context() as patch:
            FullDisk(patch, 0)
            stage.ports.last.listener.printed(b"unrecorded")
            stage.passes(STANDSTILL_SECONDS)
            assert await ada.closed() == (4007, "AuditUnavailable")
            stage.passes(1)
            assert hub.records()[-1].kind is not Kind.END
        stage.passes(1)
        await stage.until(lambda: hub.records()[-1].kind is Kind.END)
    records = hub.records()
    assert [record.seq for record in records] == list(range(1, len(records) + 1))
    assert [record.body for record in records if record.kind is Kind.PRINTED] == [b"kept"]
    assert records[-2].said()["event"] == "record-failed"
    assert bytes(ada.bytes) == b"kept"
