"""The wire between browser and relay: what goes over it, and what is refused without quoting it."""

import base64
import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.console.frames import (
    MAX_TEXT_FRAME,
    Answer,
    InvalidFrame,
    before,
    printed,
    read_resume,
    read_text_frame,
    text_frame,
)

ANSWER = {"type": "answer", "ask": "a1", "allow": True}


@given(offset=st.integers(0, 2**64 - 1), data=st.binary())
def test_a_printed_frame_is_its_offset_and_the_bytes(offset: int, data: bytes) -> None:
    frame = printed(offset, data)
    assert (int.from_bytes(frame[:8]), frame[8:]) == (offset, data)


@given(data=st.binary())
def test_what_was_there_before_is_a_text_frame_of_its_own(data: bytes) -> None:
    frame = json.loads(before(data))
    assert (frame["type"], base64.b64decode(frame["data"])) == ("before", data)


def test_what_is_said_is_one_json_object_with_a_type() -> None:
    assert json.loads(text_frame("people", writer={"name": "Zoë"}, watchers=2)) == {
        "type": "people",
        "writer": {"name": "Zoë"},
        "watchers": 2,
    }


def test_an_answer_is_read() -> None:
    assert read_text_frame(json.dumps(ANSWER).encode()) == Answer("a1", allow=True)


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"ls -la\r",
        b"\xff\xfe",
        b"[]",
        b'{"type":"answer"}',
        json.dumps(ANSWER | {"allow": "yes"}).encode(),
        json.dumps(ANSWER | {"also": 1}).encode(),
        json.dumps(ANSWER | {"ask": "a" * MAX_TEXT_FRAME}).encode(),
    ],
)
def test_anything_else_is_refused_and_not_quoted(frame: bytes) -> None:
    with pytest.raises(InvalidFrame) as refused:
        read_text_frame(frame)
    assert "ls -la" not in str(refused.value)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_a_bad_frame(frame: bytes) -> None:
    with contextlib.suppress(InvalidFrame):
        assert isinstance(read_text_frame(frame), Answer)


@given(epoch=st.text(min_size=1), offset=st.integers(0, 10**18 - 1))
def test_a_resume_point_is_read_back(epoch: str, offset: int) -> None:
    assert read_resume(epoch, str(offset)) == (epoch, offset)


def test_without_a_resume_point_there_is_none() -> None:
    assert read_resume(None, None) is None


@pytest.mark.parametrize(
    ("epoch", "offset"),
    [("e", None), (None, "1"), ("e", ""), ("e", "-1"), ("e", "1.5"), ("e", "٣"), ("e", "9" * 19)],
)
def test_half_a_resume_point_or_no_number_is_refused(epoch: str | None, offset: str | None) -> None:
    with pytest.raises(InvalidFrame):
        read_resume(epoch, offset)
