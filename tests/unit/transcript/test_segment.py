import json
from contextlib import suppress
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.transcript import segment
from shared.transcript.playback import Cursor, InvalidCursor, code_of, printed, retimed, time_us
from shared.transcript.segment import DamagedSegment, TranscriptEnd, read_checkpoint, read_header, read_line

HEADER = segment.header_line("/vm/a", TranscriptEnd(), 1_000_000)
CHECKPOINT, HASH = segment.seal(b"", 5, TranscriptEnd(offset=3, hash=b"h" * 32, epochs={"e": 2}))
ODD_BYTES = (
    b"\xff\xfe\x80",  # never UTF-8
    b"\xed\xa0\x80\xed\xb0\x80",  # surrogates in UTF-8's clothes
    b"\xf0\x9f",  # the first half of a character, whose other half is in the next record
    b"\x98\x80",
    '\u2028\u0000\x7f"\\\r\n\x1b[6n😀'.encode(),
)


@given(st.one_of(st.binary(), st.sampled_from(ODD_BYTES)), st.integers(-(10**15), 10**15))
def test_whatever_was_printed_comes_back_from_a_line_of_valid_json(body: bytes, after_us: int) -> None:
    line = segment.line(after_us, "o", segment.quoted(segment.printed_text(body)))
    assert line.isascii()
    assert line.count(b"\n") == 1
    seconds, code, text = json.loads(line)
    assert (round(seconds * 1e6), code, text.encode("utf-8", "surrogateescape")) == (after_us, "o", body)
    assert printed(line) == body
    assert time_us(line, 7) == after_us + 7
    assert code_of(line) == "o"
    assert printed(retimed(line, 99)) == body
    assert time_us(retimed(line, 99), 0) == 99


def test_the_header_is_an_asciicast_v2_header_and_says_where_the_segment_belongs() -> None:
    tail = TranscriptEnd(ordinal=3, offset=77, hash=b"\1" * 32)
    line = segment.header_line("/subscriptions/s/vm1", tail, 1_700_000_000_123_456)
    assert json.loads(line) == {
        "version": 2,
        "width": 80,
        "height": 24,
        "timestamp": 1_700_000_000,
        "title": "vm1",
        "serialconsole": {
            "console": "/subscriptions/s/vm1",
            "segment": 3,
            "offset": 77,
            "startedUs": 1_700_000_000_123_456,
            "previous": "01" * 32,
        },
    }
    assert segment.read_header(line).previous == b"\1" * 32
    assert segment.read_header(HEADER).previous == bytes(32)


def test_a_tail_comes_back_from_the_last_checkpoint() -> None:
    tail = segment.read_end(4, 999, 7, HEADER, b"cut off...\n" + CHECKPOINT)
    assert tail == TranscriptEnd(4, 999, 7, 1_000_000, 3, HASH, {"e": 2})


def test_a_checkpoint_that_closes_its_segment_leads_to_the_next() -> None:
    closing, digest = segment.seal(
        b"", 5, TranscriptEnd(ordinal=4, offset=3, hash=b"h" * 32, epochs={"e": 2}), closes=True
    )
    assert segment.read_end(4, 999, 7, HEADER, closing) == TranscriptEnd(5, 0, 0, 0, 3, digest, {"e": 2})


def test_a_hash_covers_everything_before_it() -> None:
    sealed, digest = segment.seal(b"lines\n", 5, TranscriptEnd(hash=b"h" * 32))
    line = sealed.removeprefix(b"lines\n")
    assert sha256(b"h" * 32 + b"lines\n" + segment.covered(line, digest)).digest() == digest
    assert segment.covered(line, digest) + digest.hex().encode() + b'\\"}"]\n' == line
    assert segment.covered(line, bytes(32)) == line


@pytest.mark.parametrize(
    ("head", "tail"),
    [
        (HEADER, b""),
        (HEADER, CHECKPOINT[:-1]),
        (HEADER, b"not json\n"),
        (HEADER, b"[1]\n"),
        (HEADER, b'[1,"o","printed last"]\n'),
        (HEADER, b'[1,"k","no json"]\n'),
        (HEADER, b'[1,"k","[]"]\n'),
        (HEADER, b'[1,"k","{}"]\n'),
        (b"{}\n", CHECKPOINT),
        (b"not json\n", CHECKPOINT),
    ],
)
def test_what_is_not_a_segments_end_is_damaged(head: bytes, tail: bytes) -> None:
    with pytest.raises(DamagedSegment):
        segment.read_end(0, 1, 1, head, tail)


def test_a_line_of_another_form_is_damaged() -> None:
    with pytest.raises(DamagedSegment):
        code_of(b'{"version":2}')


@pytest.mark.parametrize("cursor", [Cursor(0), Cursor(12), Cursor(3, 4567), Cursor(3, 4567, 1_700_000_000_123_456)])
def test_a_cursor_is_read_as_it_was_written(cursor: Cursor) -> None:
    assert Cursor.parse(str(cursor)) == cursor


@pytest.mark.parametrize("text", ["", "-1", "1.2", "1.2.3.4", "x", "1 ", "9" * 9])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor, match="segment must be"):
        Cursor.parse(text)


HUGE = "1" + "0" * 400
NUMBERS = ["1e999", "-1e999", "NaN", "Infinity", HUGE, f"-{HUGE}", f"{HUGE}.5", "1.2.3", ".", "null", "[]", "{}", '"x"']


@pytest.mark.parametrize("number", [*NUMBERS, "[" * 100_000])
def test_a_number_that_somebody_altered_is_damage_and_breaks_no_reader(number: str) -> None:
    """Else one altered byte would stop the archive of a partition, and upkeep of every console."""
    with pytest.raises(DamagedSegment):
        read_line(f'[{number},"o","x"]'.encode())
    with pytest.raises(DamagedSegment):
        time_us(f'[{number},"o","x"]'.encode(), 0)
    with pytest.raises(DamagedSegment):
        read_checkpoint(f'{{"epochs": {{"e": {number}}}, "offset": 1, "hash": "00"}}')
    with pytest.raises(DamagedSegment):
        read_checkpoint(f'{{"epochs": {{}}, "offset": {number}, "hash": "00"}}')
    header = '{"serialconsole": {"console": "c", "segment": 0, "offset": 0, "startedUs": %s, "previous": null}}'
    with pytest.raises(DamagedSegment):
        read_header((header % number).encode())


@given(line=st.text() | st.builds(lambda *parts: f"[{','.join(parts)}]", *[st.sampled_from(NUMBERS)] * 3))
def test_any_line_is_read_or_is_damage(line: str) -> None:
    raw = line.encode("utf-8", "surrogatepass")
    with suppress(DamagedSegment):
        read_line(raw)
    with suppress(DamagedSegment):
        read_header(raw)
    with suppress(DamagedSegment):
        time_us(raw, 0)
    with suppress(DamagedSegment):
        read_checkpoint(line)
