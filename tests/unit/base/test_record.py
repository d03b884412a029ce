import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.base.record import (
    Batch,
    DamagedBatch,
    Record,
    RecordKind,
    Source,
    decode_records,
    decode_source,
    encode_batch,
    epoch_name,
)

SOURCE = Source("/vm/ä", "e1", "relay-1")
OVERHEAD = 1 + 8 + 8 + 4
"""Bytes of a record beside its body."""
U64 = st.integers(0, 2**64 - 1)
RECORDS = st.builds(Record, st.sampled_from(RecordKind), U64, U64, st.binary())


@given(st.lists(RECORDS), st.text(), st.text(), st.text())
def test_a_batch_is_read_as_it_was_written(records: list[Record], console: str, epoch: str, writer: str) -> None:
    batch = Batch(Source(console, epoch, writer), tuple(records))
    assert Batch.decode(batch.encode()) == batch
    assert encode_batch(batch.source, [record.encode() for record in records]) == batch.encode()


def test_the_format_is_the_one_that_is_written_down() -> None:
    header = b'{"console":"/vm/a","epoch":"e1","writer":"r"}'
    record = b"\x01" + (7).to_bytes(8) + (9).to_bytes(8) + (2).to_bytes(4) + b"hi"
    batch = Batch(Source("/vm/a", "e1", "r"), (Record(RecordKind.PRINTED, 7, 9, b"hi"),))
    assert batch.encode() == b"SCR1" + len(header).to_bytes(2) + header + record
    assert len(record) == OVERHEAD + 2


def test_events_say_what_happened_and_the_end_how_many_records_there_were() -> None:
    assert Record.event(3, 5, "attach", by="Ana").said() == {"event": "attach", "by": "Ana"}
    assert Record.end(4, 6, "idle").said() == {"event": "end", "records": 4, "reason": "idle"}


def test_a_cut_batch_gives_its_whole_records_first() -> None:
    records = (Record(RecordKind.PRINTED, 1, 1, b"one"), Record(RecordKind.PRINTED, 2, 1, b"two"))
    data = Batch(SOURCE, records).encode()
    _, start = decode_source(data)
    ends = {start, start + OVERHEAD + 3, len(data)}
    for cut in range(start, len(data) + 1):
        whole = []
        try:
            for record in decode_records(data[:cut], start):
                whole.append(record)  # noqa: PERF402 - those before the damage count
        except DamagedBatch:
            assert cut not in ends
        else:
            assert cut in ends
        assert tuple(whole) == records[: len(whole)]


@pytest.mark.parametrize("cut", range(len(SOURCE.encode())))
def test_a_batch_cut_in_its_header_is_damaged(cut: int) -> None:
    with pytest.raises(DamagedBatch):
        Batch.decode(SOURCE.encode()[:cut])


@pytest.mark.parametrize("header", [b"", b"[]", b'"x"', b"{}", b'{"console":1,"epoch":"e","writer":"r"}', b"\xff"])
def test_a_header_that_says_something_else_is_damaged(header: bytes) -> None:
    with pytest.raises(DamagedBatch, match="header"):
        Batch.decode(b"SCR1" + len(header).to_bytes(2) + header)


def test_an_unknown_kind_is_damaged() -> None:
    data = bytearray(Batch(SOURCE, (Record(RecordKind.END, 1, 1, json.dumps({}).encode()),)).encode())
    data[len(SOURCE.encode())] = 9
    with pytest.raises(DamagedBatch, match="unknown kind"):
        Batch.decode(bytes(data))


def test_names_of_epochs_sort_by_time_and_differ_by_nonce() -> None:
    names = [epoch_name(9, 2**32 - 1), epoch_name(10, 0), epoch_name(10, 1), epoch_name(2**60, 5)]
    assert names == sorted(set(names))
