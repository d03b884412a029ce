import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from relay.recording import epoch_log
from relay.recording.epoch_log import MAX_BODY, EpochLog
from relay.recording.spool import Spool, SpoolInUse
from relay.recording.spool_file import framed
from shared.base.record import Record, RecordKind, Source
from tests.relay.full_disk import FullDisk

SOURCE = Source("/vm/a", "0000000000000001-00000001", "relay-1")
FRAME = 8 + 21
NOW = 99


def printed(seq: int, body: bytes = b"x") -> Record:
    return Record(RecordKind.PRINTED, seq, seq * 10, body)


def taken(epoch: EpochLog, most: int = 1 << 30) -> list[Record]:
    """All that waits, acknowledged as it is read."""
    records = []
    while run := epoch.peek(most, 3):
        records += [decoded(each) for each in run]
        epoch.acknowledge(len(run))
    return records


def decoded(encoded: bytes) -> Record:
    return Record(RecordKind(encoded[0]), int.from_bytes(encoded[1:9]), int.from_bytes(encoded[9:17]), encoded[21:])


def written(folder: Path, *records: Record, source: Source = SOURCE) -> Path:
    """A spool as a killed relay leaves it."""
    spool = Spool(folder, 1 << 20)
    epoch = spool.open(source)
    for record in records:
        epoch.append(record)
    epoch.release()
    spool.close()
    return folder / source.epoch / "000001.spool"


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    opened = Spool(tmp_path, 1 << 20)
    yield opened
    opened.close()


@pytest.fixture
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epoch_log, "FILE_BYTES", 1000)
    monkeypatch.setattr(epoch_log, "WINDOW_BYTES", 400)


def test_a_record_is_in_the_file_when_append_returns(spool: Spool, tmp_path: Path) -> None:
    epoch = spool.open(SOURCE)
    epoch.append(printed(1, b"hello"))
    content = (tmp_path / SOURCE.epoch / "000001.spool").read_bytes()
    assert content == framed(SOURCE.encode()) + framed(printed(1, b"hello").encode())
    epoch.release()


@pytest.mark.usefixtures("small_files")
@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_a_file_that_is_full_when_all_of_it_was_acknowledged_goes(spool: Spool, tmp_path: Path, at_once: int) -> None:
    epoch = spool.open(SOURCE)
    for seq in range(1, 25):
        epoch.append(printed(seq, bytes(400)))
        if seq % at_once == 0:
            assert len(taken(epoch)) == at_once
        assert len(list((tmp_path / SOURCE.epoch).glob("*.spool"))) <= at_once + 1
    epoch.append(Record.end(25, 250, "goodbye"))
    assert len(taken(epoch)) == 1
    assert not (tmp_path / SOURCE.epoch).exists()
    assert spool.spooled_bytes == 0


@pytest.mark.usefixtures("small_files")
def test_records_come_out_as_they_went_in_however_far_the_reader_is_behind(spool: Spool) -> None:
    order = Random(7)  # noqa: S311 - sizes, no secrets
    epoch = spool.open(SOURCE)
    written_records, read = [], []
    for seq in range(1, 400):
        written_records.append(printed(seq, bytes(order.randrange(90))))
        epoch.append(written_records[-1])
        if order.random() < 0.4:
            run = epoch.peek(300, order.randrange(1, 9))
            read += [decoded(each) for each in run]
            epoch.acknowledge(len(run))
    read += taken(epoch)
    assert read == written_records
    assert spool.spooled_bytes == 0
    epoch.release()


@pytest.mark.usefixtures("small_files")
def test_files_roll_and_are_deleted_once_all_in_them_is_acknowledged(spool: Spool, tmp_path: Path) -> None:
    epoch = spool.open(SOURCE)
    for seq in range(1, 41):
        epoch.append(printed(seq, bytes(71)))
    files = sorted((tmp_path / SOURCE.epoch).iterdir())
    assert len(files) > 3
    assert all(file.stat().st_size <= 1000 for file in files)
    taken(epoch)
    assert sorted((tmp_path / SOURCE.epoch).iterdir()) == files[-1:]
    epoch.append(Record.end(41, 1, "goodbye"))
    taken(epoch)
    assert not (tmp_path / SOURCE.epoch).exists()


def test_a_recovered_epoch_gives_every_whole_record_then_says_that_its_relay_was_lost(tmp_path: Path) -> None:
    written(tmp_path, printed(1), printed(2))
    spool = Spool(tmp_path, 1 << 20)
    (epoch,) = spool.recover(NOW)
    assert epoch.source == SOURCE
    *records, lost, end = taken(epoch)
    assert records == [printed(1), printed(2)]
    assert lost == Record.event(3, NOW, "relay-lost")
    assert end.said() == {"event": "end", "records": 4, "reason": "relay-lost"}
    assert not (tmp_path / SOURCE.epoch).exists()
    spool.close()


def test_a_recovered_epoch_that_was_ended_is_left_as_it_is(tmp_path: Path) -> None:
    end = Record.end(2, 5, "goodbye")
    written(tmp_path, printed(1), end)
    spool = Spool(tmp_path, 1 << 20)
    (epoch,) = spool.recover(NOW)
    assert taken(epoch) == [printed(1), end]
    spool.close()


def test_recovering_works_wherever_the_file_was_cut(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    records = [printed(1, b"one"), printed(2, b""), Record.end(3, 9, "bye")]
    whole = written(tmp_path / "whole", *records).read_bytes()
    ends = [whole.index(framed(record.encode())) + len(framed(record.encode())) for record in records]
    for cut in range(len(whole) + 1):
        home = tmp_path / "cut"
        folder = home / SOURCE.epoch
        folder.mkdir(parents=True)
        (folder / "000001.spool").write_bytes(whole[:cut])
        spool = Spool(home, 1 << 20)
        recovered = [record for epoch in spool.recover(NOW) for record in taken(epoch)]
        kept = sum(end <= cut for end in ends)
        assert recovered[:kept] == records[:kept]
        lost = recovered[kept:]
        assert [record.said()["event"] for record in lost] == (["relay-lost", "end"] if 0 < kept < 3 else [])
        assert not folder.exists()
        spool.close()
        shutil.rmtree(home)


@pytest.mark.parametrize("damage", [bytes(64), b"\xff" * 64])
def test_a_tail_of_rubbish_is_dropped_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: bytes) -> None:
    file = written(tmp_path, printed(1))
    with file.open("ab") as opened:
        opened.write(damage)
    spool = Spool(tmp_path, 1 << 20)
    (epoch,) = spool.recover(NOW)
    assert "a torn tail of 64 bytes dropped" in caplog.text
    assert [record.seq for record in taken(epoch)] == [1, 2, 3]
    spool.close()


@pytest.mark.usefixtures("small_files")
def test_a_file_damaged_in_the_middle_costs_its_own_records_only(tmp_path: Path) -> None:
    file = written(tmp_path, *(printed(seq, bytes(400)) for seq in range(1, 7)))
    damaged = file.with_name("000002.spool")
    assert damaged.exists()
    damaged.write_bytes(b"?" * 50)
    spool = Spool(tmp_path, 1 << 20)
    (epoch,) = spool.recover(NOW)
    assert [record.seq for record in taken(epoch)] == [1, 2, 5, 6, 7, 8]
    spool.close()


@pytest.mark.usefixtures("small_files")
def test_what_was_acknowledged_file_by_file_does_not_come_back(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1 << 20)
    epoch = spool.open(SOURCE)
    for seq in range(1, 7):
        epoch.append(printed(seq, bytes(400)))
    epoch.peek(1 << 20, 1)
    epoch.acknowledge(1)
    epoch.acknowledge(len(epoch.peek(1 << 20, 1)))
    epoch.release()
    spool.close()
    again = Spool(tmp_path, 1 << 20)
    (epoch,) = again.recover(NOW)
    assert epoch.oldest_us() == 30
    assert [record.seq for record in taken(epoch)] == [3, 4, 5, 6, 7, 8]
    again.close()


def test_a_second_relay_on_the_same_folder_is_refused(spool: Spool, tmp_path: Path) -> None:
    with pytest.raises(SpoolInUse, match="give each relay its own SPOOL_DIR"):
        Spool(tmp_path, 1)


def test_the_bound_is_told_once_when_reached_and_once_when_there_is_room(tmp_path: Path) -> None:
    told: list[str] = []
    spool = Spool(tmp_path, 10 * FRAME, on_full=lambda: told.append("full"), on_room=lambda: told.append("room"))
    first, second = spool.open(SOURCE), spool.open(Source("/vm/b", "0000000000000002-00000001", "relay-1"))
    for seq in range(1, 6):
        first.append(printed(seq, b""))
        second.append(printed(seq, b""))
    assert told == ["full"]
    second.append(printed(6, b""))
    for epoch in (first, second):
        epoch.acknowledge(len(epoch.peek(1000, 2)))
        assert spool.is_full == (epoch is first)
    assert told == ["full", "room"]
    first.release()
    second.release()
    spool.close()


@pytest.mark.parametrize("room", [0, 1, 8, 20])
def test_a_full_disk_raises_and_leaves_no_half_record(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    epoch = spool.open(SOURCE)
    epoch.append(printed(1))
    with monkeypatch.context() as patch:
        disk = FullDisk(patch, room)
        with pytest.raises(OSError, match="No space left"):
            epoch.append(printed(2))
        disk.room = 1000
        epoch.append(printed(2))
    file = tmp_path / SOURCE.epoch / "000001.spool"
    assert file.read_bytes() == b"".join(
        framed(part) for part in (SOURCE.encode(), printed(1).encode(), printed(2).encode())
    )
    assert [record.seq for record in taken(epoch)] == [1, 2]
    epoch.release()


def test_a_disk_full_before_the_first_record_leaves_nothing_to_recover(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    epoch = spool.open(SOURCE)
    with monkeypatch.context() as patch:
        FullDisk(patch, 10)
        with pytest.raises(OSError, match="No space left"):
            epoch.append(printed(1))
    assert list((tmp_path / SOURCE.epoch).iterdir()) == []
    epoch.append(printed(1))
    assert taken(epoch) == [printed(1)]
    epoch.release()


def test_a_lost_epoch_is_ended_as_soon_as_the_disk_has_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, printed(1), printed(2))
    spool = Spool(tmp_path, 1 << 20)
    with monkeypatch.context() as patch:
        FullDisk(patch, 0)
        (epoch,) = spool.recover(NOW)
        epoch.acknowledge(len(epoch.peek(10, 1)))
        assert epoch.pending == 1
    epoch.acknowledge(len(epoch.peek(10, 1)))
    assert [record.seq for record in taken(epoch)] == [3, 4]
    assert not (tmp_path / SOURCE.epoch).exists()
    spool.close()


def test_an_epoch_that_was_given_up_ends_as_soon_as_the_disk_has_room(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    epoch = spool.open(SOURCE)
    epoch.append(printed(1))
    with monkeypatch.context() as patch:
        FullDisk(patch, 0)
        epoch.give_up(NOW)
        epoch.try_write_pending_end()
        assert taken(epoch) == [printed(1)]
        assert not epoch.ended
    epoch.try_write_pending_end()
    stopped, end = taken(epoch)
    assert stopped == Record.event(2, NOW, "record-failed")
    assert end.said() == {"event": "end", "records": 3, "reason": "AuditUnavailable"}
    assert not (tmp_path / SOURCE.epoch).exists()


def test_an_epoch_that_was_given_up_before_its_first_record_leaves_nothing(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    epoch = spool.open(SOURCE)
    with monkeypatch.context() as patch:
        FullDisk(patch, 0)
        with pytest.raises(OSError, match="No space"):
            epoch.append(printed(1))
        assert (tmp_path / SOURCE.epoch).exists()
        epoch.give_up(NOW)
    assert (epoch.ended, epoch.pending) == (True, 0)
    assert not (tmp_path / SOURCE.epoch).exists()


def test_a_tear_that_cannot_be_mended_at_once_is_mended_before_the_next_record(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    epoch = spool.open(SOURCE)
    epoch.append(printed(1))
    with monkeypatch.context() as patch:
        FullDisk(patch, 5)
        patch.setattr(os, "ftruncate", lambda *_: (_ for _ in ()).throw(OSError(5, "Input/output error")))
        with pytest.raises(OSError, match="No space"):
            epoch.append(printed(2))
        with pytest.raises(OSError, match="Input/output"):
            epoch.append(printed(2))
    epoch.append(printed(2))
    assert [record.seq for record in taken(epoch)] == [1, 2]
    epoch.release()


def test_a_disk_that_fails_to_flush_takes_no_more_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path, 1 << 20)
    epoch = spool.open(SOURCE)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(5, "Input/output error")))
        epoch.append(printed(1))
        epoch.release()
        spool.close()
    assert spool.error
    with pytest.raises(OSError, match="failed to flush"):
        epoch.append(printed(2))


def test_a_body_that_no_event_could_carry_is_refused(spool: Spool) -> None:
    with pytest.raises(ValueError, match="at most"):
        spool.open(SOURCE).append(printed(1, bytes(MAX_BODY + 1)))


@pytest.mark.usefixtures("small_files")
def test_a_file_damaged_under_the_running_relay_is_breakage(spool: Spool, tmp_path: Path) -> None:
    epoch = spool.open(SOURCE)
    for seq in range(1, 9):
        epoch.append(printed(seq, bytes(150)))
    file = tmp_path / SOURCE.epoch / "000001.spool"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(OSError, match="damaged after it was written"):
        taken(epoch)
    epoch.release()
