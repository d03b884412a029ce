import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from relay.recording import epoch_log
from relay.recording.outbox import Outbox, SendRate
from relay.recording.spool import Spool
from shared.base.record import Record, RecordKind, Source
from tests.contract.memory_records import Fate, MemoryRecords
from tests.patience import PATIENCE

PACE = SendRate(batch_bytes=2000, batch_records=20, gather=0.002, first_retry=0.001, last_retry=0.004)
A = Source("/vm/a", "0000000000000001-00000001", "relay-1")
A_AGAIN = Source("/vm/a", "0000000000000002-00000001", "relay-1")
B = Source("/vm/b", "0000000000000003-00000001", "relay-1")


def printed(seq: int, body: bytes = b"x") -> Record:
    return Record(RecordKind.PRINTED, seq, seq * 10, body)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    opened = Spool(tmp_path, 1 << 30)
    yield opened
    opened.close()


@pytest.fixture
def sink() -> MemoryRecords:
    return MemoryRecords()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - the condition is anything a test may see
            await asyncio.sleep(0.001)


async def test_the_first_record_leaves_at_once_and_those_after_it_gather(spool: Spool, sink: MemoryRecords) -> None:
    outbox = Outbox(sink, SendRate(gather=0.05))
    epoch = spool.open(A)
    outbox.carry(epoch)
    epoch.append(printed(1))
    await until(lambda: len(sink.stored) == 1)
    for seq in range(2, 30):
        epoch.append(printed(seq))
        await asyncio.sleep(0)
    assert len(sink.stored) == 1
    assert await outbox.drain(PATIENCE)
    assert [len(batch.records) for batch in sink.stored] == [1, 28]
    await outbox.close()


async def test_one_that_is_closed_sends_nothing_more(spool: Spool, sink: MemoryRecords) -> None:
    outbox = Outbox(sink, SendRate(gather=3600))
    epoch = spool.open(A)
    outbox.carry(epoch)
    epoch.append(printed(1))
    await until(lambda: len(sink.stored) == 1)
    epoch.append(printed(2))  # gathers
    await asyncio.sleep(0)
    await outbox.close()
    assert len(asyncio.all_tasks()) == 1
    assert await outbox.drain(PATIENCE), "nothing is under way"
    assert [len(batch.records) for batch in sink.stored] == [1]


async def test_a_whole_batch_does_not_wait(spool: Spool, sink: MemoryRecords) -> None:
    outbox = Outbox(sink, SendRate(batch_records=4, gather=3600))
    epoch = spool.open(A)
    outbox.carry(epoch)
    epoch.append(printed(1))
    await until(lambda: len(sink.stored) == 1)
    for seq in range(2, 6):
        epoch.append(printed(seq))
        await asyncio.sleep(0.001)
    await until(lambda: len(sink.stored) == 2)
    assert [len(batch.records) for batch in sink.stored] == [1, 4]
    await outbox.close()
    epoch.release()


async def test_refused_and_unanswered_sends_are_repeated_until_all_is_stored_in_order(
    spool: Spool, sink: MemoryRecords
) -> None:
    order = Random(3)  # noqa: S311 - shuffles
    sink.fates.extend(order.choices(list(Fate), k=60))
    outbox = Outbox(sink, PACE)
    epoch = spool.open(A)
    outbox.carry(epoch)
    for seq in range(1, 301):
        epoch.append(printed(seq, bytes(order.randrange(300))))
        await asyncio.sleep(0)
    epoch.append(Record.end(301, 1, "goodbye"))
    assert await outbox.drain(PATIENCE)
    assert sink.sequence(A.epoch) == list(range(1, 302))
    assert spool.spooled_bytes == 0
    await outbox.close()


async def test_a_stuck_console_holds_up_no_other(spool: Spool, sink: MemoryRecords) -> None:
    sink.blocked[A.console] = asyncio.Event()
    outbox = Outbox(sink, PACE)
    stuck, free = spool.open(A), spool.open(B)
    outbox.carry(stuck)
    outbox.carry(free)
    stuck.append(printed(1))
    free.append(printed(1))
    await until(lambda: sink.sequence(B.epoch) == [1])
    assert not await outbox.drain(0.01)
    assert outbox.health().oldest_us == 10
    assert outbox.health().records == 1
    sink.blocked.pop(A.console).set()
    assert await outbox.drain(PATIENCE)
    assert outbox.health().oldest_us is None
    await outbox.close()


async def test_a_failure_is_in_the_health_report_until_a_send_succeeds(spool: Spool, sink: MemoryRecords) -> None:
    outbox = Outbox(sink, PACE)
    epoch = spool.open(A)
    outbox.carry(epoch)
    sink.fates.extend([Fate.REFUSED] * 3)
    epoch.append(printed(1))
    await until(lambda: bool(outbox.health().last_error))
    assert outbox.health().last_error == "event hub: refused"
    assert await outbox.drain(PATIENCE)
    assert outbox.health().last_error is None
    await outbox.close()


async def test_epochs_of_a_console_go_out_one_after_the_other(spool: Spool, sink: MemoryRecords) -> None:
    outbox = Outbox(sink, PACE)
    first, second = spool.open(A), spool.open(A_AGAIN)
    second.append(printed(1))
    first.append(printed(1))
    first.append(Record.end(2, 1, "lost"))
    outbox.carry(first)
    outbox.carry(second)
    assert await outbox.drain(PATIENCE)
    assert [batch.source.epoch for batch in sink.stored] == [A.epoch, A_AGAIN.epoch]
    second.append(Record.end(2, 1, "goodbye"))
    assert await outbox.drain(PATIENCE)
    assert sink.sequence(A_AGAIN.epoch) == [1, 2]
    assert outbox.health().records == 0
    await outbox.close()


async def test_a_long_backlog_is_sent_from_the_files(
    spool: Spool, sink: MemoryRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epoch_log, "WINDOW_BYTES", 5000)
    monkeypatch.setattr(epoch_log, "FILE_BYTES", 9000)
    epoch = spool.open(A)
    for seq in range(1, 500):
        epoch.append(printed(seq, bytes(100)))
    outbox = Outbox(sink, PACE)
    outbox.carry(epoch)
    assert await outbox.drain(PATIENCE)
    assert sink.sequence(A.epoch) == list(range(1, 500))
    await outbox.close()


async def test_what_is_not_sent_when_the_outbox_closes_is_there_for_the_next_process(
    tmp_path: Path, sink: MemoryRecords
) -> None:
    sink.blocked[A.console] = asyncio.Event()
    spool = Spool(tmp_path, 1 << 20)
    outbox = Outbox(sink, PACE)
    epoch = spool.open(A)
    outbox.carry(epoch)
    epoch.append(printed(1))
    assert not await outbox.drain(0)
    await outbox.close()
    spool.close()
    sink.blocked.clear()
    again = Spool(tmp_path, 1 << 20)
    outbox = Outbox(sink, PACE)
    for recovered in again.recover(now_us=5):
        outbox.carry(recovered)
    assert await outbox.drain(PATIENCE)
    assert sink.sequence(A.epoch) == [1, 2, 3]
    await outbox.close()
    again.close()


async def test_a_spool_that_cannot_be_read_is_said_and_tried_again_with_the_next_record(
    spool: Spool, sink: MemoryRecords, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(epoch_log, "WINDOW_BYTES", 0)
    epoch = spool.open(A)
    epoch.append(printed(1))
    file = tmp_path / A.epoch / "000001.spool"
    file.rename(away := file.with_name("away"))
    outbox = Outbox(sink, PACE)
    outbox.carry(epoch)
    assert await outbox.drain(PATIENCE)
    assert "stay in the spool" in caplog.text
    assert sink.stored == []
    away.rename(file)
    epoch.append(printed(2))
    assert await outbox.drain(PATIENCE)
    assert sink.sequence(A.epoch) == [1, 2]
    await outbox.close()


async def test_an_epoch_that_was_given_up_without_a_record_is_carried_no_longer(
    spool: Spool, sink: MemoryRecords
) -> None:
    outbox = Outbox(sink, PACE)
    for source in (A, A_AGAIN, B):
        epoch = spool.open(source)
        outbox.carry(epoch)
        epoch.give_up(1)
    assert await outbox.drain(PATIENCE)
    await until(lambda: not outbox.epochs())
    await outbox.close()
